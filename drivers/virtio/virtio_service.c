// The rare ways of serving a virtio device: setting it to work, more chains than one interrupt may
// end, a change of its configuration, and its end as a broken one.
#include "drivers/virtio/virtio_service.h"

#include "arch/container.h"
#include "arch/report.h"

enum { RESET_POLL_NS = 1000000 };

void virtio_service_drain_later(struct virtio_service *service)
{
    if (service->rest_waits)
        return;
    service->rest_waits = true;
    irq_defer(&service->rest);
}

static void drain_rest(struct irq_work *work)
{
    struct virtio_service *service = container_of(work, struct virtio_service, rest);
    service->rest_waits = false;
    service->ops->drain(service); // Of a queue that has broken meanwhile it takes nothing.
}

bool virtio_service_interrupt_otherwise(struct virtio_service *service, uint32_t raised)
{
    if (raised == 0)
        return false;
    service->ops->drain(service); // What has been done is done.
    if (raised & VIRTIO_INTERRUPT_CONFIG && virtio_needs_reset(&service->transport)) {
        virtqueue_break(&service->queue, "the device asks for a reset");
        virtio_service_give_up(service);
    }
    return true;
}

// ---- A broken device ----

static void fail_when_quiet(struct virtio_service *service)
{
    if (virtio_quiet(&service->transport))
        service->ops->fail(service);
    else
        timer_arm(&service->patience, clock_now_ns() + RESET_POLL_NS);
}

static void patience_expired(struct timer *timer)
{
    fail_when_quiet(container_of(timer, struct virtio_service, patience));
}

void virtio_service_give_up(struct virtio_service *service)
{
    if (service->given_up)
        return;
    service->given_up = true;
    report("virtio: %s is broken and not used any more: %s\n", service->device->name,
           service->queue.broken);
    if (service->ops->stop)
        service->ops->stop(service);
    irq_disable(service->transport.irq);
    virtio_reset(&service->transport);
    fail_when_quiet(service);
}

// ---- Setting it to work ----

int virtio_service_start(struct virtio_service *service)
{
    service->rest.run = drain_rest;
    service->patience.expired = patience_expired;
    int error = irq_install(service->transport.irq, service->device->name, service->ops->interrupt,
                            service);
    if (error)
        return error;
    error = device_register(service->device);
    if (error) {
        irq_remove(service->transport.irq);
        return error;
    }
    virtio_ready(&service->transport);
    irq_enable(service->transport.irq);
    return 0;
}
