// Thousands of random rounds between /host and a server that lies now and then; the same ones every
// time. tests/fuzz/p9fs.c lets libFuzzer look for more.
// sources: fs/p9_message.c fs/p9fs.c fs/p9fs_walk.c fs/p9fs_open.c fs/p9fs_calls.c
// sources: fs/p9fs_file.c fs/p9fs_data.c aio/*.c
#include "tests/host/p9_fuzz.h"

enum { ROUNDS = 1500, BYTES = 1500 };

int main(void)
{
    tap_plan(4);
    fuzz_random(fuzz_run, 5, ROUNDS, BYTES);
    tap_ok(true, "test_whatever_comes_each_request_completes_once_and_nothing_is_lost");
    tap_ok(fuzz.completed > 20 * ROUNDS, "test_requests_were_made_often_enough");
    tap_ok(fuzz.opened > ROUNDS && fuzz.succeeded > 5 * ROUNDS, "test_enough_of_them_succeeded");
    tap_ok(fuzz.spoiled > 5 * ROUNDS, "test_enough_replies_were_spoiled");
    tap_note("%u completed, %u of them well, %u opened; %u replies spoiled", fuzz.completed,
             fuzz.succeeded, fuzz.opened, fuzz.spoiled);
    return tap_done();
}
