// mmap() and its family: anonymous memory by the page, which I/O can be done with; and getline().
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/tap.h"

enum { PAGE = 4096, USUAL = MAP_PRIVATE | MAP_ANONYMOUS, BOTH = PROT_READ | PROT_WRITE };

static void test_memory(void)
{
    unsigned char *memory = mmap(NULL, 3 * PAGE - 5, BOTH, USUAL, -1, 0);
    bool zeros = memory != MAP_FAILED;
    for (int i = 0; i < 3 * PAGE && zeros; i++)
        zeros = memory[i] == 0;
    tap_ok(zeros && (uintptr_t)memory % PAGE == 0, "test_mapped_memory_is_zeros_at_a_page");
    int fd = open("/dev/ram0", O_RDWR);
    memset(memory, 0x5a, PAGE);
    tap_ok(pwrite(fd, memory, PAGE, 0) == PAGE && pread(fd, memory + PAGE, PAGE, 0) == PAGE &&
               memcmp(memory, memory + PAGE, PAGE) == 0,
           "test_mapped_memory_can_be_read_into_and_written_from");
    close(fd);
    tap_ok(mlock(memory, PAGE) == 0 && msync(memory, PAGE, MS_SYNC) == 0 &&
               mprotect(memory, PAGE, BOTH) == 0 && munlock(memory, PAGE) == 0 &&
               mlockall(MCL_CURRENT) == 0 && munlockall() == 0,
           "test_what_is_always_so_is_granted");
    errno = 0;
    tap_ok(munmap(memory + PAGE, PAGE) == -1 && errno == EINVAL && munmap(memory, PAGE) == -1 &&
               munmap(NULL, PAGE) == -1,
           "test_part_of_a_mapping_cannot_be_given_back");
    tap_ok(munmap(memory, 3 * PAGE) == 0 && munmap(memory, 3 * PAGE) == -1 && errno == EINVAL,
           "test_a_mapping_is_given_back_once");
}

static int mapping_error(size_t size, int protection, int flags, int fd)
{
    errno = 0;
    return mmap(NULL, size, protection, flags, fd, 0) == MAP_FAILED ? errno : 0;
}

static void test_refusals(void)
{
    tap_equal(mapping_error(0, BOTH, USUAL, -1), EINVAL, "test_mmap_of_nothing_is_EINVAL");
    tap_ok(mapping_error(PAGE, BOTH, MAP_ANONYMOUS, -1) == EINVAL &&
               mapping_error(PAGE, BOTH, USUAL | MAP_SHARED, -1) == EINVAL,
           "test_mmap_is_shared_or_private");
    tap_equal(mapping_error(PAGE, PROT_READ, MAP_PRIVATE, 0), ENODEV,
              "test_mmap_of_a_file_is_ENODEV");
    tap_ok(mapping_error(PAGE, PROT_READ, USUAL, -1) == ENOTSUP &&
               mapping_error(PAGE, BOTH, USUAL | MAP_FIXED, -1) == ENOTSUP,
           "test_what_needs_paging_is_ENOTSUP");
    tap_ok(mapping_error(SIZE_MAX, BOTH, USUAL, -1) == ENOMEM &&
               mapping_error(SIZE_MAX / 2, BOTH, USUAL, -1) == ENOMEM,
           "test_mmap_of_too_much_is_ENOMEM");
    errno = 0;
    tap_ok(mlock((void *)4, PAGE) == -1 && errno == ENOMEM && mprotect(NULL, 0, PROT_READ) == -1 &&
               errno == ENOTSUP && mlockall(0) == -1 && errno == EINVAL,
           "test_locking_what_is_no_memory_is_ENOMEM");
}

static void test_lines(void)
{
    char *line = NULL;
    size_t room = 0;
    FILE *file = tmpfile();
    fprintf(file, "first\n%0300d\nlast", 7);
    rewind(file);
    tap_ok(getline(&line, &room, file) == 6 && strcmp(line, "first\n") == 0,
           "test_getline_takes_a_line_with_its_end");
    tap_ok(getline(&line, &room, file) == 301 && line[299] == '7' && room > 301,
           "test_getline_makes_room");
    tap_ok(getdelim(&line, &room, 's', file) == 3 && strcmp(line, "las") == 0 &&
               getline(&line, &room, file) == 1 && getline(&line, &room, file) == -1,
           "test_getdelim_ends_with_its_character_and_at_the_end");
    free(line);
    fclose(file);
}

int main(void)
{
    tap_plan(14);
    test_memory();
    test_refusals();
    test_lines();
    return tap_done();
}
