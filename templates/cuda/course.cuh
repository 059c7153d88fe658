/* How far a course (kernel.h) has come, known to whoever follows it. */
typedef struct lrnde_progress {
    double t, next, e_old, h, E, h_1, h_2;
    int64_t accepted, rejected;
    int32_t slot, over, took; /* took: the last step was accepted */
} lrnde_progress;

static __device__ inline lrnde_progress lrnde_begin(const lrnde_course *c)
{
    lrnde_progress p = {c->now, c->next, c->e_old, 0, 0, c->past[0], c->past[1], 0, 0, c->slot, 0, 0};
    return p;
}

static __device__ inline bool lrnde_goes_on(const lrnde_course *c, const lrnde_progress *p)
{
    return p->t != c->t1 && !p->over && (c->look - p->t) * copysign(1.0, c->t1 - p->t) > 0 && p->slot < c->slots &&
           p->accepted + p->rejected < c->most;
}

/* Where a step from this slot ends. */
static __device__ inline int32_t lrnde_after(const lrnde_course *c, int32_t slot)
{
    return c->ring && slot + 1 == c->slots ? 0 : slot + 1;
}

/* The arguments of the step to try. */
static __device__ inline void lrnde_try(const lrnde_course *c, lrnde_progress *p, lrnde_args *a, int n_carry, int n_k)
{
    a->s.t = p->t, a->s.h = p->h = lrnde_clip(p->t, p->next, c->t1, c->shortest);
    a->s.h_1 = p->h_1, a->s.h_2 = p->h_2;
    a->carry = (const void *const *)(c->carry + p->slot * n_carry), a->next = c->carry + lrnde_after(c, p->slot) * n_carry;
    a->k = c->k + p->slot * n_k;
    a->tape = c->tape ? c->tape[p->slot] : (void *)0;
}

/* Accepts or rejects it by its error norm; `first`, one thread of all, notes its sums. */
static __device__ inline void lrnde_decide(const lrnde_controller *controller, const lrnde_course *c, lrnde_progress *p, double E,
                                           const double *sums, int n_sums, bool first)
{
    p->E = E, p->next = lrnde_control(controller, &p->e_old, E, p->h), p->took = lrnde_accepts(E);
    if (!p->took) {
        p->rejected++, p->over = lrnde_gives_up(p->h, c->shortest);
        return;
    }
    if (first) {
        c->t[p->accepted] = p->t, c->h[p->accepted] = p->h;
        for (int q = 0; q < n_sums; q++) c->sums[p->accepted * n_sums + q] = sums[q];
    }
    p->h_2 = p->h_1, p->h_1 = p->h;
    p->t = lrnde_advance(p->t, p->h, c->t1), p->slot = lrnde_after(c, p->slot), p->accepted++;
}

static __device__ inline void lrnde_leave(lrnde_course *c, const lrnde_progress *p)
{
    c->now = p->t, c->next = p->next, c->e_old = p->e_old, c->slot = p->slot, c->over = p->over;
    c->tried = p->h, c->E = p->E, c->accepted = p->accepted, c->rejected = p->rejected;
}

/* Waits for all blocks. */
static __device__ void lrnde_grid_meet(uint64_t *met)
{
    __syncthreads();
    if (threadIdx.x == 0) {
        __threadfence();
        const uint64_t before = atomicAdd(met, 1ull), all = before - before % gridDim.x + gridDim.x;
        while (*(volatile uint64_t *)met < all) __nanosleep(32);
        __threadfence();
    }
    __syncthreads();
}

/*
 * Adds up the sums over tiles, n of each, of every worker of this block in the row of its first tile: for every block reads the
 * sums of all, and tiles may be many.
 */
static __device__ __forceinline__ void lrnde_worker_sums(const lrnde_args *a, int n)
{
    if (a->tiles == a->workers) return;
    __syncthreads();
    for (int32_t worker = blockIdx.x; threadIdx.x < T && worker < a->workers; worker += gridDim.x) {
        const int64_t first = (int64_t)a->tiles * worker / a->workers, end = (int64_t)a->tiles * (worker + 1) / a->workers;
        for (int q = 0; q < n; q++) {
            double sum = 0;
            for (int64_t row = first + threadIdx.x; row < end; row += T) sum += a->sums[row * n + q];
            sum = lrnde_lane_sum(sum);
            if (threadIdx.x == 0) a->sums[first * n + q] = sum;
        }
    }
}

/*
 * Sums over n_rows rows of n, evenly apart among `all` there are, in the order of lanes and rows: the same in every lane.
 */
static __device__ __forceinline__ void lrnde_row_sums(double *sums, const double *rows, int32_t n_rows, int32_t all, int n)
{
    for (int q = 0; q < n; q++) {
        double sum = 0;
        for (int32_t i = (int32_t)threadIdx.x % T; i < n_rows; i += T)
            sum += rows[(size_t)(all == n_rows ? i : (int64_t)all * i / n_rows) * n + q];
        sums[q] = lrnde_lane_sum(sum);
    }
}
