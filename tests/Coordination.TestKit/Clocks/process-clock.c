/*
 * Preloaded into a process, it adds to its clocks what the file says that COORDINATION_CLOCK_OFFSET names: nanoseconds, as two
 * numbers of eight bytes, which may change at any time. The first is of the wall clock, which somebody sets. The second is of the
 * monotonic clock, which stood still while the machine was suspended; the timed waits of a .NET process go by that one. A third is
 * the moment at which the wall clock stands still, since 1970, and zero while it goes.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000LL

enum { wall, monotonic, standing, clocks };

static const int64_t none[clocks];
static const int64_t *offsets = none;

__attribute__((constructor)) static void map_offset(void)
{
    const char *path = getenv("COORDINATION_CLOCK_OFFSET");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *map = file < 0 ? MAP_FAILED : mmap(NULL, sizeof none, PROT_READ, MAP_SHARED, file, 0);
    if (map == MAP_FAILED)
    {
        /* Better no process than one whose clock nobody can set. */
        _exit(127);
    }

    close(file);
    offsets = map;
}

static void move(struct timespec *moment, int64_t by)
{
    int64_t nanoseconds = moment->tv_sec * SECOND + moment->tv_nsec + by;
    moment->tv_sec = nanoseconds / SECOND;
    moment->tv_nsec = nanoseconds % SECOND;
}

static int64_t offset_of(int clock)
{
    return __atomic_load_n(offsets + clock, __ATOMIC_RELAXED);
}

/* The kernel is asked directly: the process may want the time before its libraries are linked. */
int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
    {
        int64_t moment = offset_of(standing);
        if (moment)
            *now = (struct timespec){ 0 };

        move(now, moment ? moment : offset_of(wall));
    }
    if (result == 0 && (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_MONOTONIC_RAW))
        move(now, offset_of(monotonic));

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

int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex, const struct timespec *restrict until)
{
    static int (*wait)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
    struct timespec moment = *until;
    if (!wait)
        wait = (int (*)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *))dlsym(RTLD_NEXT, "pthread_cond_timedwait");

    /* The kernel knows its own clock alone. */
    move(&moment, -offset_of(monotonic));
    return wait(condition, mutex, &moment);
}
