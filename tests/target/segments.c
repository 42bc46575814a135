// Requests whose memory is several pieces, on what a board has: its disk, which takes them as they
// are where it is a virtio one, the RAM disk, a file of /tmp, a pipe. The bytes are compared, and
// so is the memory between the pieces.
// sd: 8M
#include <fcntl.h>
#include <sys/eventfd.h>

#include "arch/cpu.h"
#include "sd_image.h"
#include "tests/tap.h"
#include "tests/target/board_find.h"
#include "tests/target/stream_requests.h"

enum {
    MOST = 260,       // Segments of a request.
    BYTES = 65536,    // Of a request at most.
    ROOM = 2 * BYTES, // In which its pieces lie.
    MANY = 64,
    EACH = 8192,       // Bytes of one of many.
    WRITTEN = 4 << 20, // From here on the disk is written to; the image's pattern lies before.
    GAP = 0x5a,
};

static _Alignas(64) uint8_t room[ROOM], plain[BYTES], back[BYTES];
static struct io_segment list[MOST];
static struct device *tmp;

// Cuts `size` bytes into `count` pieces of odd sizes, with gaps in between. Result: their end.
static uint8_t *cut(struct io_segment *segments, unsigned count, uint8_t *from, size_t size)
{
    for (unsigned i = 0; i < count; i++) {
        size_t even = size / (count - i), less = even > 8 ? i * 5 % 8 : 0;
        size_t piece = i + 1 < count ? even - less : size;
        segments[i] = (struct io_segment){ from, piece };
        from += piece + 1 + i % 3;
        size -= piece;
    }
    return from;
}

static struct io_request of_list(enum io_op op, uint64_t offset, struct io_segment *segments,
                                 unsigned count)
{
    return (struct io_request){ .op = (uint8_t)op,
                                .flags = IO_SEGMENTS,
                                .offset = offset,
                                .buffer = segments,
                                .segments = (uint16_t)count };
}

static long wait_for(struct device *device, struct io_request request)
{
    int error = io_submit(device, &request);
    return error ? error : (long)io_wait(&request);
}

static void fill(uint8_t *bytes, size_t size, unsigned seed)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(i * 31 + i / 251 + seed * 17);
}

// Are the pieces these bytes, and the room around them as it was?
static bool pieces_are(const uint8_t *bytes, unsigned count)
{
    const uint8_t *at = room;
    for (unsigned i = 0; i < count; i++) {
        for (; at < (uint8_t *)list[i].base; at++)
            if (*at != GAP)
                return false;
        if (memcmp(at, bytes, list[i].size) != 0)
            return false;
        at += list[i].size;
        bytes += list[i].size;
    }
    for (; at < room + ROOM; at++)
        if (*at != GAP)
            return false;
    return true;
}

// Writes out of pieces and reads in one, writes in one and reads into pieces.
static bool moves(struct device *device, uint64_t offset, size_t size, unsigned count)
{
    fill(plain, size, count);
    memset(room, GAP, ROOM);
    cut(list, count, room + 3, size);
    const uint8_t *from = plain;
    for (unsigned i = 0; i < count; from += list[i++].size)
        memcpy(list[i].base, from, list[i].size);
    memset(back, 0, size);
    struct io_request one = { .op = IO_READ, .offset = offset, .buffer = back, .size = size };
    bool right = wait_for(device, of_list(IO_WRITE, offset, list, count)) == (long)size &&
                 wait_for(device, one) == (long)size && memcmp(back, plain, size) == 0;
    fill(plain, size, count + 1);
    one = (struct io_request){ .op = IO_WRITE, .offset = offset, .buffer = plain, .size = size };
    memset(room, GAP, ROOM);
    return right && wait_for(device, one) == (long)size &&
           wait_for(device, of_list(IO_READ, offset, list, count)) == (long)size &&
           pieces_are(plain, count);
}

static void test_shapes(struct device *device, uint64_t from, const char *whole, const char *odd)
{
    static const unsigned counts[] = { 1, 2, 17, 126, 250, 254 };
    bool right = true, odd_right = true;
    for (unsigned i = 0; i < 6; i++) {
        right &= moves(device, from + 1024 * i, 32768, counts[i]);
        odd_right &= moves(device, from + 700 * i, 3000 + 701 * i, counts[i]);
    }
    tap_ok(right, whole);
    tap_ok(odd_right, odd);
}

static void test_places(void)
{
    static const char *const name = "test_a_virtio_disk_takes_17_segments_in_a_third_of_19_slots";
    struct io_request request = of_list(IO_READ, 0, list, 17);
    if (!card->ops->places) {
        tap_skip(name, "no virtio disk");
        return;
    }
    cut(list, 17, room, 8192);
    uint32_t flags = irq_save();
    io_submit(card, &request);
    unsigned places = card->lanes[0].in_flight;
    irq_restore(flags);
    tap_ok(io_wait(&request) == 8192 && places == 7, name);
}

// Goal: many in flight, with segments and without, end once each and bring their own bytes.
static void test_many(void)
{
    static _Alignas(64) uint8_t memory[MANY][ROOM / 8];
    static struct io_segment lists[MANY][40];
    static struct io_request requests[MANY];
    bool right = true;
    for (unsigned i = 0; i < MANY; i++) {
        uint64_t offset = i * 37u % 400 * 1024 + (i % 7 == 6 ? 100 : 0);
        unsigned count = 1 + i * 11 % 40;
        cut(lists[i], count, memory[i], EACH);
        requests[i] = of_list(IO_READ, offset, lists[i], count);
        if (i % 3 == 0)
            requests[i] = card_request(IO_READ, offset, memory[i], EACH);
        right &= io_submit(card, &requests[i]) == 0;
    }
    for (unsigned i = 0; i < MANY; i++) {
        right &= io_wait(&requests[i]) == EACH && requests[i].size == EACH;
        uint64_t at = requests[i].offset; // Until then it is the core's.
        struct io_segment all = { memory[i], EACH }, *piece = i % 3 == 0 ? &all : lists[i];
        for (uint64_t end = at + EACH; at < end; at += piece++->size)
            right &= image_is(piece->base, at, piece->size);
    }
    tap_ok(right, "test_64_in_flight_with_segments_and_without");
    tap_equal(card->lanes[0].in_flight, 0, "test_no_place_is_lost");
}

static void test_refused(struct device *device)
{
    struct io_segment bad[] = { { back, 512 }, { (void *)(uintptr_t)test_refused, 512 } };
    tap_equal(wait_for(device, of_list(IO_READ, 0, bad, 2)), -EFAULT,
              "test_each_segment_is_checked");
    bad[1].base = device; // The kernel's own data.
    tap_equal(wait_for(device, of_list(IO_READ, 0, bad, 2)), -EFAULT,
              "test_nor_may_one_be_the_kernels");
    tap_equal(wait_for(device, of_list(IO_READ, 0, NULL, 2)), -EFAULT,
              "test_the_list_itself_is_checked");
    bad[1] = (struct io_segment){ back, SIZE_MAX };
    tap_equal(wait_for(device, of_list(IO_READ, 0, bad, 2)), -EINVAL, "test_the_sum_is_checked");
}

static void test_the_end(struct device *device, const char *name)
{
    uint64_t end = device->size_bytes;
    struct io_segment two[] = { { back, 512 }, { back + 1024, 512 } };
    tap_ok(wait_for(device, of_list(IO_READ, end - 700, two, 2)) == 700 &&
               wait_for(device, of_list(IO_READ, end - 512, two, 2)) == 512 &&
               wait_for(device, of_list(IO_READ, end, two, 2)) == 0 &&
               wait_for(device, of_list(IO_WRITE, end - 512, two, 2)) == 512 &&
               wait_for(device, of_list(IO_WRITE, end, two, 2)) == -ENOSPC,
           name);
}

static void test_pipe(void)
{
    struct io_segment words[] = { { "one ", 4 }, { "two ", 4 }, { "three", 5 } };
    char a[6] = "", b[99] = "", c[9] = "";
    struct io_segment into[] = { { a, 5 }, { b, 99 }, { c, 9 } };
    int fds[2];
    if (pipe(fds) != 0)
        printf("Bail out! no pipe\n");
    struct device *from = file_snapshot(fds[0]).device, *to = file_snapshot(fds[1]).device;
    tap_equal(wait_for(to, of_list(IO_WRITE, 0, words, 3)), 13, "test_a_pipe_takes_segments");
    tap_ok(wait_for(from, of_list(IO_READ, 0, into, 3)) == 13 && strcmp(a, "one t") == 0 &&
               strcmp(b, "wo three") == 0 && c[0] == 0,
           "test_reading_takes_what_there_is");
    wait_for(to, of_list(IO_WRITE, 0, words, 1));
    into[0].size = 4;
    tap_equal(wait_for(from, of_list(IO_READ, 0, into, 3)), 4,
              "test_reading_waits_for_no_more_than_the_first_segment");
    close(fds[0]);
    close(fds[1]);
}

// Goal: of two that write at once, neither's segments come between the other's.
static void test_writers(void)
{
    static struct io_segment lists[2][3];
    struct io_request writes[2];
    bool right = true;
    int fds[2];
    if (pipe(fds) != 0)
        printf("Bail out! no pipe\n");
    memset(room, 'a', BYTES);
    memset(room + BYTES, 'b', BYTES);
    for (unsigned i = 0; i < 2; i++) {
        cut(lists[i], 3, room + i * BYTES, BYTES - 16);
        writes[i] = of_list(IO_WRITE, 0, lists[i], 3);
        right &= io_submit(file_snapshot(fds[1]).device, &writes[i]) == 0;
    }
    for (unsigned i = 0; i < 2; i++) {
        size_t got = 0;
        while (got < BYTES - 16)
            got += (size_t)read(fds[0], back + got, BYTES - 16 - got);
        right &= memcmp(back, room + i * BYTES, got) == 0;
        right &= io_wait(&writes[i]) == BYTES - 16;
    }
    tap_ok(right, "test_what_is_written_stays_together");
    close(fds[0]);
    close(fds[1]);
}

static void test_messages(void)
{
    int fd = eventfd(0, 0);
    struct io_segment halves[] = { { back, 4 }, { back + 4, 4 } };
    tap_equal(wait_for(file_snapshot(fd).device, of_list(IO_WRITE, 0, halves, 2)), -ENOTSUP,
              "test_a_number_is_not_split");
    close(fd);
}

int main(void)
{
    card = device_find(board.disk);
    if (!card || card_do(IO_OPEN, 0, NULL, 0) != 0)
        printf("Bail out! no disk\n");
    struct device *ram = device_find("ram0");
    int fd = open("/tmp/segments", O_RDWR | O_CREAT, 0600);
    tmp = file_snapshot(fd).device;
    tap_plan(20);
    test_many();
    test_places();
    test_shapes(card, WRITTEN, "test_disk_whole_sectors", "test_disk_any_bytes");
    test_shapes(ram, 0, "test_ram_disk", "test_ram_disk_any_bytes");
    test_shapes(tmp, 0, "test_file", "test_file_any_bytes");
    test_refused(card);
    test_the_end(card, "test_the_end_of_the_disk");
    test_the_end(ram, "test_the_end_of_the_ram_disk");
    test_pipe();
    test_writers();
    test_messages();
    return tap_done();
}
