// SHA-256 (FIPS 180-4), fed in pieces of any size.
//     struct sha256 hash;
//     sha256_start(&hash);
//     sha256_add(&hash, "abc", 3);
//     sha256_finish(&hash, digest);
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
    SHA256_BLOCK_BYTES = 64,
    SHA256_DIGEST_BYTES = 32,
    SHA256_TEXT_BYTES = 2 * SHA256_DIGEST_BYTES + 1, // Hexadecimal, with its final zero.
};

struct sha256 {
    uint32_t state[8];
    uint64_t size_bytes;               // Added so far.
    uint8_t block[SHA256_BLOCK_BYTES]; // Its first size_bytes % SHA256_BLOCK_BYTES wait for more.
};

// Begins a new hash.
// Context: any, as all of these: they touch nothing but their arguments.
void sha256_start(struct sha256 *hash);

// Adds size bytes. Whole blocks are hashed where they lie, only an incomplete one is copied.
void sha256_add(struct sha256 *hash, const void *data, size_t size);

// Pads the message and writes the digest. The hash must be started again before its next use.
void sha256_finish(struct sha256 *hash, uint8_t digest[SHA256_DIGEST_BYTES]);

// Writes a digest in lower-case hexadecimal, as sha256sum prints it.
void sha256_text(const uint8_t digest[SHA256_DIGEST_BYTES], char text[SHA256_TEXT_BYTES]);
