/* What one operation of liboqs takes besides time: stack, heap, randomness. A program of its own, made by
 * native/build.py beside the adapter: it counts what goes through malloc, which a library loaded later cannot do.
 *
 *   pqdc-account SCHEME keygen|sign|verify MILLISECONDS
 *
 * prints one line: the stack's and the heap's peak in bytes; then for each of one or more operations the bytes drawn
 * from the random generator, the nanoseconds that took, and the nanoseconds that all of it took.
 *
 * Stack: the operation runs on a thread whose stack was painted, and the lowest byte that has lost its paint counts,
 * from the frame that calls the operation on. Heap: the peak of what malloc and its kin have given out, as long as
 * malloc_usable_size says, less what was out before. Both of the first operation. Randomness: liboqs's generator is
 * replaced by one that asks the system in the same way, and is timed; the two clock readings are in its time.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

typedef struct {
	const char *method_name;
	const char *alg_version;
	uint8_t claimed_nist_level;
	bool euf_cma;
	bool suf_cma;
	bool sig_with_ctx_support;
	size_t length_public_key;
	size_t length_secret_key;
	size_t length_signature;
} OQS_SIG; /* as in adapter.c */

void OQS_init(void);
OQS_SIG *OQS_SIG_new(const char *name);
int OQS_SIG_keypair(const OQS_SIG *sig, uint8_t *public_key, uint8_t *secret_key);
int OQS_SIG_sign(const OQS_SIG *sig, uint8_t *signature, size_t *signature_bytes, const uint8_t *message,
                 size_t message_bytes, const uint8_t *secret_key);
int OQS_SIG_verify(const OQS_SIG *sig, const uint8_t *message, size_t message_bytes, const uint8_t *signature,
                   size_t signature_bytes, const uint8_t *public_key);
void OQS_randombytes_custom_algorithm(void (*draw)(uint8_t *, size_t));

/* ---- heap: glibc's own functions do the work */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *old);

static atomic_size_t out, peak;

static void *given(void *bytes) {
	if (bytes != NULL) {
		size_t now = atomic_fetch_add(&out, malloc_usable_size(bytes)) + malloc_usable_size(bytes);
		for (size_t before = peak; now > before && !atomic_compare_exchange_weak(&peak, &before, now);) {
		}
	}
	return bytes;
}

static void taken(void *bytes) {
	if (bytes != NULL) {
		atomic_fetch_sub(&out, malloc_usable_size(bytes));
	}
}

void *malloc(size_t size) {
	return given(__libc_malloc(size));
}

void *calloc(size_t count, size_t size) {
	return given(__libc_calloc(count, size));
}

void *realloc(void *old, size_t size) {
	size_t before = old == NULL ? 0 : malloc_usable_size(old);
	void *bytes = __libc_realloc(old, size);
	if (bytes != NULL || size == 0) {
		atomic_fetch_sub(&out, before);
	}
	return given(bytes);
}

void *memalign(size_t alignment, size_t size) {
	return given(__libc_memalign(alignment, size));
}

void *aligned_alloc(size_t alignment, size_t size) {
	return memalign(alignment, size);
}

int posix_memalign(void **bytes, size_t alignment, size_t size) {
	void *found = memalign(alignment, size);
	if (found == NULL) {
		return ENOMEM;
	}
	*bytes = found;
	return 0;
}

void free(void *old) {
	taken(old);
	__libc_free(old);
}

/* ---- randomness */

enum { LARGEST_DRAW = 256 }; /* of getentropy, which liboqs asks in pieces of this size */

static uint64_t drawn_bytes, drawn_ns;

static uint64_t now_ns(void) {
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC_RAW, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void draw(uint8_t *bytes, size_t count) {
	uint64_t start = now_ns();
	for (size_t done = 0; done < count;) {
		size_t some = count - done < LARGEST_DRAW ? count - done : LARGEST_DRAW;
		if (getentropy(bytes + done, some) != 0) {
			abort();
		}
		done += some;
	}
	drawn_bytes += count;
	drawn_ns += now_ns() - start;
}

/* ---- the operation, on a stack that was painted */

enum { STACK_BYTES = 16 << 20, PAINT = 0xa5, MESSAGE_BYTES = 130, MOST = 1000 };

struct work {
	const OQS_SIG *sig;
	const char *operation;
	uint8_t *public_key, *secret_key, *signature;
	size_t signature_bytes;
	uint8_t message[MESSAGE_BYTES];
	int status;
	uint8_t *frame;
	size_t out_before, heap_peak;
};

static __attribute__((noinline)) void operate(struct work *work) {
	const OQS_SIG *sig = work->sig;
	if (strcmp(work->operation, "keygen") == 0) {
		work->status = OQS_SIG_keypair(sig, work->public_key, work->secret_key);
	} else if (strcmp(work->operation, "sign") == 0) {
		work->status = OQS_SIG_sign(sig, work->signature, &work->signature_bytes, work->message, MESSAGE_BYTES,
		                            work->secret_key);
	} else {
		work->status = OQS_SIG_verify(sig, work->message, MESSAGE_BYTES, work->signature, work->signature_bytes,
		                              work->public_key);
	}
}

static void *on_thread(void *argument) {
	struct work *work = argument;
	work->frame = __builtin_frame_address(0);
	work->out_before = peak = out;
	operate(work);
	work->heap_peak = peak;
	return NULL;
}

/* Peak stack of one operation, 0 if that cannot be had; the heap's is in `work` then. */
static size_t stack_of(struct work *work) {
	uint8_t *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	pthread_attr_t attributes;
	pthread_t thread;
	if (stack == MAP_FAILED || pthread_attr_init(&attributes) != 0
	    || pthread_attr_setstack(&attributes, stack, STACK_BYTES) != 0) {
		return 0;
	}
	madvise(stack, STACK_BYTES, MADV_HUGEPAGE); /* where there are such pages: paint dries sooner */
	memset(stack, PAINT, STACK_BYTES);
	if (pthread_create(&thread, &attributes, on_thread, work) != 0) {
		return 0;
	}
	pthread_join(thread, NULL);
	uint8_t *lowest = stack;
	while (lowest < work->frame && *lowest == PAINT) {
		lowest++;
	}
	return (size_t)(work->frame - lowest);
}

static bool is_operation(const char *name) {
	return strcmp(name, "keygen") == 0 || strcmp(name, "sign") == 0 || strcmp(name, "verify") == 0;
}

int main(int count, char **arguments) {
	if (count != 4 || !is_operation(arguments[2])) {
		fprintf(stderr, "usage: pqdc-account SCHEME keygen|sign|verify MILLISECONDS\n");
		return 2;
	}
	OQS_init();
	struct work work = {.sig = OQS_SIG_new(arguments[1]), .operation = arguments[2]};
	if (work.sig == NULL) {
		fprintf(stderr, "this liboqs does not compute %s\n", arguments[1]);
		return 1;
	}
	work.public_key = malloc(work.sig->length_public_key);
	work.secret_key = malloc(work.sig->length_secret_key);
	work.signature = malloc(work.sig->length_signature);
	memset(work.message, 0x20, MESSAGE_BYTES);
	if (work.public_key == NULL || work.secret_key == NULL || work.signature == NULL) {
		return 1;
	}
	const char *wanted = work.operation;
	for (int i = 0; i < 2 && strcmp(wanted, i == 0 ? "keygen" : "sign") != 0; i++) { /* what it needs */
		work.operation = i == 0 ? "keygen" : "sign";
		operate(&work);
		if (work.status != 0) {
			return 1;
		}
	}
	work.operation = wanted;
	OQS_randombytes_custom_algorithm(draw);
	size_t stack = stack_of(&work);
	if (stack == 0 || work.status != 0) {
		return 1;
	}
	printf("%zu %zu", stack, work.heap_peak - work.out_before);
	static uint64_t all_ns[MOST], random_ns[MOST], random_bytes[MOST];
	uint64_t end = now_ns() + strtoul(arguments[3], NULL, 10) * 1000000u;
	int made = 0;
	do {
		drawn_bytes = drawn_ns = 0;
		uint64_t start = now_ns();
		operate(&work);
		all_ns[made] = now_ns() - start;
		random_ns[made] = drawn_ns;
		random_bytes[made++] = drawn_bytes;
	} while (work.status == 0 && made < MOST && now_ns() < end);
	for (int i = 0; i < made; i++) {
		printf(" %" PRIu64 " %" PRIu64 " %" PRIu64, random_bytes[i], random_ns[i], all_ns[i]);
	}
	printf("\n");
	return work.status == 0 ? 0 : 1;
}
