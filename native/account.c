/* What an operation of liboqs takes besides time: stack, heap, randomness. A program of its own, made by
 * native/build.py beside the adapter: it counts what goes through malloc, which a library loaded later cannot do.
 *
 *   pqdc-account SCHEME MILLISECONDS
 *
 * prints three lines for key generation, three for signing and three for verifying: the stack's and the heap's peak in
 * bytes; the bytes that each of one or more operations drew from the random generator, as many as there is time for;
 * and, in many samples, the nanoseconds that drawing them takes.
 *
 * Stack: the operation runs on a thread whose stack was painted, and the lowest byte that has lost its paint counts,
 * from the frame that calls the operation on. Heap: the peak of what malloc and its kin have given out, as long as
 * malloc_usable_size says, less what was out before. Both of the first operation. Randomness: liboqs's generator is
 * replaced by one that asks the system in the same way and remembers how much. Afterwards that is drawn again, piece by
 * piece, AT_ONCE times to a sample, as clocks may tick each 10 ns: within the operation, which may take a second, a draw
 * of a microsecond cannot be timed often enough, and finds the caches as the operation left them.
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

enum {
	LARGEST_DRAW = 256, /* of getentropy, which liboqs asks in pieces of this size */
	MOST_DRAWS = 1 << 16,
	AT_ONCE = 16,
};

static uint32_t draws[MOST_DRAWS];
static size_t drawn; /* how often, those included that were too many to remember */

static void ask(uint8_t *bytes, size_t count) {
	for (size_t done = 0; done < count;) {
		size_t some = count - done < LARGEST_DRAW ? count - done : LARGEST_DRAW;
		if (getentropy(bytes + done, some) != 0) {
			abort();
		}
		done += some;
	}
}

static void draw(uint8_t *bytes, size_t count) {
	ask(bytes, count);
	if (drawn < MOST_DRAWS) {
		draws[drawn] = (uint32_t)count;
	}
	drawn++;
}

static uint64_t now_ns(void) {
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC_RAW, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* Draw again what stands from `first` on, and before `end`; the nanoseconds that took once, 0 if that is nothing. */
static uint64_t draw_again(uint8_t *bytes, size_t first, size_t end) {
	if (first == end) {
		return 0;
	}
	uint64_t start = now_ns();
	for (int times = 0; times < AT_ONCE; times++) {
		for (size_t i = first; i < end; i++) {
			ask(bytes, draws[i]);
		}
	}
	return (now_ns() - start + AT_ONCE / 2) / AT_ONCE;
}

/* ---- the operation, on a stack that was painted */

enum { STACK_BYTES = 16 << 20, PAINT = 0xa5, MESSAGE_BYTES = 130, MOST = 1000, TIMES = 400, WARM = 20 };

struct work {
	const OQS_SIG *sig;
	enum operation { KEYGEN, SIGN, VERIFY, OPERATIONS } operation;
	uint8_t *public_key, *secret_key, *signature;
	size_t signature_bytes;
	uint8_t message[MESSAGE_BYTES];
	int status;
	uint8_t *frame;
	size_t out_before, heap_peak;
};

static __attribute__((noinline)) void operate(struct work *work) {
	const OQS_SIG *sig = work->sig;
	if (work->operation == KEYGEN) {
		work->status = OQS_SIG_keypair(sig, work->public_key, work->secret_key);
	} else if (work->operation == SIGN) {
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

/* Print the three lines of an operation, whose keys and signature those before it have made; whether that worked. */
static bool account_for(struct work *work, uint64_t nanoseconds) {
	static size_t ends[MOST + 1]; /* of each operation's draws; the first one's begin at 0 */
	size_t made = 0;
	uint64_t end = now_ns() + nanoseconds;
	drawn = 0;
	size_t stack = stack_of(work);
	ends[++made] = drawn;
	while (work->status == 0 && made < MOST && now_ns() < end && drawn + drawn / made < MOST_DRAWS) {
		operate(work);
		ends[++made] = drawn;
	}
	if (stack == 0 || work->status != 0) {
		return false;
	}
	if (drawn > MOST_DRAWS) {
		fprintf(stderr, "too many draws to remember\n");
		return false;
	}
	printf("%zu %zu\n", stack, work->heap_peak - work->out_before);
	uint32_t largest = 0;
	for (size_t i = 0; i < made; i++) {
		uint64_t bytes = 0;
		for (size_t j = ends[i]; j < ends[i + 1]; j++) {
			bytes += draws[j];
			largest = draws[j] > largest ? draws[j] : largest;
		}
		printf("%" PRIu64 " ", bytes);
	}
	printf("\n");
	uint8_t *bytes = malloc(largest + 1);
	if (bytes == NULL) {
		return false;
	}
	for (size_t i = 0; i < WARM + TIMES; i++) {
		uint64_t took = draw_again(bytes, ends[i % made], ends[i % made + 1]);
		if (i >= WARM) {
			printf("%" PRIu64 " ", took);
		}
	}
	printf("\n");
	free(bytes);
	return true;
}

int main(int count, char **arguments) {
	if (count != 3) {
		fprintf(stderr, "usage: pqdc-account SCHEME MILLISECONDS\n");
		return 2;
	}
	OQS_init();
	OQS_randombytes_custom_algorithm(draw);
	struct work work = {.sig = OQS_SIG_new(arguments[1])};
	if (work.sig == NULL) {
		fprintf(stderr, "this liboqs does not compute %s\n", arguments[1]);
		return 1;
	}
	work.public_key = malloc(work.sig->length_public_key);
	work.secret_key = malloc(work.sig->length_secret_key);
	work.signature = malloc(work.sig->length_signature);
	memset(work.message, 0x20, MESSAGE_BYTES);
	bool well = work.public_key != NULL && work.secret_key != NULL && work.signature != NULL;
	for (work.operation = KEYGEN; well && work.operation < OPERATIONS; work.operation++) {
		well = account_for(&work, strtoul(arguments[2], NULL, 10) * 1000000u);
	}
	return well ? 0 : 1;
}
