/* The toy of examples/own-scheme with one thing wrong, or another call interface: -DFAULT_... or -DSHAPE_... says which.
 * Compiled by tests/own/__init__.py.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define crypto_sign_keypair toy_keypair
#define crypto_sign toy_sign
#define crypto_sign_open toy_open
#include TOY
#undef crypto_sign_keypair
#undef crypto_sign
#undef crypto_sign_open

#ifndef PREFIX
#define PREFIX
#endif
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define NAME(name) JOIN(PREFIX, name)

#ifdef SHAPE_CONTEXT
#define CONTEXT , const unsigned char *context, size_t context_bytes
#define CHECK_CONTEXT                                                                                                  \
	if (context != NULL || context_bytes != 0) {                                                                       \
		return -1;                                                                                                     \
	}
#else
#define CONTEXT
#define CHECK_CONTEXT
#endif

typedef unsigned long long ull;
static volatile int *nowhere;

#ifdef OWN_RANDOMBYTES
int randombytes(unsigned char *x, ull xlen) {
	static unsigned char next = OWN_RANDOMBYTES;
	for (ull i = 0; i < xlen; i++) {
		x[i] = next++;
	}
	return 0;
}
#endif

#ifdef OWN_RANDOMBYTES_INIT
static ull state = 1;
void randombytes_init(unsigned char *entropy, unsigned char *personalization, int strength) {
	(void)personalization;
	memcpy(&state, entropy, 8);
	state ^= (ull)strength;
}
int randombytes(unsigned char *x, ull xlen) {
	for (ull i = 0; i < xlen; i++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		x[i] = (unsigned char)(state >> 56);
	}
	return 0;
}
#endif

#ifdef FAULT_CONSTRUCTOR
__attribute__((constructor)) static void begin(void) {
	raise(SIGSEGV);
}
#endif

#ifdef FAULT_UNRESOLVED
void keccak_of_somebody_else(void);
#endif

#ifdef SHAPE_SHORT_NAMES
#define KEYPAIR NAME(keypair)
#define SIGN NAME(signature)
#define VERIFY NAME(verify)
#else
#define KEYPAIR NAME(crypto_sign_keypair)
#define SIGN NAME(crypto_sign_signature)
#define VERIFY NAME(crypto_sign_verify)
#endif

int KEYPAIR(unsigned char *pk, unsigned char *sk) {
#ifdef FAULT_SEGFAULT_IN_KEYPAIR
	*nowhere = 1;
#endif
#ifdef FAULT_UNRESOLVED
	keccak_of_somebody_else();
#endif
#ifdef FAULT_FORKS
	if (fork() == 0) {
		sleep(1000);
		_exit(0);
	}
#endif
#ifdef FAULT_EVERY_FIFTH_KEY
	static int count;
	if (++count % 5 == 0) {
		return -1;
	}
#endif
#ifdef FAULT_AFTER_TWO_KEYS
	static int keys;
	if (++keys > 2) {
		return -1;
	}
#endif
#ifdef FAULT_KEYPAIR_FAILS
	return 7;
#endif
#ifdef FAULT_PRINTS
	static int lines = 50000; /* more than a megabyte of each */
	for (; lines > 0; lines--) {
		puts("debug: a line on standard output");
		fputs("debug: a line on standard error\n", stderr);
	}
	fflush(stdout);
#endif
	int status = toy_keypair(pk, sk);
#ifdef FAULT_PUBLIC_KEY_TOO_LONG
	memset(pk + CRYPTO_PUBLICKEYBYTES, 0x77, 9);
#endif
#ifdef FAULT_FAR_BEYOND
	memset(pk, 0x77, 1 << 20);
#endif
#ifdef FAULT_BEFORE_THE_START
	sk[-3] ^= 1;
#endif
#ifdef FAULT_SAME_KEY_EACH_TIME
	memset(sk, 1, 32);
	digest(pk, sk, 32, NULL, 0, NULL, 0);
	memcpy(sk + 32, pk, 32);
#endif
	return status;
}

#ifdef FAULT_MUCH_STACK
static int use_stack(void) {
	volatile char much[FAULT_MUCH_STACK];
	for (int i = 0; i < FAULT_MUCH_STACK; i += 512) {
		much[i] = 1;
	}
	return much[0];
}
#endif

static int sign(unsigned char *sm, ull *smlen, const unsigned char *m, ull mlen, const unsigned char *sk) {
#ifdef FAULT_SEGFAULT_IN_SIGN
	*nowhere = 1;
#endif
#ifdef FAULT_SEGFAULT_AT_THE_SIGNATURE
	static int count;
	if (++count == FAULT_SEGFAULT_AT_THE_SIGNATURE) {
		*nowhere = 1;
	}
#endif
#ifdef FAULT_HANG_IN_SIGN
	for (;;) {
		*(volatile char *)sm = 1;
	}
#endif
#ifdef FAULT_SLEEP_IN_SIGN
	for (;;) {
		sleep(1000);
	}
#endif
#ifdef FAULT_EXITS
	exit(3);
#endif
#ifdef FAULT_HEAP
	char *volatile heap = malloc(24);
	free(heap);
	free(heap);
#endif
#ifdef FAULT_MUCH_STACK
	use_stack();
#endif
#ifdef FAULT_EMPTY_MESSAGE
	if (mlen == 0) {
		return -1;
	}
#endif
#ifdef FAULT_WRITES_INTO_THE_KEY
	((unsigned char *)sk)[0]++;
#endif
#ifdef FAULT_SIGN_FAILS
	return -1;
#endif
	int status = toy_sign(sm, smlen, m, mlen, sk);
#ifdef FAULT_END_OF_MESSAGE
	if (mlen > 33) {
		digest(sm + 16, sk + 32, 32, sm, 16, sm + CRYPTO_BYTES, 32);
	}
#endif
#ifdef FAULT_EVERY_TWENTIETH
	static int count;
	sm[20] ^= ++count % 20 == 0;
#endif
#ifdef FAULT_DETERMINISTIC
	memset(sm, 0, 16);
	digest(sm + 16, sk + 32, 32, sm, 16, sm + CRYPTO_BYTES, mlen);
#endif
#ifdef FAULT_SIGNATURE_TOO_LONG
	memset(sm + *smlen, 0x77, 5);
#endif
#ifdef FAULT_LENGTH_IS_A_LIE
	*smlen += 3;
#endif
#ifdef FAULT_LENGTH_IS_ENORMOUS
	*smlen = ~0ull;
#endif
	return status;
}

static int open_(unsigned char *m, ull *mlen, const unsigned char *sm, ull smlen, const unsigned char *pk) {
#ifdef FAULT_SEGFAULT_IN_VERIFY
	*nowhere = 1;
#endif
#ifdef FAULT_HANG_IN_VERIFY
	for (;;) {
		sleep(1000);
	}
#endif
#ifdef FAULT_REJECTS_EVERYTHING
	return -1;
#endif
#ifdef FAULT_MALLEABLE
	unsigned char *copy = malloc(smlen);
	memcpy(copy, sm, smlen);
	digest(copy + 16, pk, 32, sm, 16, sm + CRYPTO_BYTES, smlen - CRYPTO_BYTES);
	copy[47] = sm[47]; /* the last byte of the signature is not looked at */
	int same = memcmp(copy, sm, smlen - 1 < 47 ? smlen - 1 : 47);
	memcpy(m, sm + CRYPTO_BYTES, *mlen = smlen - CRYPTO_BYTES);
	free(copy);
	return same;
#endif
#ifdef FAULT_END_OF_MESSAGE
	if (smlen > CRYPTO_BYTES + 33) { /* what comes after 32 bytes of a message is not looked at */
		unsigned char wanted[32];
		digest(wanted, pk, 32, sm, 16, sm + CRYPTO_BYTES, 32);
		memcpy(m, sm + CRYPTO_BYTES, *mlen = smlen - CRYPTO_BYTES);
		return memcmp(wanted, sm + 16, 32);
	}
#endif
#ifdef FAULT_ACCEPTS_EVERYTHING
	*mlen = smlen - CRYPTO_BYTES;
	memmove(m, sm + CRYPTO_BYTES, *mlen);
	return 0;
#endif
#ifdef FAULT_IGNORES_THE_KEY
	static const unsigned char one[32];
	(void)pk;
	return toy_open(m, mlen, sm, smlen, one);
#endif
	return toy_open(m, mlen, sm, smlen, pk);
}

#if defined(SHAPE_DETACHED) || defined(SHAPE_SIGNATURE_AND_OPEN)
int SIGN(unsigned char *sig, ull *siglen, const unsigned char *m, ull mlen CONTEXT, const unsigned char *sk) {
	CHECK_CONTEXT
	unsigned char *sm = malloc(CRYPTO_BYTES + mlen);
	ull smlen;
	int status = sign(sm, &smlen, m, mlen, sk);
	*siglen = smlen - mlen;
	memcpy(sig, sm, CRYPTO_BYTES);
	free(sm);
	return status;
}
#endif

#if defined(SHAPE_DETACHED) || defined(SHAPE_SIGN_AND_VERIFY)
int VERIFY(const unsigned char *sig, ull siglen, const unsigned char *m, ull mlen CONTEXT, const unsigned char *pk) {
	CHECK_CONTEXT
	unsigned char *sm = malloc(2 * (CRYPTO_BYTES + mlen)), *opened = sm + CRYPTO_BYTES + mlen;
	ull length = 0;
	memcpy(sm, sig, siglen);
	memcpy(sm + siglen, m, mlen);
	int status = open_(opened, &length, sm, siglen + mlen, pk);
	free(sm);
	return status;
}
#endif

#ifndef BEFORE
#define BEFORE 0 /* bytes of the signature that stand before the message */
#endif

#if !defined(SHAPE_DETACHED) && !defined(SHAPE_SIGNATURE_AND_OPEN)
int NAME(crypto_sign)(unsigned char *sm, ull *smlen, const unsigned char *m, ull mlen CONTEXT,
                      const unsigned char *sk) {
	CHECK_CONTEXT
#ifdef SHAPE_MESSAGE_RECOVERY
	unsigned char *own = malloc(CRYPTO_BYTES + mlen);
	int status = sign(own, smlen, m, mlen, sk);
	for (ull i = 0; i < *smlen; i++) {
		sm[i] = own[i] ^ 0x55;
	}
	free(own);
	return status;
#elif BEFORE
	unsigned char *own = malloc(CRYPTO_BYTES + mlen);
	int status = sign(own, smlen, m, mlen, sk);
	memcpy(sm, own, BEFORE);
	memcpy(sm + BEFORE, m, mlen);
	memcpy(sm + BEFORE + mlen, own + BEFORE, CRYPTO_BYTES - BEFORE);
	free(own);
	return status;
#elif defined(SHAPE_MESSAGE_FIRST)
	unsigned char *own = malloc(CRYPTO_BYTES + mlen);
	int status = sign(own, smlen, m, mlen, sk);
	memcpy(sm, m, mlen);
	memcpy(sm + mlen, own, CRYPTO_BYTES);
	free(own);
	return status;
#else
	return sign(sm, smlen, m, mlen, sk);
#endif
}
#endif

#if !defined(SHAPE_DETACHED) && !defined(SHAPE_SIGN_AND_VERIFY)
int NAME(crypto_sign_open)(unsigned char *m, ull *mlen, const unsigned char *sm, ull smlen CONTEXT,
                           const unsigned char *pk) {
	CHECK_CONTEXT
#if BEFORE || defined(SHAPE_MESSAGE_FIRST)
	unsigned char *own = malloc(smlen);
	ull length = smlen - CRYPTO_BYTES;
	memcpy(own, sm, BEFORE);
	memcpy(own + BEFORE, sm + BEFORE + length, CRYPTO_BYTES - BEFORE);
	memcpy(own + CRYPTO_BYTES, sm + BEFORE, length);
	int status = open_(m, mlen, own, smlen, pk);
	free(own);
	return status;
#else
	return open_(m, mlen, sm, smlen, pk);
#endif
}
#endif
