/*
 * The Brownian path of a run.  Which pieces of it a step takes comes to the same in every block, so that each keeps account by
 * itself; a thread makes the increments of its lane and features.
 */
typedef struct lrnde_path {
    lrnde_pieces pieces; /* of the arrays here */
    lrnde_trial trial;
    double length[LRNDE_MAX_PIECES];
    int64_t future[LRNDE_MAX_PIECES], used[LRNDE_MAX_PIECES], spare[LRNDE_MAX_PIECES];
} lrnde_path;

static __device__ void lrnde_copy_pieces(const lrnde_pieces *to, const lrnde_pieces *from)
{
    for (int i = (int)threadIdx.x; i < from->count; i += (int)blockDim.x) {
        to->length[i] = from->length[i];
        to->future[i] = from->future[i], to->used[i] = from->used[i], to->spare[i] = from->spare[i];
    }
}

static __device__ void lrnde_path_begin(lrnde_path *path, const lrnde_course *c)
{
    if (threadIdx.x == 0) {
        path->pieces = c->pieces;
        path->pieces.length = path->length;
        path->pieces.future = path->future, path->pieces.used = path->used, path->pieces.spare = path->spare;
    }
    __syncthreads();
    lrnde_copy_pieces(&path->pieces, &c->pieces);
    __syncthreads();
}

/* By one block. */
static __device__ void lrnde_path_end(const lrnde_path *path, lrnde_course *c)
{
    lrnde_copy_pieces(&c->pieces, &path->pieces);
    if (threadIdx.x != 0) return;
    c->pieces.n_future = path->pieces.n_future, c->pieces.n_used = path->pieces.n_used;
    c->pieces.n_spare = path->pieces.n_spare, c->pieces.draws = path->pieces.draws;
}

/* Draws and cuts entry e of (tiles, @(state), T) as the trial says; the increments of all pieces in use go to where the step has them. */
static __device__ void lrnde_path_make(const lrnde_path *path, const lrnde_course *c, const lrnde_args *a, unsigned feature,
                                       int64_t sample, int64_t e)
{
    const lrnde_trial *const trial = &path->trial;
    const int64_t entries = (int64_t)a->tiles * @(state) * T;
    double drawn[2] = {0, 0};
    if (trial->drawn >= 0) {
        unsigned words[4] = {feature, (unsigned)(sample < a->batch ? sample : a->batch - 1), (unsigned)trial->draw, (unsigned)c->stream};
        lrnde_philox(words, (unsigned)c->key, (unsigned)(c->key >> 32));
        lrnde__normal(lrnde__unit(words[0], words[1]), 1 - lrnde__unit(words[2], words[3]), &drawn[0], &drawn[1]);
    }
#pragma unroll
    for (int q = 0; q < @(noise); q++) {
        const int64_t at = q * entries + e;
        if (trial->drawn >= 0) {
            double rest = trial->scale * drawn[q];
            if (trial->cut >= 0) {
                double *const cut = (double *)c->piece[trial->cut];
                const double whole = cut[at], first = trial->q * whole + rest;
                cut[at] = first;
                rest = whole - first;
            }
            ((double *)c->piece[trial->drawn])[at] = rest;
        }
        double sum = ((double *)c->piece[path->used[0]])[at];
        for (int64_t i = 1; i < path->pieces.n_used; i++) sum = sum + ((double *)c->piece[path->used[i]])[at];
        ((real *)a->noise[q])[e] = (real)sum;
    }
}

/* The increments of the step to try. */
static __device__ __noinline__ void lrnde_path_try(lrnde_path *path, const lrnde_course *c, lrnde_args *a, int32_t slot)
{
    const int l = (int)threadIdx.x % T;
    __syncthreads(); /* all have seen how many pieces there are to spare */
    if (threadIdx.x == 0) path->trial = lrnde_pieces_try(&path->pieces, fabs(a->s.h));
    __syncthreads();
    a->noise = (const void *const *)(c->noise + slot * @(noise));
    for (int32_t worker = blockIdx.x; worker < a->workers; worker += gridDim.x) {
        const int32_t end = (int32_t)((int64_t)a->tiles * (worker + 1) / a->workers);
        for (int32_t tile = (int32_t)((int64_t)a->tiles * worker / a->workers); tile < end; tile++)
            for (int i = (int)threadIdx.x / T; i < @(state); i += TEAM)
                lrnde_path_make(path, c, a, (unsigned)i, (int64_t)tile * T + l, ((int64_t)tile * @(state) + i) * T + l);
    }
    __syncthreads();
}

static __device__ void lrnde_path_decide(lrnde_path *path, bool took)
{
    if (threadIdx.x == 0 && took) lrnde_pieces_accept(&path->pieces);
    __syncthreads();
}
