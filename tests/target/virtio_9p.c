// A folder of the host as a device that exchanges messages: 9P2000.L spoken by hand with QEMU, many
// exchanges in flight, answers spread over pieces of memory, and what is no message.
// (http://ericvh.github.io/9p-rfc/rfc9p2000.html and the .L messages as in QEMU's hw/9pfs/9p.c.)
// share: yes
// share-has: echo 'A line of a file on the host.' >file
#include <errno.h>
#include <string.h>

#include "aio/core.h"
#include "arch/cpu.h"
#include "drivers/exchange.h"
#include "tests/tap.h"
#include "tests/target/board_find.h"

enum {
    TLOPEN = 12,
    TGETATTR = 24,
    TVERSION = 100,
    TATTACH = 104,
    TWALK = 110,
    TREAD = 116,
    RLERROR = 7, // Others are one more than what they answer.
    UNKNOWN = 60,
    NO_TAG = 0xffff,
};
#define NO_FID UINT32_MAX
#define GETATTR_ALL UINT64_C(0x3fff)
static const char line[] = "A line of a file on the host.\n";

// What size, type and tag take; an Rlerror; an Rgetattr; the bytes of an Rread before its data.
enum { HEADER = 7, ERROR_BYTES = 11, GETATTR_BYTES = 160, READ_HEADER = 11 };
enum { ROOT = 1, FILE_FID = 2, MESSAGE = 65536, AT_ONCE = 8, MANY = 100, FILL = 0xa5 };

// An exchange with memory of its own.
struct talk {
    struct exchange exchange;
    uint8_t message[256], answer[256];
    size_t length;
};

static struct talk talks[MANY];
static struct device *share;

// ---- Messages: bytes, least significant first ----

static void put(struct talk *talk, uint64_t value, unsigned bytes)
{
    for (; bytes > 0; bytes--, value >>= 8)
        talk->message[talk->length++] = (uint8_t)value;
}

static void put_string(struct talk *talk, const char *text)
{
    put(talk, strlen(text), 2);
    memcpy(talk->message + talk->length, text, strlen(text));
    talk->length += strlen(text);
}

static uint64_t get(const uint8_t *from, unsigned bytes)
{
    uint64_t value = 0;
    while (bytes-- > 0)
        value = value << 8 | from[bytes];
    return value;
}

static void begin(struct talk *talk, unsigned type, unsigned tag)
{
    memset(talk, 0, sizeof *talk);
    memset(talk->answer, FILL, sizeof talk->answer);
    talk->length = 4; // The size, when it is known.
    put(talk, type, 1);
    put(talk, tag, 2);
}

// The message is complete, and as long as it says; it goes out and comes back in one piece each.
static void finish(struct talk *talk)
{
    size_t length = talk->length;
    talk->length = 0;
    put(talk, length, 4);
    talk->length = length;
    talk->exchange.request.op = IO_CALL;
    talk->exchange.out[0] = (struct exchange_part){ talk->message, length };
    talk->exchange.in[0] = (struct exchange_part){ talk->answer, sizeof talk->answer };
    talk->exchange.out_count = talk->exchange.in_count = 1;
}

static long wait(struct talk *talk)
{
    int error = io_submit(share, &talk->exchange.request);
    return error ? error : (long)io_wait(&talk->exchange.request);
}

// An answer to this message, of as many bytes as came and as it says.
static bool is_answer(const struct talk *talk, unsigned type)
{
    const uint8_t *answer = talk->answer;
    bool right = talk->exchange.request.result == (ssize_t)get(answer, 4) && answer[4] == type &&
                 memcmp(answer + 5, talk->message + 5, 2) == 0;
    if (!right)
        tap_note("result %ld, %d bytes of type %d, tag %d", (long)talk->exchange.request.result,
                 (int)get(answer, 4), answer[4], (int)get(answer + 5, 2));
    return right;
}

// Says it and waits. Result: was it answered as it should be?
static bool say(struct talk *talk)
{
    finish(talk);
    wait(talk);
    return is_answer(talk, talk->message[4] + 1u);
}

static void getattr(struct talk *talk, unsigned tag, uint32_t fid)
{
    begin(talk, TGETATTR, tag);
    put(talk, fid, 4);
    put(talk, GETATTR_ALL, 8);
    finish(talk);
}

// ---- The tests ----

static void test_session(void)
{
    struct talk *talk = &talks[0];
    begin(talk, TVERSION, NO_TAG);
    put(talk, MESSAGE, 4);
    put_string(talk, "9P2000.L");
    bool right = say(talk) && get(talk->answer + 7, 4) == MESSAGE &&
                 memcmp(talk->answer + 13, "9P2000.L", 8) == 0;
    tap_ok(right, "test_the_host_speaks_9p2000_l");

    begin(talk, TATTACH, 0);
    put(talk, ROOT, 4);
    put(talk, NO_FID, 4);
    put_string(talk, "");
    put_string(talk, "");
    put(talk, 0, 4);
    tap_ok(say(talk) && talk->answer[HEADER] == 0x80, "test_its_root_is_a_folder"); // qid.type.
    getattr(talk, 3, ROOT);
    tap_ok(wait(talk) == GETATTR_BYTES && is_answer(talk, TGETATTR + 1),
           "test_what_the_folder_is_can_be_asked");
}

// Goal: the file's bytes go to a place of their own, behind the header that goes to another, and no
// more than there are.
static void test_file(void)
{
    struct talk *talk = &talks[0];
    uint8_t data[64];
    begin(talk, TWALK, 1);
    put(talk, ROOT, 4);
    put(talk, FILE_FID, 4);
    put(talk, 1, 2);
    put_string(talk, "file");
    bool right = say(talk);
    begin(talk, TLOPEN, 1);
    put(talk, FILE_FID, 4);
    put(talk, 0, 4);
    tap_ok(right && say(talk), "test_a_file_is_found_and_opened");

    memset(data, FILL, sizeof data);
    begin(talk, TREAD, 1);
    put(talk, FILE_FID, 4);
    put(talk, 2, 8);
    put(talk, sizeof data, 4);
    finish(talk);
    talk->exchange.out[0].size = 5; // Cut where no field ends.
    talk->exchange.out[1] = (struct exchange_part){ talk->message + 5, talk->length - 5 };
    talk->exchange.in[0].size = READ_HEADER;
    talk->exchange.in[1] = (struct exchange_part){ data, sizeof data };
    talk->exchange.out_count = talk->exchange.in_count = 2;
    size_t size = strlen(line + 2);
    tap_ok(wait(talk) == (long)(READ_HEADER + size) && is_answer(talk, TREAD + 1) &&
               get(talk->answer + HEADER, 4) == size && memcmp(data, line + 2, size) == 0,
           "test_a_file_is_read_straight_into_its_buffer");
    tap_ok(talk->answer[READ_HEADER] == FILL && data[size] == FILL && data[63] == FILL,
           "test_bytes_around_the_answer_are_left_alone");
}

// Goal: several exchanges are with the device at the same time, and none gets another's answer.
static void test_many(void)
{
    bool right = true;
    uint32_t flags = irq_save();
    for (unsigned i = 0; i < AT_ONCE; i++) {
        getattr(&talks[i], 100 + i, i % 2 ? ROOT : FILE_FID);
        right &= io_submit(share, &talks[i].exchange.request) == 0;
    }
    unsigned in_flight = share->lanes[0].in_flight;
    int cancelled = io_cancel(&talks[0].exchange.request);
    irq_restore(flags);
    tap_ok(right && in_flight == AT_ONCE, "test_8_exchanges_are_in_flight");
    tap_equal(cancelled, -EBUSY, "test_none_can_be_taken_back");
    for (unsigned i = 0; i < AT_ONCE; i++)
        right &= io_wait(&talks[i].exchange.request) == GETATTR_BYTES &&
                 is_answer(&talks[i], TGETATTR + 1);
    tap_ok(right, "test_each_has_its_own_answer");

    right = true;
    for (unsigned i = 0; i < MANY; i++) {
        getattr(&talks[i], i, i % 3 ? ROOT : FILE_FID);
        talks[i].exchange.in[0].size = HEADER + i % 50;
        talks[i].exchange.in[1] = (struct exchange_part){ talks[i].answer + HEADER + i % 50, 180 };
        talks[i].exchange.in_count = 2;
        right &= io_submit(share, &talks[i].exchange.request) == 0;
    }
    for (unsigned i = 0; i < MANY; i++) {
        bool file = get(talks[i].message + HEADER, 4) == FILE_FID;
        right &= io_wait(&talks[i].exchange.request) == GETATTR_BYTES &&
                 is_answer(&talks[i], TGETATTR + 1) &&
                 talks[i].answer[15] == (file ? 0 : 0x80) && // qid.type.
                 talks[i].answer[GETATTR_BYTES] == FILL;
    }
    tap_ok(right, "test_100_exchanges_are_answered");
}

static long ask(enum io_op op, void *buffer, size_t size)
{
    struct io_request request = { .op = op, .buffer = buffer, .size = size };
    int error = io_submit(share, &request);
    return error ? error : (long)io_wait(&request);
}

static void test_refused(void)
{
    struct talk *talk = &talks[0];
    tap_equal(ask(IO_OPEN, NULL, 0), 0, "test_open");
    tap_ok(ask(IO_READ, talk->answer, 16) == -ENOTSUP &&
               ask(IO_WRITE, talk->answer, 16) == -ENOTSUP && ask(IO_FLUSH, NULL, 0) == -ENOTSUP,
           "test_bytes_without_a_message_are_refused");
    getattr(talk, 1, ROOT);
    talk->exchange.out_count = 0;
    tap_equal(wait(talk), -EINVAL, "test_an_exchange_without_a_message_is_refused");
}

// A message that is whole, but means nothing.
static void test_wrong_messages(void)
{
    struct talk *talk = &talks[0];
    begin(talk, UNKNOWN, 9);
    finish(talk);
    tap_ok(wait(talk) == ERROR_BYTES && is_answer(talk, RLERROR),
           "test_a_message_of_no_known_type_is_answered_with_an_error");
    getattr(talk, 9, 77);
    tap_ok(wait(talk) == ERROR_BYTES && is_answer(talk, RLERROR),
           "test_a_fid_that_was_never_given_is_answered_with_an_error");
    getattr(talk, 9, ROOT);
    tap_equal(wait(talk), GETATTR_BYTES, "test_the_session_goes_on");
}

// Goal: a message that ends in the middle of a field comes to an error, its own and that of those
// in flight, and to nothing else. QEMU has the device ask for a reset then, so this is the last.
static void test_cut_short(void)
{
    bool right = true;
    for (unsigned i = 0; i < AT_ONCE; i++) {
        getattr(&talks[i], i, ROOT);
        if (i == AT_ONCE / 2)
            talks[i].exchange.out[0].size = HEADER + 2;
    }
    for (unsigned i = 0; i < AT_ONCE; i++)
        right &= io_submit(share, &talks[i].exchange.request) == 0;
    for (unsigned i = 0; i < AT_ONCE; i++) {
        long result = (long)io_wait(&talks[i].exchange.request);
        if (i == AT_ONCE / 2)
            right &= result == -EIO || result == ERROR_BYTES;
        else
            right &= result == -EIO || result == GETATTR_BYTES;
    }
    tap_ok(right, "test_a_message_that_is_cut_short_is_at_worst_an_io_error");
    getattr(&talks[0], 1, ROOT);
    long later = wait(&talks[0]);
    tap_ok(later == -EIO || later == GETATTR_BYTES, "test_so_are_those_after_it");
}

int main(void)
{
    tap_plan(19);
    if (!board_find("virtio"))
        return tap_skip_rest("this board has no virtio");
    share = device_find("9p/host");
    if (!tap_ok(share && share->calls, "test_the_share_is_there_by_its_mount_tag"))
        return tap_done();
    test_session();
    test_file();
    test_many();
    test_refused();
    test_wrong_messages();
    test_cut_short();
    return tap_done();
}
