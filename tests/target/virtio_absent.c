// A board with virtio and no disk: opening one says so, under each of its names, and whatever else
// is there works. (No `sd` line: no disk.)
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "drivers/device.h"
#include "tests/tap.h"
#include "tests/target/board_find.h"

static int open_error(const char *path, int flags)
{
    errno = 0;
    return open(path, flags) < 0 ? errno : 0;
}

int main(void)
{
    char byte = 1;

    tap_plan(6);
    if (!board_find("virtio"))
        return tap_skip_rest("this board has no virtio");
    tap_ok(!device_find("vda"), "test_no_disk_is_made_up");
    tap_equal(open_error("/dev/vda", O_RDONLY), ENOENT, "test_open_of_a_disk_that_is_not_there");
    tap_equal(open_error("/dev/vda", O_RDWR), ENOENT, "test_open_of_it_for_writing");
    tap_equal(open_error("/dev/disk", O_RDONLY), ENOENT, "test_open_of_the_boards_disk");
    tap_ok(strcmp(strerror(ENOENT), "No such file or directory") == 0,
           "test_there_are_words_for_it");
    int fd = open("/dev/ram0", O_RDONLY);
    tap_ok(fd >= 0 && read(fd, &byte, 1) == 1, "test_other_devices_are_there");
    return tap_done();
}
