// SHA-256 of the demonstration against the examples that NIST publishes for FIPS 180-4, and against
// itself: a message has one digest, in whatever pieces it is added.
// sources: demos/sha256.c
#include <stdlib.h>
#include <string.h>

#include "demos/sha256.h"
#include "tests/host/fake/cpu_arch.h"
#include "tests/tap.h"

enum { MILLION = 1000000, LONGEST = 3 * SHA256_BLOCK_BYTES + 1 };

static bool digest_is(struct sha256 *hash, const char *expected)
{
    uint8_t digest[SHA256_DIGEST_BYTES];
    char text[SHA256_TEXT_BYTES];
    sha256_finish(hash, digest);
    sha256_text(digest, text);
    if (strcmp(text, expected) != 0)
        tap_note("got %s, expected %s", text, expected);
    return strcmp(text, expected) == 0;
}

static void check(const char *name, const char *message, const char *expected)
{
    struct sha256 hash;
    sha256_start(&hash);
    sha256_add(&hash, message, strlen(message));
    tap_ok(digest_is(&hash, expected), name);
}

static void test_published_messages(void)
{
    check("test_sha256_of_nothing", "",
          "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check("test_sha256_of_one_block", "abc",
          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check("test_sha256_padding_that_needs_a_second_block",
          "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    check("test_sha256_of_two_blocks",
          "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
          "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
          "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
}

// A million times 'a', once in one piece and once in pieces of a length that fits no block.
static void test_a_million_bytes(void)
{
    static const char expected[] =
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
    enum { ODD_PIECE = 997 };
    char *message = malloc(MILLION);
    struct sha256 hash;

    memset(message, 'a', MILLION);
    sha256_start(&hash);
    sha256_add(&hash, message, MILLION);
    tap_ok(digest_is(&hash, expected), "test_sha256_of_a_million_bytes");

    sha256_start(&hash);
    for (size_t at = 0; at < MILLION; at += ODD_PIECE)
        sha256_add(&hash, message + at, MILLION - at < ODD_PIECE ? MILLION - at : ODD_PIECE);
    tap_ok(digest_is(&hash, expected), "test_sha256_of_a_million_bytes_in_odd_pieces");
    free(message);
}

static void hash_in_two(const uint8_t *message, size_t size, size_t split,
                        uint8_t digest[SHA256_DIGEST_BYTES])
{
    struct sha256 hash;
    sha256_start(&hash);
    sha256_add(&hash, message, split);
    sha256_add(&hash, message + split, size - split);
    sha256_finish(&hash, digest);
}

// Every length up to three blocks, split at every position, from an address aligned to nothing:
// each must give the digest of the unsplit message. The message is a copy of its own, so that a
// read beyond it is found.
static void test_all_splits(void)
{
    unsigned wrong = 0;
    for (size_t size = 0; size <= LONGEST; size++) {
        uint8_t *message = malloc(size + 1), *odd = message + 1;
        uint8_t whole[SHA256_DIGEST_BYTES], parts[SHA256_DIGEST_BYTES];
        for (size_t i = 0; i < size; i++)
            odd[i] = (uint8_t)(i * 37 + size);
        hash_in_two(odd, size, size, whole);
        for (size_t split = 0; split <= size; split++) {
            hash_in_two(odd, size, split, parts);
            wrong += memcmp(whole, parts, sizeof whole) != 0;
        }
        free(message);
    }
    tap_equal(wrong, 0, "test_sha256_does_not_depend_on_how_the_message_is_split");
}

// Digests made by coreutils' sha256sum of size times 'a', around the lengths at which the padding
// changes.
static void test_padding_borders(void)
{
    static const struct {
        size_t size;
        const char *digest;
    } border[] = {
        { 55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318" },
        { 56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a" },
        { 63, "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34" },
        { 64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb" },
        { 65, "635361c48bb9eab14198e76ea8ab7f1a41685d6ad62aa9146d301d4f17eb0ae0" },
    };
    char message[SHA256_BLOCK_BYTES + 1];
    memset(message, 'a', sizeof message);
    for (size_t i = 0; i < sizeof border / sizeof *border; i++) {
        struct sha256 hash;
        char name[64];
        snprintf(name, sizeof name, "test_sha256_of_%zu_bytes", border[i].size);
        sha256_start(&hash);
        sha256_add(&hash, message, border[i].size);
        tap_ok(digest_is(&hash, border[i].digest), name);
    }
}

static void test_hashes_do_not_share_state(void)
{
    struct sha256 one, other;
    sha256_start(&one);
    sha256_start(&other);
    sha256_add(&one, "a", 1);
    sha256_add(&other, "", 0);
    sha256_add(&one, "bc", 2);
    bool right = digest_is(&one,
                           "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    right &= digest_is(&other, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    tap_ok(right, "test_sha256_two_hashes_at_a_time");
}

int main(void)
{
    tap_plan(13);
    test_published_messages();
    test_a_million_bytes();
    test_all_splits();
    test_padding_borders();
    test_hashes_do_not_share_state();
    return tap_done();
}
