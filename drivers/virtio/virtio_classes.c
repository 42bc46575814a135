// The classes of virtio devices that are driven: what the transport looks through for each device
// that it finds.
#include "drivers/virtio/virtio.h"

extern const struct virtio_class virtio_blk_class;
extern const struct virtio_class virtio_9p_class;
extern const struct virtio_class virtio_serial_class;

const struct virtio_class *const virtio_classes[] = {
    &virtio_blk_class,
    &virtio_9p_class,
    &virtio_serial_class,
    NULL,
};
