/* The program that BoGo's runner starts for each test: hands its arguments to the zygote and ends as that says.
 *
 * BOGO_SOCKET names the zygote's socket. To it: the arguments, each with its NUL, and the end of the stream.
 * From it: the exit status, one byte, and what is to be said on stderr. Without a zygote nothing is implemented.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { UNIMPLEMENTED = 89 };

static int fail(const char *what) {
    perror(what);
    return 1;
}

static int write_all(int fd, const char *data, size_t size) {
    while (size > 0) {
        ssize_t written = write(fd, data, size);
        if (written <= 0) return -1;
        data += written;
        size -= (size_t)written;
    }
    return 0;
}

int main(int count, char **arguments) {
    for (int i = 1; i < count; i++) {
        if (strcmp(arguments[i], "-is-handshaker-supported") == 0) {
            puts("No");
            return 0;
        }
    }
    const char *path = getenv("BOGO_SOCKET");
    if (path == NULL) return UNIMPLEMENTED;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        fputs("BOGO_SOCKET is too long\n", stderr);
        return 1;
    }
    strcpy(address.sun_path, path);
    int zygote = socket(AF_UNIX, SOCK_STREAM, 0);
    if (zygote < 0 || connect(zygote, (struct sockaddr *)&address, sizeof address)) return fail(path);
    for (int i = 1; i < count; i++) {
        if (write_all(zygote, arguments[i], strlen(arguments[i]) + 1)) return fail("writing to the zygote");
    }
    shutdown(zygote, SHUT_WR);

    unsigned char status;
    if (read(zygote, &status, 1) != 1) {
        fputs("the zygote's child died\n", stderr);
        return 1;
    }
    char text[4096];
    ssize_t size;
    while ((size = read(zygote, text, sizeof text)) > 0) {
        if (write_all(STDERR_FILENO, text, (size_t)size)) return 1;
    }
    return status;
}
