/* A TOY, to show how a library of your own gets into pqdc. It is no signature scheme: everything that signing needs is in
 * the public key, so that whoever has that can sign. It only has the shape of one.
 *
 * Key:        32 bytes drawn at random, and their digest, which is the public key.
 * Signature:  a nonce of 16 bytes, and the digest of public key, nonce and message, 32 bytes.
 *
 * `randombytes` is declared and not defined, as in most submissions: pqdc supplies it.
 */
#include "api.h"
#include <stdint.h>
#include <string.h>

int randombytes(unsigned char *x, unsigned long long xlen);

/* Four FNV-1a sums with different starts, two rounds. Fast, and of no use against anybody. */
static void digest(uint8_t out[32], const uint8_t *first, size_t first_bytes, const uint8_t *second, size_t second_bytes,
                   const uint8_t *third, size_t third_bytes) {
	for (unsigned lane = 0; lane < 4; lane++) {
		uint64_t sum = 0xcbf29ce484222325u + lane * 0x9e3779b97f4a7c15u;
		for (int round = 0; round < 2; round++) {
			for (size_t i = 0; i < first_bytes; i++) {
				sum = (sum ^ first[i]) * 0x100000001b3u;
			}
			for (size_t i = 0; i < second_bytes; i++) {
				sum = (sum ^ second[i]) * 0x100000001b3u;
			}
			for (size_t i = 0; i < third_bytes; i++) {
				sum = (sum ^ third[i]) * 0x100000001b3u;
			}
			sum ^= sum >> 29;
		}
		memcpy(out + 8 * lane, &sum, 8);
	}
}

int crypto_sign_keypair(unsigned char *pk, unsigned char *sk) {
	randombytes(sk, 32);
	digest(pk, sk, 32, NULL, 0, NULL, 0);
	memcpy(sk + 32, pk, 32);
	return 0;
}

int crypto_sign(unsigned char *sm, unsigned long long *smlen, const unsigned char *m, unsigned long long mlen,
                const unsigned char *sk) {
	memmove(sm + CRYPTO_BYTES, m, mlen);
	randombytes(sm, 16);
	digest(sm + 16, sk + 32, 32, sm, 16, sm + CRYPTO_BYTES, mlen);
	*smlen = CRYPTO_BYTES + mlen;
	return 0;
}

int crypto_sign_open(unsigned char *m, unsigned long long *mlen, const unsigned char *sm, unsigned long long smlen,
                     const unsigned char *pk) {
	uint8_t wanted[32];
	if (smlen < CRYPTO_BYTES) {
		return -1;
	}
	digest(wanted, pk, 32, sm, 16, sm + CRYPTO_BYTES, smlen - CRYPTO_BYTES);
	if (memcmp(wanted, sm + 16, 32) != 0) {
		return -1;
	}
	*mlen = smlen - CRYPTO_BYTES;
	memmove(m, sm + CRYPTO_BYTES, *mlen);
	return 0;
}
