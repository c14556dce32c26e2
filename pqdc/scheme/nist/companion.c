/* What pqdc lends to a library with NIST's call interface, in the process that loads it:
 *
 *   randombytes      where the library lacks it, as PQClean's and many a submission's do
 *   pqdc_nist_time   times a function of the library with nothing between the two readings of the clock
 *
 * Compiled by companion.py on first use. The loop does what native/adapter.c does for liboqs.
 */
#define _GNU_SOURCE /* CLOCK_MONOTONIC_RAW, getrandom */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/types.h>
#include <time.h>

#define EXPORT __attribute__((visibility("default")))

/* ---- Randomness: the system's, unless somebody else draws (to repeat known answers). */

typedef void (*drawer)(uint8_t *bytes, unsigned long long count);
static drawer draw;

EXPORT void pqdc_nist_draw(drawer other) {
	draw = other;
}

EXPORT int randombytes(uint8_t *bytes, unsigned long long count) {
	if (draw != NULL) {
		draw(bytes, count);
		return 0;
	}
	while (count > 0) {
		ssize_t got = getrandom(bytes, count < 256 ? count : 256, 0);
		if (got < 0) {
			abort(); /* who asked could not be told: many ignore what this returns */
		}
		bytes += got;
		count -= (unsigned long long)got;
	}
	return 0;
}

EXPORT int PQCLEAN_randombytes(uint8_t *bytes, size_t count) {
	return randombytes(bytes, count);
}

/* ---- The timing loop. */

typedef unsigned long long length_t;

typedef int sign_f(uint8_t *out, length_t *out_bytes, const uint8_t *m, length_t m_bytes, const uint8_t *sk);
typedef int verify_f(const uint8_t *s, length_t s_bytes, const uint8_t *m, length_t m_bytes, const uint8_t *pk);
typedef int open_f(uint8_t *m, length_t *m_bytes, const uint8_t *sm, length_t sm_bytes, const uint8_t *pk);

/* The same, where a context string stands behind the message. */
typedef int sign_ctx_f(uint8_t *out, length_t *out_bytes, const uint8_t *m, length_t m_bytes, const uint8_t *ctx,
                       length_t ctx_bytes, const uint8_t *sk);
typedef int verify_ctx_f(const uint8_t *s, length_t s_bytes, const uint8_t *m, length_t m_bytes, const uint8_t *ctx,
                         length_t ctx_bytes, const uint8_t *pk);
typedef int open_ctx_f(uint8_t *m, length_t *m_bytes, const uint8_t *sm, length_t sm_bytes, const uint8_t *ctx,
                       length_t ctx_bytes, const uint8_t *pk);

struct library {
	int (*keypair)(uint8_t *public_key, uint8_t *secret_key);
	sign_f *sign;
	verify_f *verify; /* one of these two is NULL */
	open_f *open;
	uint64_t sign_detached; /* whether `sign` is crypto_sign_signature, and not crypto_sign */
	uint64_t with_context;  /* whether they take a context string; it is empty */
	uint64_t offset;        /* how many bytes of the signature stand before the message in a signed message, */
	uint64_t from_end;      /* or, if this is set, after it */
	uint64_t public_key_bytes, secret_key_bytes, signature_bytes;
};

enum operation { KEYPAIR = 1, SIGN = 2, VERIFY = 3 };

enum outcome { DONE = 0, OUT_OF_MEMORY = -2, OPERATION_FAILED = -3, BAD_SIGNATURE = -4, WRONG_USE = -5 };

static int call_sign(const struct library *library, uint8_t *out, length_t *out_bytes, const uint8_t *m, length_t m_bytes,
                     const uint8_t *sk) {
	return library->with_context ? ((sign_ctx_f *)library->sign)(out, out_bytes, m, m_bytes, NULL, 0, sk)
	                             : library->sign(out, out_bytes, m, m_bytes, sk);
}

static int call_verify(const struct library *library, const uint8_t *s, length_t s_bytes, const uint8_t *m,
                       length_t m_bytes, const uint8_t *pk) {
	return library->with_context ? ((verify_ctx_f *)library->verify)(s, s_bytes, m, m_bytes, NULL, 0, pk)
	                             : library->verify(s, s_bytes, m, m_bytes, pk);
}

static int call_open(const struct library *library, uint8_t *m, length_t *m_bytes, const uint8_t *sm, length_t sm_bytes,
                     const uint8_t *pk) {
	return library->with_context ? ((open_ctx_f *)library->open)(m, m_bytes, sm, sm_bytes, NULL, 0, pk)
	                             : library->open(m, m_bytes, sm, sm_bytes, pk);
}

/* `count` equal places, each on a cache line of its own, all of it touched once: a first touch would be timed. */
struct shelf {
	uint8_t *bytes;
	size_t stride, size;
};

static bool reserve(struct shelf *shelf, size_t count, size_t length) {
	shelf->stride = (length + 127) / 64 * 64; /* a line more than needed: the library is not known to be tidy */
	if (count == 0 || count > SIZE_MAX / shelf->stride) {
		return false;
	}
	shelf->size = count * shelf->stride;
	shelf->bytes = aligned_alloc(64, shelf->size);
	if (shelf->bytes != NULL) {
		memset(shelf->bytes, 0x5a, shelf->size);
	}
	return shelf->bytes != NULL;
}

static uint8_t *place(const struct shelf *shelf, size_t i) {
	return shelf->bytes + i * shelf->stride;
}

static void release(struct shelf *shelf) {
	if (shelf->bytes != NULL) {
		explicit_bzero(shelf->bytes, shelf->size);
		free(shelf->bytes);
	}
}

static inline uint64_t now(void) {
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC_RAW, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static int time_keypair(const struct library *library, size_t samples, uint64_t *nanoseconds) {
	struct shelf public_key = {0}, secret_key = {0};
	int outcome = OUT_OF_MEMORY;
	if (reserve(&public_key, 1, library->public_key_bytes) && reserve(&secret_key, 1, library->secret_key_bytes)) {
		outcome = DONE;
	}
	for (size_t i = 0; outcome == DONE && i < samples; i++) {
		uint64_t start = now();
		int status = library->keypair(public_key.bytes, secret_key.bytes);
		nanoseconds[i] = now() - start;
		if (status != 0) {
			outcome = OPERATION_FAILED;
		}
	}
	release(&public_key);
	release(&secret_key);
	return outcome;
}

/* From what `sign` gives to what verifying takes, in place; false if it is not what a signature may be. */
static bool convert(const struct library *library, uint8_t *made, length_t *bytes, const uint8_t *message,
                    size_t message_bytes) {
	length_t own = library->sign_detached ? *bytes : *bytes - message_bytes;
	bool open = library->verify == NULL;
	if (own > library->signature_bytes || library->offset > own) {
		return false;
	}
	if (library->sign_detached != open) { /* crypto_sign with crypto_sign_open, or both of the others */
		return true;
	}
	size_t before = library->from_end ? own - library->offset : library->offset;
	uint8_t *gap = made + before;
	if (open) {
		memmove(gap + message_bytes, gap, own - before);
		memcpy(gap, message, message_bytes);
		*bytes = own + message_bytes;
	} else {
		memmove(gap, gap + message_bytes, own - before);
		*bytes = own;
	}
	return true;
}

/* Signs all, then verifies all; the caller gets the times of one of the two. So every signature that is timed is also
 * verified, and neither operation runs between two samples of the other and cools its cache. Where verifying is timed,
 * there is one signature for each distinct message, and they are taken in turn. */
static int time_signatures(const struct library *library, int operation, const uint8_t *messages,
                           size_t message_bytes, size_t distinct, size_t samples, size_t keys, uint64_t *nanoseconds) {
	const size_t made = operation == SIGN || samples < distinct ? samples : distinct;
	const size_t room = library->signature_bytes + message_bytes;
	struct shelf public_keys = {0}, secret_keys = {0}, signatures = {0}, opened = {0};
	length_t *lengths = calloc(made, sizeof *lengths);
	int outcome = OUT_OF_MEMORY;
	if (lengths == NULL || !reserve(&public_keys, keys, library->public_key_bytes)
	    || !reserve(&secret_keys, keys, library->secret_key_bytes) || !reserve(&signatures, made, room)
	    || !reserve(&opened, 1, room)) {
		goto end;
	}
	outcome = OPERATION_FAILED;
	for (size_t k = 0; k < keys; k++) {
		if (library->keypair(place(&public_keys, k), place(&secret_keys, k)) != 0) {
			goto end;
		}
	}
	for (size_t i = 0; i < made; i++) {
		const uint8_t *message = messages + i % distinct * message_bytes, *key = place(&secret_keys, i % keys);
		uint8_t *signature = place(&signatures, i);
		lengths[i] = library->sign_detached ? library->signature_bytes : room;
		uint64_t start = now();
		int status = call_sign(library, signature, &lengths[i], message, message_bytes, key);
		uint64_t end = now();
		if (status != 0 || !convert(library, signature, &lengths[i], message, message_bytes)) {
			goto end;
		}
		if (operation == SIGN) {
			nanoseconds[i] = end - start;
		}
	}
	outcome = BAD_SIGNATURE;
	for (size_t i = 0; i < samples; i++) {
		const size_t turn = i % made;
		const uint8_t *message = messages + turn % distinct * message_bytes, *key = place(&public_keys, turn % keys);
		const uint8_t *signature = place(&signatures, turn);
		length_t length = room;
		uint64_t start = now();
		int status = library->verify != NULL
		                 ? call_verify(library, signature, lengths[turn], message, message_bytes, key)
		                 : call_open(library, opened.bytes, &length, signature, lengths[turn], key);
		uint64_t end = now();
		if (status != 0) {
			goto end;
		}
		if (library->verify == NULL
		    && (length != message_bytes || memcmp(opened.bytes, message, message_bytes) != 0)) {
			goto end;
		}
		if (operation == VERIFY) {
			nanoseconds[i] = end - start;
		}
	}
	outcome = DONE;
end:
	release(&public_keys);
	release(&secret_keys);
	release(&signatures);
	release(&opened);
	free(lengths);
	return outcome;
}

/* Times one operation `samples` times. `messages` holds `distinct` messages of `message_bytes` each, which are taken in
 * turn, as are the keys; a keypair sample makes a key of its own. `nanoseconds` has room for `samples`, and means
 * nothing unless the outcome is DONE. */
EXPORT int pqdc_nist_time(const struct library *library, int operation, const uint8_t *messages, size_t message_bytes,
                          size_t distinct, size_t samples, size_t keys, uint64_t *nanoseconds) {
	if (operation < KEYPAIR || operation > VERIFY || distinct == 0 || samples == 0 || keys == 0) {
		return WRONG_USE;
	}
	return operation == KEYPAIR
	           ? time_keypair(library, samples, nanoseconds)
	           : time_signatures(library, operation, messages, message_bytes, distinct, samples, keys, nanoseconds);
}
