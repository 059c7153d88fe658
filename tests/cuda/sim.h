/*
 * sim.h - CUDA C++ on a CPU, as far as the emitted kernels use it: the same text, executed and watched.
 *
 * A thread is a fiber, and the fibers of a block take turns: one runs until it waits, at a barrier of its block or at an
 * exchange of its warp, for one that has not got there.  The schedule says who is next:
 *
 *   SIM_ORDER=forward | reverse | skew:SEED     skew lets one warp run ahead as far as barriers allow, then another
 *
 * so that a result that depends on a barrier that is not there comes out wrong under one of them.  What ends the program
 * with a line on stderr and status SIM_FAULT: a wait that never ends (a barrier some thread misses), a barrier that threads
 * reach at different lines, an exchange of a warp some lane of which has returned, an access beyond the shared memory that a
 * launch asked for.  Blocks run one after another, or, in a cooperative launch, each on an operating system's thread of its own,
 * so that they can wait for each other, and those of a cluster reach each other's shared memory.
 *
 * Not found: what only weak memory shows, such as a fence that is missing.
 */
#ifndef TESTS_CUDA_SIM_H
#define TESTS_CUDA_SIM_H

#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <thread>
#include <vector>

#include <math.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef __x86_64__
#include <ucontext.h>
#endif

#define __global__
#define __device__
#define __forceinline__ inline
#define __noinline__    __attribute__((noinline))
#define __launch_bounds__(...)
#define __cluster_dims__(...)
#define __restrict__ __restrict
#define __shared__ static thread_local /* a block has a thread of the operating system to itself while it runs */

struct sim_index {
    unsigned x, y = 0, z = 0;
};
static thread_local sim_index threadIdx, blockIdx, blockDim, gridDim;

namespace sim {

enum { WARP = 32, STACK = 64 << 10, SIM_FAULT = 99 };

/* Where a fiber stands while another runs. */
#ifdef __x86_64__
struct context {
    void *stack_pointer;
};
extern "C" void sim_switch(void **from, void *to);
__asm__(".text\n.weak sim_switch\n.type sim_switch, @function\nsim_switch:\n"
        "  push %rbp\n  push %rbx\n  push %r12\n  push %r13\n  push %r14\n  push %r15\n"
        "  mov %rsp, (%rdi)\n  mov %rsi, %rsp\n"
        "  pop %r15\n  pop %r14\n  pop %r13\n  pop %r12\n  pop %rbx\n  pop %rbp\n  ret\n");
inline void prepare(context *c, char *stack, void (*entry)())
{
    void **top = reinterpret_cast<void **>(stack + STACK - 64);
    top[0] = reinterpret_cast<void *>(entry); /* "returned" to, with the stack as after a call */
    c->stack_pointer = top - 6;
}
inline void change(context *from, context *to)
{
    sim_switch(&from->stack_pointer, to->stack_pointer);
}
#else
struct context {
    ucontext_t u;
};
inline void prepare(context *c, char *stack, void (*entry)())
{
    getcontext(&c->u);
    c->u.uc_stack.ss_sp = stack;
    c->u.uc_stack.ss_size = STACK;
    c->u.uc_link = nullptr;
    makecontext(&c->u, entry, 0);
}
inline void change(context *from, context *to)
{
    swapcontext(&from->u, &to->u);
}
#endif

struct warp {
    int lanes, live;
    int arrived[WARP]; /* at an exchange of the group that begins at this lane */
    alignas(32) char given[WARP][32], taken[WARP][32];
};

/* What a fiber has begun to copy. */
struct copy {
    void *to;
    const void *from; /* null: zeros */
    size_t size;
};

struct fiber {
    context at;
    bool ready, done;
    std::vector<copy> copies;   /* that were not waited for */
    std::vector<size_t> groups; /* of them: where each ends */
};

/* What the blocks of a launch have in common. */
struct grid {
    unsigned blocks, threads;
    bool cooperative;
    unsigned cluster;    /* blocks of each; 1: there are none */
    size_t shared_bytes; /* that the launch asks for, of each block */
    std::vector<std::atomic<char *>> rooms;
    std::vector<std::atomic<unsigned>> met; /* by cluster: arrivals */

    grid(unsigned blocks, unsigned threads, bool cooperative, unsigned cluster = 1, size_t shared_bytes = 0)
        : blocks(blocks), threads(threads), cooperative(cooperative), cluster(cluster), shared_bytes(shared_bytes), rooms(blocks),
          met(blocks / cluster + 1)
    {
    }
};

/* The block that runs on this thread of the operating system. */
struct block {
    grid *of;
    char *room, *mapped; /* shared memory that the launch asked for, up to a page that is nobody's */
    size_t mapped_bytes;
    std::vector<fiber> fibers;
    std::vector<warp> warps;
    char *stacks;
    const std::function<void()> *kernel;
    context home;
    int current, live, waiting, line;
    char order;
    unsigned random;
    int favourite; /* warp, of a skewed schedule */
};
static thread_local block *b;

[[noreturn]] inline void fault(const char *what)
{
    fprintf(stderr, "sim: %s (block %u, thread %u)\n", what, blockIdx.x, threadIdx.x);
    _exit(SIM_FAULT);
}

/* Someone who can run in [first, last), looking from `from` on in the direction of the schedule; -1: nobody. */
inline int find(int first, int last, int from)
{
    const int n = last - first, step = b->order == 'r' ? n - 1 : 1;
    for (int i = 0, at = (from - first + n) % n; i < n; i++, at = (at + step) % n)
        if (b->fibers[first + at].ready) return first + at;
    return -1;
}

inline int choose()
{
    const int threads = (int)b->fibers.size(), warps = (int)b->warps.size();
    if (b->order != 's') return find(0, threads, b->current);
    for (int tries = 0; tries < 8 * warps; tries++) {
        const int first = b->favourite * WARP, next = find(first, first + b->warps[b->favourite].lanes, b->current);
        if (next >= 0) return next;
        b->random = b->random * 1664525u + 1013904223u;
        b->favourite = (int)((b->random >> 8) % (unsigned)warps);
    }
    return find(0, threads, 0);
}

/* Another fiber's turn; the block's owner's when all are done. */
inline void turn()
{
    fiber *was = &b->fibers[b->current];
    if (b->live == 0) change(&was->at, &b->home);
    const int next = choose();
    if (next < 0) fault("all threads wait: a barrier was missed by some");
    b->current = next;
    threadIdx.x = (unsigned)next;
    if (&b->fibers[next] != was) change(&was->at, &b->fibers[next].at);
}

inline void entry()
{
    (*b->kernel)();
    fiber *self = &b->fibers[b->current];
    self->done = true;
    self->ready = false;
    b->live--;
    b->warps[b->current / WARP].live--;
    if (b->waiting) fault("a thread returned while others wait at a barrier");
    turn();
    abort();
}

/* Waits until all of the block are here. */
inline void barrier(int line)
{
    const int threads = (int)b->fibers.size();
    if (b->live != threads) fault("a barrier after some thread returned");
    if (b->waiting && b->line != line) fault("threads wait at different barriers");
    b->line = line;
    if (++b->waiting == threads) {
        b->waiting = 0;
        for (fiber &f : b->fibers) f.ready = true;
    } else {
        b->fibers[b->current].ready = false;
    }
    turn(); /* the last to arrive need not be the first to leave */
}

/* Brings a value to the lanes of the mask, neighbours, a power of two: all of them are here when it returns. */
template <class number> void bring(unsigned mask, const number &x)
{
    static_assert(sizeof x <= sizeof b->warps[0].given[0], "too wide to exchange");
    warp *w = &b->warps[b->current / WARP];
    const int lane = b->current % WARP, n = __builtin_popcount(mask), first = lane / n * n;
    if (mask != (n == WARP ? ~0u : ((1u << n) - 1) << first))
        fault("only exchanges of neighbours are simulated, in groups of a power of two");
    for (int i = first; i < first + n; i++)
        if (b->fibers[b->current - lane + i].done) fault("an exchange with a lane that has returned");
    memcpy(w->given[lane], &x, sizeof x);
    if (++w->arrived[first] == n) {
        w->arrived[first] = 0;
        memcpy(w->taken[first], w->given[first], (size_t)n * sizeof w->given[0]);
        for (int i = first; i < first + n; i++) b->fibers[b->current - lane + i].ready = true;
    } else {
        b->fibers[b->current].ready = false;
        turn();
    }
}

/* What lane `from` of the warp brought; until this lane brings something again. */
template <class number> const number &brought(int from)
{
    return *reinterpret_cast<const number *>(b->warps[b->current / WARP].taken[from]);
}

template <class number> number exchange(unsigned mask, number x, int from)
{
    const int n = __builtin_popcount(mask);
    if (from / n != b->current % WARP / n) fault("an exchange with a lane that is not in the mask");
    bring(mask, x);
    return brought<number>(from);
}

/* Waits until all of the cluster are here. */
inline void cluster_meet(int line)
{
    grid *g = b->of;
    barrier(line);
    if (threadIdx.x == 0) {
        std::atomic<unsigned> &met = g->met[blockIdx.x / g->cluster];
        const unsigned all = met++ / g->cluster * g->cluster + g->cluster;
        while (met < all) sched_yield();
    }
    barrier(line);
}

/* Where another block of the cluster has what this one has at p. */
template <class number> const number *peer(const number *p, int rank)
{
    grid *g = b->of;
    const char *at = reinterpret_cast<const char *>(p);
    if (at < b->room || at >= b->room + g->shared_bytes) fault("a peer is asked for what is not in shared memory");
    return reinterpret_cast<const number *>(g->rooms[blockIdx.x / g->cluster * g->cluster + rank] + (at - b->room));
}

inline void make_room(block *self, size_t bytes)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), whole = (bytes + page - 1) / page * page;
    self->mapped_bytes = whole + page;
    self->mapped =
        static_cast<char *>(mmap(nullptr, self->mapped_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (self->mapped == MAP_FAILED || mprotect(self->mapped + whole, page, PROT_NONE)) fault("no shared memory");
    self->room = self->mapped + whole - bytes;
    memset(self->room, 0xff, bytes); /* NaN */
}

/* One block, from its first thread's start to its last one's end. */
inline void run_block(const std::function<void()> &kernel, grid *of, unsigned index)
{
    const char *order = getenv("SIM_ORDER");
    const unsigned blocks = of->blocks, threads = of->threads;
    block self;
    self.of = of;
    make_room(&self, of->shared_bytes);
    of->rooms[index] = self.room;
    self.order = order ? *order : 'f';
    self.random = order && strchr(order, ':') ? (unsigned)atoi(strchr(order, ':') + 1) + index : 1;
    self.fibers.resize(threads);
    self.warps.resize((threads + WARP - 1) / WARP);
    self.stacks =
        static_cast<char *>(mmap(nullptr, (size_t)threads * STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (self.stacks == MAP_FAILED) fault("no memory for stacks");
    self.kernel = &kernel;
    self.live = (int)threads;
    self.waiting = self.favourite = self.line = 0;
    for (unsigned i = 0; i < threads; i++) {
        prepare(&self.fibers[i].at, self.stacks + (size_t)i * STACK, entry);
        self.fibers[i].ready = true, self.fibers[i].done = false;
    }
    for (unsigned i = 0; i < self.warps.size(); i++) {
        warp *w = &self.warps[i];
        const int left = (int)threads - (int)i * WARP;
        w->lanes = w->live = left < WARP ? left : (int)WARP;
        memset(w->arrived, 0, sizeof w->arrived);
    }
    b = &self;
    blockIdx.x = index, gridDim.x = blocks, blockDim.x = threads;
    self.current = self.order == 'r' ? (int)threads - 1 : 0;
    threadIdx.x = (unsigned)self.current;
    change(&self.home, &self.fibers[self.current].at);
    munmap(self.stacks, (size_t)threads * STACK);
    munmap(self.mapped, self.mapped_bytes);
}

inline void launch(const std::function<void()> &kernel, grid g)
{
    if (!g.cooperative) {
        for (unsigned i = 0; i < g.blocks; i++) run_block(kernel, &g, i);
        return;
    }
    std::vector<std::thread> running;
    for (unsigned i = 0; i < g.blocks; i++) running.emplace_back(run_block, std::cref(kernel), &g, i);
    for (std::thread &t : running) t.join();
}

} // namespace sim

#define __syncthreads() sim::barrier(__LINE__)
#define __nanosleep(n)  sched_yield()
#define __threadfence() __atomic_thread_fence(__ATOMIC_SEQ_CST)
template <class number> number __shfl_xor_sync(unsigned mask, number given, int other)
{
    return sim::exchange(mask, given, (int)(threadIdx.x % 32) ^ other);
}
inline int __float_as_int(float x)
{
    int y;
    memcpy(&y, &x, sizeof y);
    return y;
}
inline float __int_as_float(int x)
{
    float y;
    memcpy(&y, &x, sizeof y);
    return y;
}
inline uint64_t atomicAdd(uint64_t *p, unsigned long long x)
{
    return __atomic_fetch_add(p, x, __ATOMIC_SEQ_CST);
}

#endif
