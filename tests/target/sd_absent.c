// A board with no card in its socket: every request says so, none hangs. (No `sd` line: no image.)
#include <errno.h>

#include "sd_image.h"
#include "tests/tap.h"
#include "tests/target/board_find.h"

int main(void)
{
    static uint8_t buffer[SECTOR];

    tap_plan(5);
    if (!board_find("mmcblk0"))
        return tap_skip_rest("this board has no SD card");
    card = device_find("mmcblk0");
    if (!tap_ok(card != NULL, "test_sd_device_is_there_without_a_card"))
        return tap_done();
    tap_equal(card_do(IO_OPEN, 0, NULL, 0), -ENXIO, "test_sd_open_without_card");
    tap_equal(card_do(IO_READ, 0, buffer, SECTOR), -ENXIO, "test_sd_read_without_card");
    tap_equal(card_do(IO_WRITE, 0, buffer, SECTOR), -ENXIO, "test_sd_write_without_card");
    tap_equal(card_do(IO_FLUSH, 0, NULL, 0), -ENXIO, "test_sd_flush_without_card");
    return tap_done();
}
