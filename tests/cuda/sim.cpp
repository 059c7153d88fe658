/*
 * sim.cpp - an emitted .cu (KERNELS, a path in quotes) as a shared object whose kernels tests launch through sim.h.
 */
#include "instructions.h"

struct lrnde_course; /* texts without a run kernel do not define it */

#include KERNELS

extern "C" const int sim_tile_threads, sim_shared_threads;
const int sim_tile_threads = T * TEAM, sim_shared_threads = MOST_THREADS; /* the launch bounds */

extern "C" void sim_launch_tile(void (*kernel)(const char *, int64_t, int64_t), const void *list, int64_t n, int64_t stride,
                                int blocks, int threads)
{
    sim::launch([&] { kernel((const char *)list, n, stride); }, {(unsigned)blocks, (unsigned)threads, false});
}

extern "C" void sim_launch_shared(void (*kernel)(const lrnde_args *), const lrnde_args *args, int blocks, int threads)
{
    sim::launch([&] { kernel(args); }, {(unsigned)blocks, (unsigned)threads, false});
}

extern "C" void sim_launch_run(void (*kernel)(lrnde_args, lrnde_course *), const void *args, lrnde_course *course, int blocks,
                               int threads, int cluster, int shared_bytes)
{
    lrnde_args a;
    memcpy(&a, args, sizeof a);
    sim::launch([&] { kernel(a, course); }, {(unsigned)blocks, (unsigned)threads, true, (unsigned)cluster, (size_t)shared_bytes});
}
