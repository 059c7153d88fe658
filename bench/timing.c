/* timing.c - see timing.h. */
#include "timing.h"

#include <stdlib.h>
#include <time.h>

enum { LEAST_ROUNDS = 7, MOST_ROUNDS = 1000 };

static double seconds_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void bench_compare(const bench_side *sides, int n, int threads, double seconds, bench_time *times)
{
    double(*sample)[MOST_ROUNDS] = calloc((size_t)n, sizeof *sample), begin = seconds_of(CLOCK_MONOTONIC);
    clockid_t clock = threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC;
    int rounds = 0;
    if (!sample) abort();
    for (int i = 0; i < n; i++) sides[i].run(sides[i].of);
    while (rounds < LEAST_ROUNDS || (rounds < MOST_ROUNDS && seconds_of(CLOCK_MONOTONIC) - begin < seconds)) {
        for (int i = 0; i < n; i++) {
            double start = seconds_of(clock);
            sides[i].run(sides[i].of);
            sample[i][rounds] = (seconds_of(clock) - start) / sides[i].count;
        }
        rounds++;
    }
    for (int i = 0; i < n; i++) {
        qsort(sample[i], (size_t)rounds, sizeof **sample, ascending);
        double median = sample[i][rounds / 2];
        times[i] = (bench_time){median, sample[i][0], (sample[i][3 * rounds / 4] - sample[i][rounds / 4]) / median};
    }
    free(sample);
}
