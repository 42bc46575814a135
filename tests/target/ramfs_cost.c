// What finding a name and telling the next entry cost in /tmp, in instructions: no more among
// thousands of names than among a few, since interrupts are masked meanwhile.
// icount: exact
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/tap.h"
#include "tests/target/instructions.h"

enum { FEW = 4, MANY = 1500, LOOKS = 16, SLACK_PERCENT = 30 };

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

// Both take the best of several, names that differ in where they hash to.
static uint32_t cost_of_a_miss(void)
{
    uint32_t best = UINT32_MAX;
    for (unsigned i = 0; i < LOOKS; i++) {
        struct stat status;
        char name[] = "/tmp/d/nothing?";
        name[sizeof name - 2] = (char)('a' + i);
        uint32_t begun = count_now();
        stat(name, &status);
        best = least(best, instructions(begun, count_now()));
    }
    return best;
}

static uint32_t cost_of_the_last_entries(unsigned count)
{
    uint32_t best = UINT32_MAX;
    DIR *stream = opendir("/tmp/d");
    for (unsigned i = 0; i < count; i++) {
        uint32_t begun = count_now();
        readdir(stream);
        uint32_t cost = instructions(begun, count_now());
        if (i + LOOKS >= count)
            best = least(best, cost);
    }
    closedir(stream);
    return best;
}

static void make_names(unsigned from, unsigned to)
{
    char name[32];
    for (unsigned i = from; i < to; i++) {
        snprintf(name, sizeof name, "/tmp/d/n%u", i);
        close(open(name, O_CREAT | O_WRONLY, 0600));
    }
}

int main(void)
{
    tap_plan(3);
    mkdir("/tmp/d", 0700);
    make_names(0, FEW);
    uint32_t miss = cost_of_a_miss(), entry = cost_of_the_last_entries(FEW);
    make_names(FEW, MANY);
    struct stat status;
    tap_ok(stat("/tmp/d/n0", &status) == 0 && stat("/tmp/d/n1499", &status) == 0 &&
               stat("/tmp/d/n1500", &status) == -1 && errno == ENOENT,
           "test_all_names_are_there");
    tap_at_most(cost_of_a_miss(), miss + miss * SLACK_PERCENT / 100,
                "test_a_name_costs_the_same_among_1500");
    tap_at_most(cost_of_the_last_entries(MANY), entry + entry * SLACK_PERCENT / 100,
                "test_an_entry_costs_the_same_among_1500");
    return tap_done();
}
