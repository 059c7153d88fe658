/*
 * sha256.c - SHA-256 (FIPS 180-4) of a block of memory: names the input in generated files.
 *
 * The standard defines its constants as the first 32 bits of the fractional parts of the square and cube roots of the
 * first primes, and that is how they are made here.
 */
#include "host/host.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { ROUNDS = 64, BLOCK = 64 };

static uint32_t fraction(double x)
{
    return (uint32_t)((x - floor(x)) * 0x1p32);
}

static void constants(uint32_t state[8], uint32_t key[ROUNDS])
{
    int found = 0;
    for (int n = 2; found < ROUNDS; n++) {
        bool prime = true;
        for (int d = 2; d * d <= n; d++) prime = prime && n % d != 0;
        if (!prime) continue;
        if (found < 8) state[found] = fraction(sqrt(n));
        key[found++] = fraction(cbrt(n));
    }
}

static uint32_t rotate(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

static void absorb(uint32_t state[8], const uint32_t key[ROUNDS], const unsigned char block[BLOCK])
{
    uint32_t w[ROUNDS];
    for (int i = 0; i < 16; i++)
        w[i] =
            (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 | (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    for (int i = 16; i < ROUNDS; i++) {
        uint32_t a = w[i - 15], b = w[i - 2];
        w[i] = w[i - 16] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) + w[i - 7] + (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
    }
    uint32_t s[8];
    memcpy(s, state, sizeof s);
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t choose = (s[4] & s[5]) ^ (~s[4] & s[6]), majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
        uint32_t t1 = s[7] + (rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25)) + choose + key[i] + w[i];
        uint32_t t2 = (rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22)) + majority;
        memmove(s + 1, s, 7 * sizeof *s);
        s[4] += t1;
        s[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++) state[i] += s[i];
}

void sha256(const void *data, size_t length, char hex[65])
{
    uint32_t state[8], key[ROUNDS];
    constants(state, key);
    const unsigned char *bytes = data;
    size_t whole = length / BLOCK * BLOCK, rest = length - whole;
    for (size_t i = 0; i < whole; i += BLOCK) absorb(state, key, bytes + i);

    /* the padding: a one bit, zeros, and the length in bits, big-endian, at the end of a block */
    unsigned char tail[2 * BLOCK] = {0};
    size_t padded = rest + 9 <= BLOCK ? BLOCK : 2 * BLOCK;
    memcpy(tail, bytes + whole, rest);
    tail[rest] = 0x80;
    for (int i = 0; i < 8; i++) tail[padded - 1 - i] = (unsigned char)((uint64_t)length * 8 >> 8 * i);
    for (size_t i = 0; i < padded; i += BLOCK) absorb(state, key, tail + i);

    for (int i = 0; i < 8; i++) sprintf(hex + 8 * i, "%08x", (unsigned)state[i]);
}
