// A virtio disk that fails what touches one of its sectors: exactly that request fails, those in
// flight around it do not, and the disk goes on. A flush that fails says so.
// image: vda 8M
// virtio: -blockdev driver=file,node-name=f,filename=@/vda
// virtio: -blockdev driver=blkdebug,node-name=d,image=f,
// virtio: inject-error.0.event=none,inject-error.0.iotype=read,inject-error.0.sector=2219,
// virtio: inject-error.1.event=none,inject-error.1.iotype=write,inject-error.1.sector=4261,
// virtio: inject-error.1.errno=28,
// virtio: inject-error.2.event=none,inject-error.2.iotype=flush,inject-error.2.once=on
// virtio: -blockdev driver=raw,node-name=b,file=d
// virtio: -device virtio-blk-device,drive=b,request-merging=off,rerror=report,werror=report
#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "arch/cpu.h"
#include "sd_image.h"
#include "tests/tap.h"
#include "tests/target/board_find.h"

enum {
    BYTES = 4096,
    MANY = 64,
    RING = 1024,
    BAD_READ = 2219 * SECTOR,  // The sector that cannot be read,
    BAD_WRITE = 4261 * SECTOR, // and the one that cannot be written.
    READS_AT = 2048 * SECTOR,
    WRITES_AT = 4096 * SECTOR,
    BAD_INDEX = (BAD_READ - READS_AT) / BYTES,
    BAD_WRITE_INDEX = (BAD_WRITE - WRITES_AT) / BYTES,
};

static _Alignas(64) uint8_t memory[MANY][BYTES], back[BYTES];
static struct io_request requests[MANY];
static struct aiocb blocks[MANY];
static unsigned done_count[MANY];

static void on_done(struct io_request *request)
{
    done_count[request - requests]++;
}

// All in flight at once, one after the other on the disk.
// True: only the bad one fails; each ends once.
static bool only_one_fails(enum io_op op, uint64_t at, unsigned bad)
{
    bool right = true;
    memset(done_count, 0, sizeof done_count);
    uint32_t flags = irq_save();
    for (unsigned i = 0; i < MANY; i++) {
        requests[i] = card_request(op, at + i * BYTES, memory[i], BYTES);
        requests[i].done = on_done;
        right &= io_submit(card, &requests[i]) == 0;
    }
    right &= card->lanes[0].in_flight == MANY;
    irq_restore(flags);
    for (unsigned i = 0; i < MANY; i++) {
        right &= io_wait(&requests[i]) == (i == bad ? -EIO : BYTES) && done_count[i] == 1;
        right &= requests[i].moved == (i == bad ? 0 : BYTES);
    }
    return right;
}

static void test_reads(void)
{
    bool right = only_one_fails(IO_READ, READS_AT, BAD_INDEX);
    tap_ok(right, "test_of_64_reads_in_flight_exactly_the_one_with_the_bad_sector_fails");
    for (unsigned i = 0; i < MANY; i++)
        right &= i == BAD_INDEX || image_is(memory[i], READS_AT + i * BYTES, BYTES);
    tap_ok(right, "test_the_others_bring_their_own_bytes");
    right = true;
    for (unsigned i = 0; i < RING; i++)
        right &= card_do(IO_READ, BAD_READ, back, SECTOR) == -EIO;
    tap_ok(right && only_one_fails(IO_READ, READS_AT, BAD_INDEX),
           "test_after_more_failures_than_the_ring_has_room_it_is_the_same");
}

static void test_writes(void)
{
    for (unsigned i = 0; i < MANY; i++)
        memset(memory[i], (int)(i + 1), BYTES);
    tap_ok(only_one_fails(IO_WRITE, WRITES_AT, BAD_WRITE_INDEX),
           "test_of_64_writes_in_flight_exactly_the_one_with_the_bad_sector_fails");
    bool right = true;
    for (unsigned i = 0; i < MANY; i++) {
        right &= card_do(IO_READ, WRITES_AT + i * BYTES, back, BYTES) == BYTES;
        right &= i == BAD_WRITE_INDEX ? image_is(back, WRITES_AT + i * BYTES, BYTES)
                                      : memcmp(back, memory[i], BYTES) == 0;
    }
    tap_ok(right, "test_the_others_are_on_the_disk");
}

static void test_parts(void)
{
    enum { BEFORE = 700, HEAD = BEFORE % SECTOR };
    tap_equal(card_do(IO_READ, BAD_READ + 3, back, 100), -EIO, "test_part_of_a_bad_sector");
    tap_equal(card_do(IO_READ, BAD_READ - BEFORE, back, 2000), -EIO, "test_a_read_into_it");
    tap_ok(card_moved == HEAD && image_is(back, BAD_READ - BEFORE, HEAD),
           "test_the_bytes_before_it_are_told");
    tap_equal(card_do(IO_WRITE, BAD_WRITE + 3, memory, 100), -EIO,
              "test_a_write_of_part_of_a_sector_that_cannot_be_written");
    tap_equal(card_do(IO_WRITE, BAD_READ + 3, memory, 100), -EIO,
              "test_a_write_of_part_of_a_sector_that_cannot_be_read");
    tap_ok(card_do(IO_WRITE, BAD_READ + SECTOR + 3, memory[0], 100) == 100 &&
               card_do(IO_READ, BAD_READ + SECTOR, back, SECTOR) == SECTOR &&
               memcmp(back + 3, memory[0], 100) == 0 &&
               image_is(back + 103, BAD_READ + SECTOR + 103, SECTOR - 103),
           "test_parts_of_the_sector_behind_it_are_fine");
}

static int wait_for(const struct aiocb *block)
{
    const struct aiocb *list[] = { block };
    while (aio_error(block) == EINPROGRESS)
        aio_suspend(list, 1, NULL);
    return aio_error(block);
}

// The same as a program sees it.
static bool only_one_fails_posix(int fd, int (*start)(struct aiocb *), off_t at, unsigned bad)
{
    bool right = true;
    memset(blocks, 0, sizeof blocks);
    for (unsigned i = 0; i < MANY; i++) {
        blocks[i].aio_fildes = fd;
        blocks[i].aio_buf = memory[i];
        blocks[i].aio_nbytes = BYTES;
        blocks[i].aio_offset = at + (off_t)i * BYTES;
        right &= start(&blocks[i]) == 0;
    }
    for (unsigned i = 0; i < MANY; i++) {
        right &= wait_for(&blocks[i]) == (i == bad ? EIO : 0);
        errno = 0;
        ssize_t result = aio_return(&blocks[i]);
        right &= i == bad ? result == -1 && errno == EIO : result == BYTES;
    }
    return right;
}

static void test_posix(int fd)
{
    tap_ok(only_one_fails_posix(fd, aio_write, WRITES_AT, BAD_WRITE_INDEX),
           "test_aio_error_of_the_bad_write_and_no_other_is_eio");
    tap_ok(only_one_fails_posix(fd, aio_read, READS_AT, BAD_INDEX),
           "test_aio_error_of_the_bad_read_and_no_other_is_eio");
    bool right = true;
    for (unsigned i = 0; i < MANY; i++)
        right &= i == BAD_INDEX || image_is(memory[i], READS_AT + i * BYTES, BYTES);
    tap_ok(right, "test_aio_read_brings_the_bytes_of_the_others");
    errno = 0;
    tap_ok(lseek(fd, BAD_READ, SEEK_SET) == BAD_READ && read(fd, back, 10) == -1 && errno == EIO,
           "test_read_of_a_bad_sector_is_eio");
    tap_ok(lseek(fd, 0, SEEK_CUR) == BAD_READ, "test_a_failed_read_does_not_move_the_position");
    errno = 0;
    lseek(fd, BAD_WRITE, SEEK_SET);
    tap_ok(write(fd, back, SECTOR) == -1 && errno == EIO, "test_write_of_a_bad_sector_is_eio");
}

// Had fsync() not reached the device, it could not have failed.
static void test_flush(int fd)
{
    lseek(fd, 0, SEEK_SET);
    tap_equal(write(fd, memory[0], BYTES), BYTES, "test_write_before_a_flush");
    errno = 0;
    tap_ok(fsync(fd) == -1 && errno == EIO, "test_fsync_fails_when_the_device_cannot_flush");
    tap_equal(fsync(fd), 0, "test_fsync_succeeds_when_it_can");
    tap_equal(card_do(IO_FLUSH, 0, NULL, 0), 0, "test_flush");
}

int main(void)
{
    tap_plan(24);
    if (!board_find("virtio"))
        return tap_skip_rest("this board has no virtio");
    card = device_find("vda");
    if (!tap_ok(card != NULL, "test_the_disk_is_there"))
        return tap_done();
    int fd = open("/dev/vda", O_RDWR);
    tap_ok(fd >= 0, "test_open");
    test_reads();
    test_writes();
    test_parts();
    test_posix(fd);
    test_flush(fd);
    tap_ok(card_do(IO_READ, 0, back, BYTES) == BYTES && memcmp(back, memory[0], BYTES) == 0,
           "test_the_disk_goes_on");
    return tap_done();
}
