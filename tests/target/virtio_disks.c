// Several virtio disks on a board: each is itself, with its own size, bytes and name; one may only
// be read; more than the kernel has room for are left alone.
// sd: 8M
// image: vdb 2M
// image: vdc 64K
// virtio: -blockdev driver=file,node-name=fb,filename=@/vdb
// virtio: -blockdev driver=raw,node-name=b,file=fb,offset=1048576,size=517632
// virtio: -device virtio-blk-device,drive=b,serial=SECOND
// virtio: -blockdev driver=file,node-name=c,filename=@/vdc,read-only=on
// virtio: -device virtio-blk-device,drive=c,serial=01234567890123456789
// virtio: -blockdev driver=null-co,node-name=d,size=512,read-zeroes=on
// virtio: -device virtio-blk-device,drive=d,write-cache=off
// virtio: -blockdev driver=null-co,node-name=e,size=512
// virtio: -device virtio-blk-device,drive=e
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arch/cpu.h"
#include "sd_image.h"
#include "tests/tap.h"
#include "tests/target/board_find.h"

// vdb is not made of whole blocks of 4 KiB: 1011 sectors. It shows the test pattern from the second
// mebibyte on.
enum { VDB_BYTES = 517632, VDB_FIRST = 1048576, VDC_BYTES = 65536, BYTES = 4096, MANY = 64 };

static _Alignas(64) uint8_t memory[2][MANY][BYTES], whole[VDB_BYTES + BYTES];
static struct io_request requests[2][MANY];
static struct device *vda, *vdb, *vdc, *vdd;

static void use(struct device *disk)
{
    card = disk;
}

static void test_identities(void)
{
    bool opened = true;
    struct device *disks[] = { vda, vdb, vdc, vdd };
    for (unsigned i = 0; i < 4; i++) {
        use(disks[i]);
        opened &= card_do(IO_OPEN, 0, NULL, 0) == 0;
    }
    tap_ok(opened, "test_all_four_open");
    tap_ok(vda->size_bytes == IMAGE_BYTES && vdb->size_bytes == VDB_BYTES &&
               vdc->size_bytes == VDC_BYTES && vdd->size_bytes == SECTOR,
           "test_each_has_its_own_capacity");
    tap_ok(strcmp(vda->serial, "") == 0 && strcmp(vdb->serial, "SECOND") == 0 &&
               strcmp(vdc->serial, "01234567890123456789") == 0,
           "test_each_has_its_own_serial_number");
    tap_ok(!vda->read_only && !vdb->read_only && vdc->read_only, "test_only_vdc_is_read_only");
    tap_ok(!device_find("vde"), "test_a_fifth_disk_is_left_alone");
}

static void test_sizes_posix(void)
{
    struct stat status;
    int fd = open("/dev/vdb", O_RDWR), first = open("/dev/disk", O_RDONLY);
    tap_ok(fd >= 0 && fstat(fd, &status) == 0 && status.st_size == VDB_BYTES,
           "test_fstat_tells_the_size");
    tap_equal(lseek(fd, 0, SEEK_END), VDB_BYTES, "test_so_does_seek_end");
    tap_ok(first >= 0 && fstat(first, &status) == 0 && status.st_size == IMAGE_BYTES,
           "test_dev_disk_is_the_first_one");
    close(fd);
    close(first);
}

// Reads from both are in flight at once, in turn.
static void test_both_at_once(void)
{
    bool right = true;
    uint32_t flags = irq_save();
    for (unsigned i = 0; i < MANY; i++) {
        requests[0][i] = card_request(IO_READ, i * BYTES, memory[0][i], BYTES);
        requests[1][i] = card_request(IO_READ, i * BYTES, memory[1][i], BYTES);
        right &= io_submit(vda, &requests[0][i]) == 0 && io_submit(vdb, &requests[1][i]) == 0;
    }
    right &= vda->lanes[0].in_flight == MANY && vdb->lanes[0].in_flight == MANY;
    irq_restore(flags);
    tap_ok(right, "test_64_reads_of_each_of_two_disks_are_in_flight_at_once");
    for (unsigned i = 0; i < MANY; i++)
        right &= io_wait(&requests[0][i]) == BYTES && io_wait(&requests[1][i]) == BYTES &&
                 image_is(memory[0][i], i * BYTES, BYTES) &&
                 image_is(memory[1][i], VDB_FIRST + i * BYTES, BYTES);
    tap_ok(right, "test_each_brings_the_bytes_of_its_own_disk");
}

static void test_odd_size(void)
{
    enum { LAST = VDB_BYTES - SECTOR, BLOCK = VDB_BYTES / BYTES * BYTES };
    use(vdb);
    tap_equal(card_do(IO_READ, 0, whole, sizeof whole), VDB_BYTES,
              "test_the_whole_of_1011_sectors");
    tap_ok(image_is(whole, VDB_FIRST, VDB_BYTES), "test_all_its_bytes");
    tap_equal(card_do(IO_READ, BLOCK, whole, BYTES), VDB_BYTES - BLOCK,
              "test_a_last_block_that_is_not_whole");
    tap_ok(image_is(whole, VDB_FIRST + BLOCK, VDB_BYTES - BLOCK), "test_its_bytes");
    tap_ok(card_do(IO_READ, VDB_BYTES - 5, whole, 100) == 5 &&
               image_is(whole, VDB_FIRST + VDB_BYTES - 5, 5),
           "test_the_last_bytes");
    tap_equal(card_do(IO_READ, VDB_BYTES, whole, SECTOR), 0, "test_nothing_at_the_end");
    memset(memory[0][0], 0x77, BYTES);
    tap_equal(card_do(IO_WRITE, LAST, memory[0][0], BYTES), SECTOR, "test_a_write_across_the_end");
    tap_equal(card_do(IO_WRITE, VDB_BYTES, memory[0][0], SECTOR), -ENOSPC, "test_a_write_at_it");
    tap_ok(card_do(IO_READ, LAST - SECTOR, whole, 2 * SECTOR) == 2 * SECTOR &&
               image_is(whole, VDB_FIRST + LAST - SECTOR, SECTOR) &&
               memcmp(whole + SECTOR, memory[0][0], SECTOR) == 0,
           "test_what_was_written_is_there_and_no_more");
    use(vda);
    tap_ok(card_do(IO_READ, LAST, whole, SECTOR) == SECTOR && image_is(whole, LAST, SECTOR),
           "test_the_other_disk_is_as_it_was");
}

static int open_error(const char *path, int flags)
{
    errno = 0;
    return open(path, flags) < 0 ? errno : 0;
}

static void test_read_only(void)
{
    tap_equal(open_error("/dev/vdc", O_RDWR), EACCES, "test_a_read_only_disk_opened_for_both");
    tap_equal(open_error("/dev/vdc", O_WRONLY), EACCES, "test_and_for_writing");
    int fd = open("/dev/vdc", O_RDONLY);
    tap_ok(fd >= 0 && read(fd, whole, BYTES) == BYTES && image_is(whole, 0, BYTES),
           "test_it_may_be_read");
    errno = 0;
    tap_ok(write(fd, whole, BYTES) == -1 && errno == EBADF, "test_its_descriptor_is_for_reading");
    tap_equal(fsync(fd), 0, "test_to_flush_it_is_no_error");
    close(fd);
    use(vdc);
    tap_equal(card_do(IO_WRITE, 0, memory[0][0], BYTES), -EROFS, "test_write_below_the_face");
    tap_equal(card_do(IO_WRITE, 3, memory[0][0], 5), -EROFS, "test_write_of_a_part");
    tap_ok(card_do(IO_READ, 0, whole, BYTES) == BYTES && image_is(whole, 0, BYTES),
           "test_nothing_has_changed");
}

static void test_no_cache(void)
{
    use(vdd);
    tap_equal(card_do(IO_FLUSH, 0, NULL, 0), 0, "test_flush_of_a_disk_without_a_cache");
    memset(whole, 0x5a, BYTES);
    tap_ok(card_do(IO_READ, 0, whole, BYTES) == SECTOR && whole[0] == 0 && whole[SECTOR] == 0x5a,
           "test_a_disk_of_one_sector");
}

int main(void)
{
    tap_plan(32);
    if (!board_find("virtio"))
        return tap_skip_rest("this board has no virtio");
    vda = device_find("vda"), vdb = device_find("vdb");
    vdc = device_find("vdc"), vdd = device_find("vdd");
    if (!tap_ok(vda && vdb && vdc && vdd, "test_four_disks_are_there"))
        return tap_done();
    test_identities();
    test_sizes_posix();
    test_both_at_once();
    test_odd_size();
    test_read_only();
    test_no_cache();
    tap_equal(open_error("/dev/vde", O_RDONLY), ENOENT, "test_a_disk_that_is_not_there");
    return tap_done();
}
