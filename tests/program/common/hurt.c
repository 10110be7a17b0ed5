/* Put before libav (LD_PRELOAD) by tests: harms whoever works on a file of a
 * telling name, as a fault in libav would. `probe-` does so where the file is
 * opened, `job-` where its pictures are encoded. With HURT_PROGRAM, a program
 * that opens any media itself, and not by a process that it started, is ended.
 * With HURT_CLOCK, the time of day jumps by a day each time that it is looked at. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The last byte stays 0. */
static char opened[8192];

void av_log(void *context, int level, const char *format, ...);

static int is_program;

__attribute__((constructor)) static void look(void) {
    is_program = getenv("HURT_PROGRAM") && !getenv("HURT_CHILD");
    setenv("HURT_CHILD", "1", 1);
}

static int harm(const char *when) {
    const char *how = strstr(opened, when);
    if (!how)
        return 0;
    how += strlen(when);
    if (!strncmp(how, "segfault", 8))
        *(volatile int *)0 = 1;
    if (!strncmp(how, "abort", 5))
        abort();
    if (!strncmp(how, "loop", 4))
        for (volatile int forever = 1; forever;)
            ;
    /* A fault that passes, in the middle of a part; and one that does not. */
    static int once, again;
    if (!strncmp(how, "once", 4)) {
        if (++once != 60)
            return 0;
        av_log(0, 16, "a fault that passes\n");
        return -ENOMEM;
    }
    if (!strncmp(how, "again", 5))
        return ++again >= 60 ? -ENOMEM : 0;
    if (!strncmp(how, "eat", 3))
        for (size_t size = 1 << 20;;) {
            char *more = malloc(size);
            if (!more) {
                av_log(0, 16, "Cannot allocate memory\n");
                return -ENOMEM;
            }
            memset(more, 1, size);
        }
    return 0;
}

int avformat_open_input(void **context, const char *url, const void *format, void **options) {
    int (*real)(void **, const char *, const void *, void **) = dlsym(RTLD_NEXT, "avformat_open_input");
    if (is_program)
        abort();
    strncpy(opened, url ? url : "", sizeof opened - 1);
    int harmed = harm("probe-");
    return harmed ? harmed : real(context, url, format, options);
}

int avcodec_send_frame(void *context, const void *frame) {
    int (*real)(void *, const void *) = dlsym(RTLD_NEXT, "avcodec_send_frame");
    int harmed = harm("job-");
    return harmed ? harmed : real(context, frame);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    static int looks;
    if (!real)
        real = dlsym(RTLD_NEXT, "clock_gettime");
    int told = real(clock, now);
    if (clock == CLOCK_REALTIME && getenv("HURT_CLOCK"))
        now->tv_sec += looks++ % 2 ? 86400 : -86400;
    return told;
}
