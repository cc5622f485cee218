// Loaded before the daemon's own libraries: the clock that users set is off by CLOCK_OFF_S seconds. All other clocks, and all
// timers, stay what they are.
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = (int)syscall(SYS_clock_gettime, clock, now);
    const char *off = getenv("CLOCK_OFF_S");
    if (!failed && clock == CLOCK_REALTIME && off)
        now->tv_sec += atol(off);
    return failed;
}
