/* What pqdc adds to liboqs, compiled by native/build.py into libpqdc-oqs.so, which is loaded in its place:
 *
 *   OQS_SIG_supports_ctx_str   liboqs-python 0.16 looks it up at import; liboqs before 0.14 lacks it
 *   pqdc_time                  times keypair, sign or verify with no Python between the two readings of the clock, or
 *                              counts what a perf event counts
 *
 * The few declarations below stand for <oqs/oqs.h>, so that there is one way to compile this: a distribution's
 * liboqs often comes without headers. The layout is the one that liboqs-python itself relies on.
 * When what this file exports changes, raise ADAPTER_ABI in liboqs_library.py.
 */
#define _GNU_SOURCE /* CLOCK_MONOTONIC_RAW */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

typedef struct {
	const char *method_name;
	const char *alg_version;
	uint8_t claimed_nist_level;
	bool euf_cma;
	bool suf_cma;              /* before 0.13 this byte and the next mean something else, or nothing; */
	bool sig_with_ctx_support; /* the lengths stand at the same offset in every version from 0.10 on */
	size_t length_public_key;
	size_t length_secret_key;
	size_t length_signature;
	/* then function pointers, which only liboqs reads */
} OQS_SIG;

const char *OQS_version(void);
void OQS_init(void);
OQS_SIG *OQS_SIG_new(const char *name);
void OQS_SIG_free(OQS_SIG *sig);
int OQS_SIG_keypair(const OQS_SIG *sig, uint8_t *public_key, uint8_t *secret_key);
int OQS_SIG_sign(const OQS_SIG *sig, uint8_t *signature, size_t *signature_bytes, const uint8_t *message,
                 size_t message_bytes, const uint8_t *secret_key);
int OQS_SIG_verify(const OQS_SIG *sig, const uint8_t *message, size_t message_bytes, const uint8_t *signature,
                   size_t signature_bytes, const uint8_t *public_key);
void OQS_MEM_cleanse(void *bytes, size_t count);

#ifdef PQDC_ADD_SUPPORTS_CTX_STR
EXPORT bool OQS_SIG_supports_ctx_str(const char *name) {
	int major = 0, minor = 0;
	if (sscanf(OQS_version(), "%d.%d", &major, &minor) != 2 || (major == 0 && minor < 13)) {
		return false;
	}
	OQS_SIG *sig = OQS_SIG_new(name);
	bool answer = sig != NULL && sig->sig_with_ctx_support;
	OQS_SIG_free(sig);
	return answer;
}
#endif

enum operation { EMPTY = 0, KEYPAIR = 1, SIGN = 2, VERIFY = 3 };

enum outcome {
	DONE = 0,
	UNKNOWN_SCHEME = -1,
	OUT_OF_MEMORY = -2,
	OPERATION_FAILED = -3,
	BAD_SIGNATURE = -4,
	WRONG_USE = -5,
};

/* `count` equal places for keys or signatures, each on a cache line of its own, all of it touched once: a first
 * touch is a page fault, and would be timed. (Not with zeros: compilers turn that into an untouched calloc.) */
struct shelf {
	uint8_t *bytes;
	size_t stride;
	size_t size;
};

static bool reserve(struct shelf *shelf, size_t count, size_t length) {
	shelf->stride = (length + 63) / 64 * 64;
	if (count == 0 || shelf->stride == 0 || count > SIZE_MAX / shelf->stride) {
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

/* Cleansed and freed, secret or not. (OQS_MEM_secure_free would pair with liboqs' allocator, which 0.10 hides.) */
static void release(struct shelf *shelf) {
	if (shelf->bytes != NULL) {
		OQS_MEM_cleanse(shelf->bytes, shelf->size);
		free(shelf->bytes);
	}
}

/* The clock, in nanoseconds; or the value of a perf event, if `counter` is its file descriptor and not negative. */
static inline uint64_t now(int counter) {
	uint64_t value = 0;
	if (counter >= 0) {
		return read(counter, &value, sizeof value) == (ssize_t)sizeof value ? value : 0;
	}
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC_RAW, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static int time_keypair(const OQS_SIG *sig, size_t samples, int counter, uint64_t *readings) {
	struct shelf public_key = {0}, secret_key = {0};
	int outcome = OUT_OF_MEMORY;
	if (!reserve(&public_key, 1, sig->length_public_key) || !reserve(&secret_key, 1, sig->length_secret_key)) {
		goto end;
	}
	outcome = OPERATION_FAILED;
	for (size_t i = 0; i < samples; i++) {
		uint64_t start = now(counter);
		int status = OQS_SIG_keypair(sig, public_key.bytes, secret_key.bytes);
		readings[i] = now(counter) - start;
		if (status != 0) {
			goto end;
		}
	}
	outcome = DONE;
end:
	release(&public_key);
	release(&secret_key);
	return outcome;
}

/* Signs all, then verifies all; the caller gets the times of one of the two. So every signature that is timed is also
 * verified, and neither operation runs between two samples of the other and cools its cache. Where verifying is timed,
 * there is one signature for each distinct message, and they are taken in turn. */
static int time_signatures(const OQS_SIG *sig, int operation, const uint8_t *messages, size_t message_bytes,
                           size_t distinct, size_t samples, size_t keys, int counter,
                           uint64_t *readings) {
	const size_t made = operation == SIGN || samples < distinct ? samples : distinct;
	struct shelf public_keys = {0}, secret_keys = {0}, signatures = {0};
	size_t *lengths = calloc(made, sizeof *lengths);
	int outcome = OUT_OF_MEMORY;
	if (lengths == NULL || !reserve(&public_keys, keys, sig->length_public_key)
	    || !reserve(&secret_keys, keys, sig->length_secret_key)
	    || !reserve(&signatures, made, sig->length_signature)) {
		goto end;
	}
	outcome = OPERATION_FAILED;
	for (size_t k = 0; k < keys; k++) {
		if (OQS_SIG_keypair(sig, place(&public_keys, k), place(&secret_keys, k)) != 0) {
			goto end;
		}
	}
	for (size_t i = 0; i < made; i++) {
		const uint8_t *message = messages + i % distinct * message_bytes, *key = place(&secret_keys, i % keys);
		uint8_t *signature = place(&signatures, i);
		uint64_t start = now(counter);
		int status = OQS_SIG_sign(sig, signature, &lengths[i], message, message_bytes, key);
		uint64_t end = now(counter);
		if (status != 0) {
			goto end;
		}
		if (operation == SIGN) {
			readings[i] = end - start;
		}
	}
	outcome = BAD_SIGNATURE;
	for (size_t i = 0; i < samples; i++) {
		const size_t turn = i % made;
		const uint8_t *message = messages + turn % distinct * message_bytes, *key = place(&public_keys, turn % keys);
		const uint8_t *signature = place(&signatures, turn);
		uint64_t start = now(counter);
		int status = OQS_SIG_verify(sig, message, message_bytes, signature, lengths[turn], key);
		uint64_t end = now(counter);
		if (status != 0) {
			goto end;
		}
		if (operation == VERIFY) {
			readings[i] = end - start;
		}
	}
	outcome = DONE;
end:
	release(&public_keys);
	release(&secret_keys);
	release(&signatures);
	free(lengths);
	return outcome;
}

/* Times one operation `samples` times. `messages` holds `distinct` messages of `message_bytes` each, which are taken in
 * turn, as are the keys; a keypair sample makes a key of its own. `readings` has room for `samples`: nanoseconds, or what
 * `counter` counts, if it is not negative. They mean nothing unless the outcome is DONE. */
EXPORT int pqdc_time(const char *scheme, int operation, const uint8_t *messages, size_t message_bytes, size_t distinct,
                     size_t samples, size_t keys, int counter, uint64_t *readings) {
	if (operation == EMPTY) {
		for (size_t i = 0; i < samples; i++) {
			uint64_t start = now(counter);
			readings[i] = now(counter) - start;
		}
		return DONE;
	}
	if (operation < EMPTY || operation > VERIFY || distinct == 0 || samples == 0 || keys == 0) {
		return WRONG_USE;
	}
	OQS_init();
	OQS_SIG *sig = OQS_SIG_new(scheme);
	if (sig == NULL) {
		return UNKNOWN_SCHEME;
	}
	int outcome = operation == KEYPAIR
	                  ? time_keypair(sig, samples, counter, readings)
	                  : time_signatures(sig, operation, messages, message_bytes, distinct, samples, keys, counter, readings);
	OQS_SIG_free(sig);
	return outcome;
}
