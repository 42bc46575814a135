// Messages of 9P2000.L: what is put together comes apart again, and nothing is believed of what a
// server sends but what is there.
// sources: fs/p9_message.c
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "fs/p9_message.h"
#include "tests/tap.h"

static uint8_t bytes[256];

static void test_writing(void)
{
    static const uint8_t expected[] = { 20,   0,    0,    0, 120, 0x34, 0x12, 0x78,
                                        0x56, 0x34, 0x12, 2, 0,   'a',  'b' };
    struct p9_writer writer;
    p9_begin(&writer, bytes, sizeof bytes, P9_TCLUNK, 0x1234);
    p9_put(&writer, 0x12345678, 4);
    p9_put_name(&writer, "ab", 2);
    tap_equal((long long)p9_end(&writer, 5), 15, "test_a_message_has_its_length");
    tap_ok(memcmp(bytes, expected, sizeof expected) == 0,
           "test_numbers_are_little_endian_and_the_size_counts_what_follows");

    memset(bytes, 0xc7, sizeof bytes);
    p9_begin(&writer, bytes, 10, P9_TCLUNK, 1);
    p9_put(&writer, 1, 4);
    tap_ok(p9_end(&writer, 0) == 0 && bytes[10] == 0xc7, "test_what_does_not_fit_is_not_sent");
    p9_begin(&writer, bytes, 12, P9_TCLUNK, 1);
    p9_put_name(&writer, "abcd", 4);
    tap_ok(p9_end(&writer, 0) == 0 && bytes[12] == 0xc7, "test_nor_is_a_name_that_does_not_fit");
    p9_begin(&writer, bytes, 13, P9_TCLUNK, 1);
    p9_put_name(&writer, "abcd", 4);
    tap_equal((long long)p9_end(&writer, 0), 13, "test_a_name_that_fits_exactly");
}

// A reply of `size` bytes to a Tclunk of tag 7, as many of which have come.
static int reply(struct p9_reader *reader, uint32_t size, uint8_t type, uint16_t tag,
                 size_t received)
{
    memcpy(bytes, &size, 4);
    bytes[4] = type;
    memcpy(bytes + 5, &tag, 2);
    return p9_reply(reader, bytes, sizeof bytes, received, P9_TCLUNK, 7);
}

static void test_replies(void)
{
    struct p9_reader reader;
    uint32_t number = 39;
    tap_ok(reply(&reader, 7, 121, 7, 7) == 0 && p9_complete(&reader), "test_a_reply_without_body");
    tap_ok(reply(&reader, 9, 121, 7, 9) == 0 && !p9_complete(&reader), "test_a_body_is_to_be_read");
    tap_ok(reply(&reader, 7, 121, 8, 7) == -EIO && reader.bad, "test_a_reply_to_another_tag");
    tap_ok(reply(&reader, 7, 119, 7, 7) == -EIO && reader.bad, "test_a_reply_to_another_message");
    tap_equal(reply(&reader, 8, 121, 7, 7), -EIO, "test_a_reply_that_has_not_come_as_a_whole");
    tap_equal(reply(&reader, 7, 121, 7, 8), -EIO, "test_a_reply_with_something_behind_it");
    tap_equal(reply(&reader, 6, 121, 7, 6), -EIO, "test_less_than_a_header");
    tap_equal(reply(&reader, 0, 0, 0, 0), -EIO, "test_nothing_has_come");
    memcpy(bytes + 7, &number, 4);
    tap_ok(reply(&reader, 11, 7, 7, 11) == -ENOTEMPTY && !reader.bad,
           "test_an_error_is_what_the_server_says");
    tap_equal(reply(&reader, 10, 7, 7, 10), -EIO, "test_an_error_without_its_number");
    tap_equal(reply(&reader, 12, 7, 7, 12), -EIO, "test_an_error_with_more_than_its_number");
}

static void test_reading(void)
{
    static const uint8_t text[] = { 3, 0, 'a', 'b', 'c', 9, 0, 'd' };
    struct p9_reader reader = { text, sizeof text, false };
    size_t length;
    const char *name = p9_get_name(&reader, &length);
    tap_ok(name == (const char *)text + 2 && length == 3, "test_a_name_stays_where_it_is");
    tap_ok(p9_get_name(&reader, &length) == NULL && reader.bad, "test_a_name_longer_than_the_rest");
    tap_ok(p9_get(&reader, 1) == 0 && !p9_complete(&reader),
           "test_nothing_more_is_read_after_that");
    reader = (struct p9_reader){ text, 7, false };
    tap_ok(p9_get(&reader, 8) == 0 && reader.bad, "test_a_number_that_is_not_all_there");
    reader = (struct p9_reader){ text, 8, false };
    tap_ok(p9_get(&reader, 8) == 0x6400096362610003 && p9_complete(&reader),
           "test_a_number_of_8_bytes");
}

static size_t put_status(uint64_t valid, uint32_t mode, uint64_t size, uint64_t seconds)
{
    struct p9_writer writer = { .bytes = bytes, .room = sizeof bytes };
    const uint64_t numbers[] = { 3, 0, size, 4096, 8, 0, 0, seconds, 7, 0, 0, 0, 0, 0, 0 };
    p9_put(&writer, valid, 8);
    p9_put(&writer, 0, 5);
    p9_put(&writer, 99, 8);
    p9_put(&writer, mode, 4);
    p9_put(&writer, 0, 8);
    for (unsigned i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        p9_put(&writer, numbers[i], 8);
    return writer.used;
}

static int get_status(size_t size, struct fs_status *status)
{
    struct p9_reader reader = { bytes, size, false };
    return p9_get_status(&reader, status);
}

static void test_status(void)
{
    struct fs_status status;
    size_t size = put_status(0x7ff, S_IFREG | 0644, 12345, 5);
    tap_equal((long long)size, 153, "test_getattr_has_153_bytes");
    tap_ok(get_status(size, &status) == 0 && status.mode == (S_IFREG | 0644) &&
               status.size == 12345 && status.inode == 99 && status.links == 3 &&
               status.modified_ns == 5000000007 && status.block_bytes == 4096,
           "test_each_number_of_a_status_is_in_its_place");
    tap_equal(get_status(size - 1, &status), -EIO, "test_a_status_that_ends_early");
    tap_equal(get_status(size + 1, &status), -EIO, "test_a_status_with_more_behind");
    size = put_status(0x1ff, S_IFREG, 1, 0);
    tap_equal(get_status(size, &status), -EIO, "test_a_status_without_a_size");
    size = put_status(0x7ff, S_IFREG, UINT64_C(1) << 63, 0);
    tap_equal(get_status(size, &status), -EIO, "test_a_size_that_no_file_has");
    size = put_status(0x7ff, S_IFREG, 1, UINT64_MAX / 2);
    tap_ok(get_status(size, &status) == 0 && status.modified_ns == 0,
           "test_a_date_that_cannot_be_is_none");
}

static size_t put_entry(size_t at, uint8_t qid_type, uint8_t type, const char *name, size_t length)
{
    struct p9_writer writer = { .bytes = bytes, .room = sizeof bytes, .used = at };
    p9_put(&writer, qid_type, 1);
    p9_put(&writer, 0, 4);
    p9_put(&writer, 42, 8);
    p9_put(&writer, 17, 8);
    p9_put(&writer, type, 1);
    p9_put_name(&writer, name, length);
    return writer.used;
}

static int get_entry(const char *name, size_t length, struct fs_entry *entry)
{
    struct p9_reader reader = { bytes, put_entry(0, 0, 8, name, length), false };
    return p9_get_entry(&reader, entry);
}

static void test_entries(void)
{
    struct fs_entry entry;
    size_t size = put_entry(put_entry(0, 0, 8, "abc", 3), 0x80, 0, "d", 1);
    struct p9_reader reader = { bytes, size, false };
    tap_ok(p9_get_entry(&reader, &entry) == 1 && strcmp(entry.name, "abc") == 0 &&
               entry.mode == S_IFREG && entry.cookie == 17 && entry.inode == 42,
           "test_an_entry");
    tap_ok(p9_get_entry(&reader, &entry) == 1 && strcmp(entry.name, "d") == 0 &&
               entry.mode == S_IFDIR,
           "test_the_qid_says_what_the_entry_does_not");
    tap_equal(p9_get_entry(&reader, &entry), 0, "test_no_entries_are_left");
    reader = (struct p9_reader){ bytes, size - 1, false };
    p9_get_entry(&reader, &entry);
    tap_equal(p9_get_entry(&reader, &entry), -EIO, "test_an_entry_that_ends_early");
    tap_equal(get_entry("", 0, &entry), -EIO, "test_no_entry_without_a_name");
    tap_equal(get_entry("a/b", 3, &entry), -EIO, "test_no_name_is_a_path");
    tap_equal(get_entry("a\0b", 3, &entry), -EIO, "test_no_name_has_an_end_inside");
}

static void test_translations(void)
{
    static const struct {
        uint32_t number;
        int error;
    } pairs[] = { { 1, EPERM },       { 2, ENOENT },        { 13, EACCES },       { 17, EEXIST },
                  { 18, EXDEV },      { 20, ENOTDIR },      { 21, EISDIR },       { 26, ETXTBSY },
                  { 28, ENOSPC },     { 30, EROFS },        { 36, ENAMETOOLONG }, { 38, ENOSYS },
                  { 39, ENOTEMPTY },  { 40, ELOOP },        { 75, EOVERFLOW },    { 95, ENOTSUP },
                  { 110, ETIMEDOUT }, { 115, EINPROGRESS }, { 116, ESTALE },      { 122, EDQUOT },
                  { 125, ECANCELED }, { 524, ENOTSUP } };
    bool right = true;
    for (unsigned i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        right &= p9_error(pairs[i].number) == -pairs[i].error;
    tap_ok(right, "test_linux_numbers_are_ours");
    tap_ok(p9_error(0) == -EIO && p9_error(15) == -EIO && p9_error(126) == -EIO &&
               p9_error(UINT32_MAX) == -EIO,
           "test_an_unknown_number_is_eio");
    tap_ok(p9_open_flags(O_RDWR | O_CREAT | O_EXCL | O_TRUNC | O_APPEND) == (2 | 01000) &&
               p9_open_flags(O_RDONLY | O_DIRECTORY) == 0200000,
           "test_flags_are_linuxes");
}

int main(void)
{
    tap_plan(38);
    test_writing();
    test_replies();
    test_reading();
    test_status();
    test_entries();
    test_translations();
    return tap_done();
}
