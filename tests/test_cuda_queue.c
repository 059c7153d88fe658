/*
 * test_cuda_queue.c - calls of the CUDA driver in random order, against the CPU's: whatever is put off, joined and added up
 * together, memory and totals are the same.  By the driver library that pretends (tests/cuda_fakes).
 */
#include "cuda_models.h"

extern const lrnde_driver lrnde_driver_c;

enum { TILES = 300, TABLE = 4 * TILES, ELEMENTS = LRNDE_CHUNK + 9, N = 5000, MOST_TOTALS = 40000 };

/* ---- a model of three kernels: x = weight x + t, a number a tile, and sums of that ---- */

static void advance(const lrnde_args *a, int32_t tile0, int32_t tile1, int32_t n_sums)
{
    double *x = a->grad;
    for (int32_t tile = tile0; tile < tile1; tile++) {
        x[tile] = x[tile] * a->s.weight + a->s.t;
        for (int32_t q = 0; q < n_sums; q++) a->sums[tile * n_sums + q] = x[tile] * (q + 1);
    }
}

static void one_sum(const lrnde_args *a, int32_t tile0, int32_t tile1, int32_t worker)
{
    (void)worker;
    advance(a, tile0, tile1, 1);
}

static void three_sums(const lrnde_args *a, int32_t tile0, int32_t tile1, int32_t worker)
{
    (void)worker;
    advance(a, tile0, tile1, 3);
}

static void first_phase(const lrnde_args *a, int32_t tile0, int32_t tile1, int32_t worker)
{
    ((double *)a->partial)[(size_t)worker * a->partial_stride] += tile1 - tile0;
    advance(a, tile0, tile1, 1);
}

static void second_phase(const lrnde_args *a, int64_t e0, int64_t e1)
{
    double sum = 0;
    for (int32_t w = 0; w < a->workers; w++) sum += ((double *)a->partial)[(size_t)w * a->partial_stride];
    for (int64_t e = e0; e < e1; e++) sum += ((const double *)a->grad)[e % TILES];
    a->sums[a->tiles + e0 / LRNDE_CHUNK] = sum;
}

static const lrnde_system_desc toy_system;
static const lrnde_model_desc toy = {
    .abi = LRNDE_ABI,
    .name = "toy",
    .real_bytes = 8,
    .tile = 4,
    .forward = &toy_system,
    .init = {.name = "init", .tile = one_sum, .n_sums = 1},
    .locate = {.name = "locate", .tile = three_sums, .n_sums = 3},
    .head = {.name = "head", .tile = first_phase, .shared = second_phase, .shared_size = ELEMENTS, .n_sums = 1, .partial = 1},
};

/* ---- calls ---- */

typedef struct place {
    const lrnde_driver *v;
    lrnde_device *d;
    const lrnde_model_desc *desc;
    double *x, *y, *sums, *partial;
    double total[MOST_TOTALS];
    int n_totals;
} place;

static unsigned below(unsigned *seed, unsigned n)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % n;
}

static void launch(place *p, const lrnde_kernel *kernel, int32_t tiles, double t, int summed)
{
    lrnde_args a = {.tiles = tiles, .workers = p->v->workers(p->d, tiles), .partial_stride = 8};
    a.sums = p->sums, a.partial = p->partial, a.grad = p->x, a.s.weight = 0.5, a.s.t = t;
    MUST(p->n_totals + kernel->n_sums <= MOST_TOTALS);
    p->v->launch(p->d, kernel, &a, summed ? p->total + p->n_totals : NULL);
    p->n_totals += summed ? kernel->n_sums : 0;
}

/* One call, or many of one kernel; what lies between two of them, or not, is chance. */
static void call(place *p, unsigned *seed, int i)
{
    static const double zeros[N];
    double back[N];
    const lrnde_kernel *const kernels[] = {&p->desc->init, &p->desc->init, &p->desc->locate, &p->desc->head};
    const unsigned what = below(seed, 24), many = below(seed, 60) ? 1 + below(seed, 5) : 200;
    const int32_t tiles = below(seed, 8) ? TILES : below(seed, 2) ? 1 : TILES - 1;
    const int summed = below(seed, 3) > 0, between = below(seed, 4) == 0;
    const int64_t n = N - (int64_t)below(seed, 4) * 1000;
    const lrnde_driver *v = p->v;
    if (what < 12)
        for (unsigned j = 0; j < many; j++) {
            launch(p, kernels[what % 4], tiles, i + 0.001 * j, summed);
            if (between) v->add(p->d, p->y, p->x, 1, 0, 8);
        }
    else if (what < 14)
        v->squares(p->d, p->x, between ? 10 : n, &p->total[p->n_totals++]);
    else if (what < 16)
        v->copy(p->d, p->y, p->x, (size_t)n * sizeof *p->x);
    else if (what < 17)
        v->zero(p->d, p->y, (size_t)n / 2 * sizeof *p->x);
    else if (what < 19)
        v->combine(p->d, p->x, 0, 0.5, p->x, 0.25, p->y, n);
    else if (what < 20)
        v->add(p->d, p->y, p->x, 2, 1000, 2000);
    else if (what < 21)
        v->put(p->d, p->x + below(seed, 100), zeros, (size_t)n / 2 * sizeof *zeros);
    else if (between && what < 22)
        MUST(!v->sync(p->d));
    else if (between && what < 23)
        v->free(p->d, v->alloc(p->d, 100 + below(seed, 1000)));
    else if (between)
        v->get(p->d, back, p->x, sizeof back);
}

static void call_all(place *p, unsigned seed, double state[2][N])
{
    enum { CALLS = 1500 };
    char why[256];
    double start[N];
    p->n_totals = 0;
    MUST((p->d = p->v->open(p->desc, 0, 1, why, sizeof why)));
    p->x = p->v->alloc(p->d, sizeof start), p->y = p->v->alloc(p->d, sizeof start);
    p->sums = p->v->alloc(p->d, TABLE * sizeof *p->sums), p->partial = p->v->alloc(p->d, TILES * 8 * sizeof *p->partial);
    for (int i = 0; i < N; i++) start[i] = number(i);
    p->v->put(p->d, p->x, start, sizeof start);
    p->v->put(p->d, p->y, start, sizeof start);
    for (int i = 0; i < CALLS; i++) call(p, &seed, i);
    p->v->get(p->d, state[0], p->x, sizeof state[0]);
    p->v->get(p->d, state[1], p->y, sizeof state[1]);
    MUST(!p->v->sync(p->d));
    void *const all[] = {p->x, p->y, p->sums, p->partial};
    for (int i = 0; i < 4; i++) p->v->free(p->d, all[i]);
    p->v->close(p->d);
}

static void call_both(char *text)
{
    enum { SEEDS = 5 };
    static place cpu, cuda;
    static double state[2][2][N];
    lrnde_model_desc desc = toy;
    lrnde_text entry;
    world_model(&desc, &entry);
    cpu.v = &lrnde_driver_c, cuda.v = &lrnde_driver_cuda, cpu.desc = cuda.desc = &desc;
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        call_all(&cpu, seed, state[0]);
        call_all(&cuda, seed, state[1]);
        MUST(cpu.n_totals == cuda.n_totals && !memcmp(state[0], state[1], sizeof state[0]));
        for (int i = 0; i < cpu.n_totals; i++) MUST(fabs(cpu.total[i] - cuda.total[i]) <= 1e-9 * fabs(cpu.total[i]));
    }
    free((char *)entry.text);
    MUST(world_leaks() == 0);
    snprintf(text, WORLD_TEXT, "%d %d", launches(), kernels_run());
}

/* With graphs and without; with no memory for the sums of several launches. */
static void any_order(void **state)
{
    (void)state;
    static const char *const settings[] = {"FAKE_VERSION=13000", "LRNDE_CUDA_GRAPHS=0", "FAKE_MEMORY=4400000",
                                           "FAKE_NO_UPDATE=1"};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        int launched, ran;
        assert_int_equal(sscanf(world_run(call_both, WITH("FAKE_GUARDS=1", settings[i])), "%d %d", &launched, &ran), 2);
        print_message("           %s: %d kernels in %d launches\n", settings[i], ran, launched);
    }
}

/* ---- sequences that come again, a little different ---- */

/* So many launches with totals, and others before them, that a graph is made of it; then others of the same shape. */
static void count_differently(char *text)
{
    enum { LARGE = 1000000 };
    static place cpu, cuda;
    static const int counts[] = {2, 2, 2, 6, 1, 9};
    lrnde_model_desc desc = toy;
    lrnde_text entry;
    char why[256];
    world_model(&desc, &entry);
    cpu.v = &lrnde_driver_c, cuda.v = &lrnde_driver_cuda, cpu.desc = cuda.desc = &desc;
    for (place *p = &cpu; p; p = p == &cpu ? &cuda : NULL) {
        MUST((p->d = p->v->open(p->desc, 0, 1, why, sizeof why)));
        p->x = p->v->alloc(p->d, N * sizeof *p->x), p->y = p->v->alloc(p->d, N * sizeof *p->y);
        p->sums = p->v->alloc(p->d, TABLE * sizeof *p->sums);
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
            p->v->combine(p->d, p->x, 0, 0.5, p->x, 0.25, p->y, N);
            p->v->copy(p->d, p->y, p->x, N * sizeof *p->x);
            for (int j = 0; j < counts[i]; j++) launch(p, &desc.init, TILES, j + 0.5, 1);
            MUST(!p->v->sync(p->d));
        }
        void *large = p->v->alloc(p->d, LARGE);
        MUST(large);
        p->v->free(p->d, large);
        p->v->free(p->d, p->x);
        p->v->free(p->d, p->y);
        p->v->free(p->d, p->sums);
        p->v->close(p->d);
    }
    for (int i = 0; i < cpu.n_totals; i++) MUST(fabs(cpu.total[i] - cuda.total[i]) <= 1e-9 * fabs(cpu.total[i]));
    free((char *)entry.text);
    snprintf(text, WORLD_TEXT, "%d %d", launches(), kernels_run());
}

static void other_counts(void **state)
{
    (void)state;
    int launched, ran;
    assert_int_equal(sscanf(world_run(count_differently, WITH("FAKE_GUARDS=1")), "%d %d", &launched, &ran), 2);
    assert_true(launched < ran);
    /* Graphs make way where an array needs their memory. */
    world_run(count_differently, WITH("FAKE_MEMORY=6000000", "FAKE_GRAPH_BYTES=1000000"));
}

/* ---- failures ---- */

/* What is allocated when something put off fails is given back, like all else. */
static void fail_and_allocate(char *text)
{
    lrnde_model_desc desc = toy;
    lrnde_text entry;
    static place p;
    world_model(&desc, &entry);
    p.v = &lrnde_driver_cuda, p.desc = &desc;
    MUST((p.d = p.v->open(&desc, 0, 1, text, 256)));
    p.x = p.v->alloc(p.d, N * sizeof *p.x), p.sums = p.v->alloc(p.d, TABLE * sizeof *p.sums);
    launch(&p, &desc.init, TILES, 1, 1);
    MUST(!p.v->alloc(p.d, 1000));
    snprintf(text, WORLD_TEXT, "%s", p.v->sync(p.d));
    MUST(isnan(p.total[0]));
    p.v->free(p.d, p.x);
    p.v->free(p.d, p.sums);
    p.v->close(p.d);
    free((char *)entry.text);
    MUST(world_leaks() == 0);
}

static void failed_launches(void **state)
{
    (void)state;
    assert_contains(world_run(fail_and_allocate, WITH("FAKE_LAUNCH=701")), "cuLaunchKernel: CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES");
}

int main(int argc, char **argv)
{
    world_enter(argv);
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order),
        cmocka_unit_test(other_counts),
        cmocka_unit_test(failed_launches),
    };
    return cmocka_run_group_tests(tests, with_driver, world_remove);
}
