/*
 * network.h - the peer: y = W2 tanh(W1 x + b1) + b2 as one sgemm a layer, or nothing but its two sgemms ("bare").
 *
 * Each thread takes its part of the batch through the network with single-threaded products: no slower than the library's
 * own threads, and it does not leave them spinning into what is timed next.
 */
#ifndef LRNDE_BENCH_NETWORK_H
#define LRNDE_BENCH_NETWORK_H

#include "timing.h"

/* How samples lie in memory: a row each, or a column each. */
typedef enum bench_order { BENCH_ROWS, BENCH_COLUMNS } bench_order;

typedef struct bench_network {
    int batch, wide, narrow; /* x, y: wide; between: narrow.  Or the other way round */
    int threads, bare;
    int launches, evaluations; /* a run lets the threads start so often, each time for so many evaluations */
    bench_order order;
    float *w1, *b1, *w2, *b2, *x, *z, *y;
} bench_network;

void bench_network_open(bench_network *n); /* all but the arrays is filled in */
void bench_network_close(bench_network *n);
void bench_network_run(void *network); /* a side of a comparison */

#endif
