/* Both sides of agree.py have this malloc: what is large lies on cache lines, as keys do in the native loop
 * (native/adapter.c). Where else malloc puts them, UOV's key generation takes a tenth longer. */

#include <stddef.h>

enum { LINE = 64, LARGE = 4096 };

void *__libc_malloc(size_t size);
void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size) {
	return size < LARGE ? __libc_malloc(size) : __libc_memalign(LINE, size);
}
