/*
 * Preloaded into a process, it adds to the wall clock what the file says that COORDINATION_CLOCK_OFFSET names: nanoseconds, as a
 * number of eight bytes, which may change at any time. The monotonic clock stays as it is, as it does when somebody sets a clock.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000LL

static const int64_t none = 0;
static const int64_t *offset = &none;

__attribute__((constructor)) static void map_offset(void)
{
    const char *path = getenv("COORDINATION_CLOCK_OFFSET");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *map = file < 0 ? MAP_FAILED : mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
    if (map == MAP_FAILED)
    {
        /* Better no process than one whose clock nobody can set. */
        _exit(127);
    }

    close(file);
    offset = map;
}

/* The kernel is asked directly: the process may want the time before its libraries are linked. */
int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
    {
        int64_t moment = now->tv_sec * SECOND + now->tv_nsec + __atomic_load_n(offset, __ATOMIC_RELAXED);
        now->tv_sec = moment / SECOND;
        now->tv_nsec = moment % SECOND;
    }

    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec moment;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &moment);
    now->tv_sec = moment.tv_sec;
    now->tv_usec = moment.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now)
{
    struct timespec moment;
    clock_gettime(CLOCK_REALTIME, &moment);
    if (now)
    {
        *now = moment.tv_sec;
    }

    return moment.tv_sec;
}
