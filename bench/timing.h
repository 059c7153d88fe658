/* timing.h - times several things against each other in one run. */
#ifndef LRNDE_BENCH_TIMING_H
#define LRNDE_BENCH_TIMING_H

/* Something to time: run(of), which does it `count` times. */
typedef struct bench_side {
    void (*run)(void *of);
    void *of;
    int count;
} bench_side;

typedef struct bench_time {
    double median; /* seconds of doing it once */
    double least;
    double spread; /* interquartile range / median */
} bench_time;

/*
 * Runs the sides in turn, once to warm up and then for about `seconds` but at least 7 rounds, and gives the time of each.
 * What disturbs the machine meets all sides, and a median forgets the rounds it met.  Sides of one thread are timed by the
 * thread's own clock, which stops while something else has its core; sides of more by the wall's.
 */
void bench_compare(const bench_side *sides, int n, int threads, double seconds, bench_time *times);

#endif
