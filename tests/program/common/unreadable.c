/* Put before the C library (LD_PRELOAD) by tests: a disk or network drive that fails. Reads of a
 * file fail from its 200,000th byte to its 400,000th: always where its name holds `broken-disk`,
 * the first two times of each process where it holds `hiccup`, and only in the ffmpeg program
 * where it holds `program`. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int fails(int file) {
    static int hiccups;
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0)
        return 0;
    path[length] = 0;
    const char *name = strrchr(path, '/');
    off_t at = lseek(file, 0, SEEK_CUR);
    if (!name || strstr(name, "rushes-part") || at < 200000 || at > 400000)
        return 0;
    if (strstr(name, "hiccup"))
        return hiccups++ < 2;
    if (strstr(name, "program"))
        return !strcmp(program_invocation_short_name, "ffmpeg");
    return strstr(name, "broken-disk") != 0;
}

ssize_t read(int file, void *bytes, size_t count) {
    static ssize_t (*real)(int, void *, size_t);
    if (!real)
        real = (ssize_t (*)(int, void *, size_t))dlsym(RTLD_NEXT, "read");
    if (fails(file)) {
        errno = EIO;
        return -1;
    }
    return real(file, bytes, count);
}
