/* Linked into speed_sig: keys on cache lines, as the native loop has them (native/adapter.c). Where else malloc puts
 * them, UOV's key generation takes a tenth longer. */

#include <stddef.h>

enum { LINE = 64, LARGE = 4096 };

void *__libc_malloc(size_t size);
void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size) {
	return size < LARGE ? __libc_malloc(size) : __libc_memalign(LINE, size);
}
