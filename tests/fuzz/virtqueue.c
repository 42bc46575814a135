// libFuzzer leads the device's side of a virtqueue (tests/host/virtqueue_fuzz.h). Not part of
// `make test`, which has tests/host/virtqueue_random.c. Needs clang:
//     clang -g -O1 -fsanitize=fuzzer,address,undefined -I. -Itests/host/fake \
//         tests/fuzz/virtqueue.c drivers/virtio/virtqueue.c tests/host/fake/fake_cpu.c \
//         -o build/fuzz-virtqueue && build/fuzz-virtqueue -max_total_time=60
#include "tests/host/virtqueue_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_run(data, size);
    return 0;
}
