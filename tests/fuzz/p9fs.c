// libFuzzer leads the server of /host and who asks it (tests/host/p9_fuzz.h). Not part of
// `make test`, which has tests/host/p9_random.c. Needs clang:
//     clang -g -O1 -fsanitize=fuzzer,address,undefined -I. -Itests/host/fake \
//         tests/fuzz/p9fs.c fs/p9*.c aio/core.c aio/poll.c aio/unwind.c \
//         tests/host/fake/fake_cpu.c -o build/fuzz-p9fs && build/fuzz-p9fs -max_total_time=60
#include "tests/host/p9_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_run(data, size);
    return 0;
}
