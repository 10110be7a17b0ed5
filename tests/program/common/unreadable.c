/* Put before the C library (LD_PRELOAD) by tests: a disk or network drive that fails. Reads of a
 * file fail from its 200,000th byte to its 400,000th: always where its name holds `broken-disk`,
 * the first two times of each process where it holds `hiccup`, and only in the ffmpeg program
 * where it holds `program`.
 *
 * In its sandbox, a worker cannot learn the name of a file that it was handed: the files in the
 * folder UNREADABLE_IN are looked up while a process starts. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum kind { NONE, BROKEN, HICCUP, PROGRAM };

static struct {
    dev_t disk;
    ino_t number;
    enum kind kind;
} files[64];
static int count;

static enum kind kind_of(const char *name) {
    if (strstr(name, "hiccup"))
        return HICCUP;
    if (strstr(name, "program"))
        return PROGRAM;
    return strstr(name, "broken-disk") ? BROKEN : NONE;
}

__attribute__((constructor)) static void look(void) {
    const char *folder = getenv("UNREADABLE_IN");
    DIR *entries = folder ? opendir(folder) : NULL;
    struct dirent *entry;
    while (entries && count < 64 && (entry = readdir(entries))) {
        char path[4096];
        struct stat data;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        enum kind kind = kind_of(entry->d_name);
        if (kind == NONE || stat(path, &data) || !S_ISREG(data.st_mode))
            continue;
        files[count].disk = data.st_dev;
        files[count].number = data.st_ino;
        files[count++].kind = kind;
    }
    if (entries)
        closedir(entries);
}

static enum kind kind_of_file(int file) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length > 0) {
        path[length] = 0;
        const char *name = strrchr(path, '/');
        return name && !strstr(name, "rushes-part") ? kind_of(name) : NONE;
    }
    struct stat data;
    if (fstat(file, &data))
        return NONE;
    for (int i = 0; i < count; i++)
        if (files[i].disk == data.st_dev && files[i].number == data.st_ino)
            return files[i].kind;
    return NONE;
}

static int fails(int file) {
    static int hiccups;
    off_t at = lseek(file, 0, SEEK_CUR);
    if (at < 200000 || at > 400000)
        return 0;
    switch (kind_of_file(file)) {
    case BROKEN:
        return 1;
    case HICCUP:
        return hiccups++ < 2;
    case PROGRAM:
        return !strcmp(program_invocation_short_name, "ffmpeg");
    default:
        return 0;
    }
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
