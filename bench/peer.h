/*
 * peer.h - a peer that is a Python library: bench/peers.py in a process of its own, which solves when it is asked to.
 */
#ifndef LRNDE_BENCH_PEER_H
#define LRNDE_BENCH_PEER_H

#include "lrnde.h"

#include <stdio.h>
#include <sys/types.h>

enum { BENCH_PEER_SOLVES = 10 }; /* of a run: asking takes some microseconds */

typedef struct bench_peer {
    char folder[64], about[160]; /* about: library, versions, device; or why it is not there */
    pid_t process;               /* 0: it is not */
    FILE *to, *from;
    long long nfe;
} bench_peer;

/* Has it solve the same equation from the same states, u0 (batch, 784), as a solver of models/mnist_node.lua has to. */
void bench_peer_open(bench_peer *p, const char *library, lrnde_solver *s, const float *u0, double tolerance, double t1);
void bench_peer_close(bench_peer *p);

/* A side of a comparison, of BENCH_PEER_SOLVES. */
void bench_peer_solve(void *peer);

/* The largest difference of its solution, (n), from u1, over the largest of |u1|. */
double bench_peer_apart(const bench_peer *p, const float *u1, size_t n);

#endif
