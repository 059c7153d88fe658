/*
 * sim.cpp - an emitted .cu (KERNELS, a path in quotes) as a shared object whose kernels tests launch through sim.h.
 */
#include "sim.h"

#include KERNELS

extern "C" void sim_launch(void (*kernel)(lrnde_args), const void *args, int blocks, int threads)
{
    lrnde_args a;
    memcpy(&a, args, sizeof a);
    sim::launch([&] { kernel(a); }, (unsigned)blocks, (unsigned)threads, false);
}
