/*
 * test_cuda.c - the emitted CUDA text against the reference evaluator, on this CPU.
 *
 * The text that a model's descriptor carries is compiled by a C++ compiler against tests/cuda/sim.h, where a CUDA thread is a
 * fiber, and launched through a driver like any other: what test_kernels asks of the C kernels is asked of these, under every
 * schedule.  Every array ends where its memory does, so that reading or writing beyond one ends the program.  Then mistakes
 * are put into the text, a barrier left out, a loop too long, and each must be caught.
 */
#include "kernel_compare.h"
#include "registries.h"

#include "control.h"
#include "lrnde.h"

#include <dlfcn.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LARGE = 50000 /* parameters */, SECONDS = 240, MOST_CARRY = 32 /* arrays, or stages */ };

static const options_tool TOOL = {.program = "test_cuda"};

/* ---- a driver ---- */

struct lrnde_device {
    const lrnde_model_desc *model;
    int32_t workers;
};

static void *library; /* the compiled text */

/* Puts the address of what the text defines into *at, whatever its type. */
static void find_symbol(const char *name, void *at)
{
    void *symbol = dlsym(library, name);
    if (!symbol) fail_msg("%s", dlerror());
    memcpy(at, &symbol, sizeof symbol);
}

/* The kernels of systems have a prefix. */
static void kernel_symbol(const lrnde_model_desc *m, const lrnde_kernel *kernel, const char *phase, char name[static 256])
{
    const char *prefix = "";
    lrnde_named_system systems[LRNDE_MOST_SYSTEMS];
    for (int32_t i = lrnde_systems(m, systems); i-- > 0;) {
        const char *s = (const char *)systems[i].system;
        if ((const char *)kernel >= s && (const char *)kernel < s + sizeof(lrnde_system_desc)) prefix = systems[i].prefix;
    }
    snprintf(name, 256, "%s_%s%s_%s_%s", m->name, prefix, kernel->name, m->real_bytes == sizeof(float) ? "f32" : "f64", phase);
}

static lrnde_device *sim_open(const lrnde_model_desc *desc, int32_t ordinal, int32_t threads, char *why, size_t size)
{
    (void)ordinal, (void)why, (void)size;
    lrnde_device *d = malloc(sizeof *d);
    *d = (lrnde_device){.model = desc, .workers = threads};
    return d;
}

static void sim_close(lrnde_device *d)
{
    free(d);
}

static int32_t sim_threads(const lrnde_device *d)
{
    return d->workers;
}

static int32_t sim_workers(const lrnde_device *d, int32_t tiles)
{
    return d->workers < tiles ? d->workers : tiles;
}

/* Memory between pages that may not be touched, ending at the second; what was mapped is noted at its beginning. */
static void *sim_alloc(lrnde_device *d, size_t bytes)
{
    (void)d;
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), used = (bytes + 7) / 8 * 8;
    const size_t room = (used + sizeof room + page - 1) / page * page, mapped = room + 2 * page;
    char *base = mmap(NULL, mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED || mprotect(base + page, room, PROT_READ | PROT_WRITE)) return NULL;
    char *at = base + page + room - used;
    memcpy(at - sizeof mapped, &mapped, sizeof mapped);
    return at;
}

static void sim_free(lrnde_device *d, void *p)
{
    (void)d;
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    char *noted = (char *)p - sizeof(size_t);
    size_t mapped;
    memcpy(&mapped, noted, sizeof mapped);
    munmap(noted - (uintptr_t)noted % page - page, mapped);
}

static void sim_copy(lrnde_device *d, void *to, const void *from, size_t bytes)
{
    (void)d;
    memcpy(to, from, bytes);
}

static void sim_zero(lrnde_device *d, void *p, size_t bytes)
{
    (void)d;
    memset(p, 0, bytes);
}

#define ADD_ROWS(real)                                                                                                           \
    for (int32_t row = 0; row < rows; row++)                                                                                     \
        for (int64_t i = 0; i < n; i++) ((real *)to)[i] += ((const real *)from)[row * stride + i]

static void sim_add(lrnde_device *d, void *to, const void *from, int32_t rows, size_t stride, int64_t n)
{
    if (d->model->real_bytes == sizeof(float)) {
        ADD_ROWS(float);
    } else {
        ADD_ROWS(double);
    }
}

static void sim_run(lrnde_device *d, const lrnde_kernel *kernel, const lrnde_args *a, const char *phase, int blocks)
{
    char name[256], bound[64];
    const int *threads;
    void (*function)(void);
    void (*launch)(void (*)(void), const void *, int, int);
    snprintf(bound, sizeof bound, "sim_%s_threads", phase);
    find_symbol(bound, &threads);
    kernel_symbol(d->model, kernel, phase, name);
    find_symbol(name, &function);
    find_symbol("sim_launch", &launch);
    launch(function, a, blocks, *threads);
}

static void sim_launch(lrnde_device *d, const lrnde_kernel *kernel, const lrnde_args *a, double *total)
{
    const int64_t chunks = kernel->shared ? (kernel->shared_size + LRNDE_CHUNK - 1) / LRNDE_CHUNK : 0;
    const int64_t rows = (kernel->tile ? a->tiles : 0) + chunks;
    for (int32_t w = 0; kernel->shared && w < a->workers; w++)
        memset((char *)a->partial + w * a->partial_stride * (size_t)d->model->real_bytes, 0,
               (size_t)(kernel->partial * d->model->real_bytes));
    if (kernel->tile) sim_run(d, kernel, a, "tile", a->workers);
    if (kernel->shared) sim_run(d, kernel, a, "shared", (int)chunks);
    const double *sums = a->sums + (kernel->tile ? 0 : (int64_t)a->tiles * kernel->n_sums);
    memset(total, 0, (size_t)kernel->n_sums * sizeof *total);
    for (int64_t row = 0; row < rows; row++)
        for (int32_t i = 0; i < kernel->n_sums; i++) total[i] += sums[row * kernel->n_sums + i];
}

static const char *sim_sync(lrnde_device *d)
{
    (void)d;
    return NULL;
}

static const lrnde_driver SIM = {
    .name = "cuda",
    .open = sim_open,
    .close = sim_close,
    .threads = sim_threads,
    .workers = sim_workers,
    .alloc = sim_alloc,
    .free = sim_free,
    .put = sim_copy,
    .get = sim_copy,
    .copy = sim_copy,
    .zero = sim_zero,
    .add = sim_add,
    .launch = sim_launch,
    .sync = sim_sync,
};

/* ---- text to kernels ---- */

static char folder[] = "/tmp/test_cuda.XXXXXX";

static void write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

/* Compiles a text and makes its kernels those that SIM launches. */
static void load_text(const char *text, const char *options)
{
    static int count;
    char source[256], command[1024];
    snprintf(source, sizeof source, "%s/%d.cu", folder, count++);
    write_text(source, text);
    snprintf(command, sizeof command,
             "${CXX:-g++} -std=c++17 %s -fPIC -shared -march=native -ffp-contract=off -Wno-unknown-pragmas -DKERNELS='\"%s\"' "
             "-o %s.so tests/cuda/sim.cpp",
             options, source, source);
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof command, "%s.so", source);
    if (library) dlclose(library);
    library = dlopen(command, RTLD_NOW | RTLD_LOCAL);
    if (!library) fail_msg("%s", dlerror());
    unlink(command);
    unlink(source);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

/* ---- tests ---- */

enum { N_ORDERS = 4 };
static const char *const ORDERS[N_ORDERS] = {"skew:1", "reverse", "forward", "skew:2"};

/* Builds a variant and loads its text. */
static const lrnde_model_desc *load_variant(const variant *v)
{
    const lrnde_model_desc *m;
    build_variant(v, &TOOL, &m);
    const lrnde_text *text = lrnde_text_for(m, &SIM);
    assert_non_null(text);
    assert_true(strlen(text->text) < 1000000);
    load_text(text->text, m->n_params < LARGE ? "-O1" : "-O2");
    return m;
}

/* Every kernel of a variant at some batch sizes, each under another schedule; eps: of its arithmetic, or 0.  Returns the worst. */
static double check_within(const variant *v, double eps, const int *batches, int n)
{
    const lrnde_model_desc *m = load_variant(v);
    comparison c = {.what = v, .driver = &SIM, .eps = eps > 0 ? eps : eps_of(m)};
    for (int i = 0; i < n; i++) {
        c.batch = batches[i];
        setenv("SIM_ORDER", ORDERS[i % N_ORDERS], 1);
        assert_int_equal(check_batch(&c, m), count_kernels(m));
    }
    print_message("           %-28s %-8s %d kernels, worst %.1f eps\n", v->file, m->method, count_kernels(m), c.worst);
    if (c.failures) fail_msg("%s: %d numbers are wrong", v->file, c.failures);
    return c.worst;
}

static void check_batches(const variant *v, const int *batches, int n)
{
    check_within(v, 0, batches, n);
}

/* A few samples, more than two tiles, one: the large ones but a few. */
static void shipped_models(void **state)
{
    (void)state;
    names models = lua_files("models");
    for (int i = 0; i < models.n; i++) {
        const lrnde_model_desc *m;
        const variant v = {models.path[i], NULL, {NULL}};
        build_variant(&v, &TOOL, &m);
        check_batches(&v, (const int[]){7, 67, 1}, m->n_params < LARGE ? 3 : 1);
    }
}

static void both_precisions(void **state)
{
    (void)state;
    names models = lua_files("tests/models");
    for (int i = 0; i < models.n; i++) {
        check_batches(&(variant){models.path[i], NULL, {"precision=f32"}}, (const int[]){1, 7, 35}, 3);
        check_batches(&(variant){models.path[i], NULL, {"precision=f64"}}, (const int[]){35, 1, 7}, 3);
    }
}

/* Whole tiles, and a sample more. */
static void large_batches(void **state)
{
    (void)state;
    check_batches(&(variant){"tests/models/mixed.lua", NULL, {NULL}}, (const int[]){512, 513}, 2);
    check_batches(&(variant){"models/lotka_volterra.lua", NULL, {NULL}}, (const int[]){513, 512}, 2);
}

static void other_choices(void **state)
{
    (void)state;
    static const variant variants[] = {
        {"tests/models/mixed.lua", "tsit5", {"regularize.estimate=stiffness", "precision=f32"}},
        {"tests/models/mixed.lua", "vcab3", {"regularize.gradient=partial"}},
        {"tests/models/wide.lua", NULL, {"accumulate=double", "sensitivity=interpolating"}},
        {"tests/models/activations.lua", NULL, {"sensitivity=interpolating"}},
    };
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) check_batches(&variants[i], (const int[]){7, 40}, 2);
}

/* Three products of tf32 are as good as one of f32, to which the bound is the same; one is as good as its ten bits, no better. */
static void tensor_cores(void **state)
{
    (void)state;
    const double tf32 = ldexp(1, -10);
    check_batches(&(variant){"tests/models/wide.lua", NULL, {"matmul=3xtf32"}}, (const int[]){7, 19}, 2);
    const double worst = check_within(&(variant){"tests/models/wide.lua", NULL, {"matmul=tf32"}}, tf32, (const int[]){7}, 1);
    assert_true(worst * tf32 > 64 * FLT_EPSILON);
}

/* ---- whole integrations ---- */

/* The CPU's integration from a spread of initial states: what it began with, where it ended. */
typedef struct integration {
    double *params, *u0, *u1; /* (batch, state) */
    lrnde_stats stats;
} integration;

static integration integrate(const lrnde_model_desc *m, int32_t batch)
{
    const size_t n = (size_t)batch * (size_t)m->state, bytes = n * sizeof(double);
    integration result = {malloc((size_t)(m->n_params + 1) * sizeof(double)), malloc(bytes), malloc(bytes), {0}};
    lrnde_options options = LRNDE_OPTIONS;
    lrnde_solver *s;
    options.batch = batch, options.device = "cpu", options.threads = 1;
    assert_int_equal(lrnde_create(&s, m, &options, NULL), LRNDE_OK);
    assert_int_equal(lrnde_get(s, "params", result.params, (size_t)m->n_params * sizeof(double)), LRNDE_OK);
    const char *start = m->u0 ? "u0" : m->inputs[0].name; /* that is u0 */
    for (size_t i = 0; i < n; i++)
        result.u0[i] = m->u0 ? m->u0[i % (size_t)m->state] * (1 + 0.5 * (double)(i / (size_t)m->state) / batch) : sin((double)i);
    assert_int_equal(lrnde_set(s, start, result.u0, bytes), LRNDE_OK);
    assert_int_equal(lrnde_solve(s, NULL, 0, &result.stats), LRNDE_OK);
    assert_int_equal(lrnde_get(s, "u", result.u1, bytes), LRNDE_OK);
    lrnde_destroy(s);
    return result;
}

/* Begins a launch whose state is u0. */
static void begin_at(launch *l, const lrnde_model_desc *m, const lrnde_kernel *kernel, int32_t batch, const integration *x)
{
    launch_begin(l, m, m->forward, kernel, &SIM, batch, 2);
    launch_set(l, "params", false, m->n_params, x->params);
    launch_set(l, "carry[0]", true, m->state, x->u0);
    launch_set(l, "t", false, 1, &m->t0);
    launch_set(l, "atol", false, 1, &m->atol);
    launch_set(l, "rtol", false, 1, &m->rtol);
}

/* f(t0, u0), which methods with FSAL carry. */
static void carry_derivative(launch *l, const lrnde_model_desc *m, int32_t batch, const integration *x)
{
    static launch rhs;
    double *f = malloc((size_t)(batch * m->state) * sizeof *f);
    begin_at(&rhs, m, &m->forward->rhs, batch, x);
    const launch_array *out = launch_find(&rhs, "out[0]", true, m->state);
    launch_run(&rhs);
    for (int64_t i = 0; i < (int64_t)batch * m->state; i++) f[i] = launch_get(&rhs, out, i / m->state, i % m->state);
    launch_set(l, "carry[1]", true, m->state, f);
    launch_end(&rhs);
    free(f);
}

/* The same steps in one launch, whose blocks decide on them together, as the runtime takes on the CPU. */
static void check_run(const variant *v, int32_t batch, const char *order)
{
    static launch l;
    char field[64], name[256];
    const int *threads;
    void (*kernel)(void);
    void (*run)(void (*)(void), const void *, lrnde_course *, int, int);
    const lrnde_model_desc *m = load_variant(v);
    const lrnde_system_desc *sys = m->forward;
    integration x = integrate(m, batch);
    setenv("SIM_ORDER", order, 1);
    begin_at(&l, m, &sys->step, batch, &x);
    if (sys->fsal) carry_derivative(&l, m, batch, &x);
    for (int32_t i = 0; i < sys->n_carry + sys->n_k; i++) {
        snprintf(field, sizeof field, i < sys->n_carry ? "next[%d]" : "k[%d]", i < sys->n_carry ? i : i - sys->n_carry);
        launch_find(&l, field, true, m->state);
    }
    double t[2], h[2], sums[2 * LRNDE_MAX_SUMS];
    const void *carry[2 * MOST_CARRY];
    for (int32_t i = 0; i < sys->n_carry; i++) carry[i] = l.args.carry[i], carry[sys->n_carry + i] = l.args.next[i];
    void *k[2 * MOST_CARRY];
    for (int32_t i = 0; i < 2 * (sys->n_k + sys->n_extra); i++) {
        const int32_t stage = i % (sys->n_k + sys->n_extra);
        k[i] = stage < sys->n_k ? l.args.k[stage] : NULL;
    }
    lrnde_course course = {.t1 = m->t1, .look = m->t1, .shortest = lrnde_shortest(m->t0, m->t1), .most = 100000};
    course.slots = 2, course.ring = 1, course.carry = (void *const *)carry, course.k = k;
    course.t = t, course.h = h, course.sums = sums;
    course.now = m->t0, course.next = x.stats.first_h, course.e_old = LRNDE_E_OLD;
    snprintf(name, sizeof name, "%s_run_f64", m->name);
    find_symbol(name, &kernel);
    find_symbol("sim_launch_run", &run);
    find_symbol("sim_tile_threads", &threads);
    run(kernel, &l.args, &course, l.args.workers, *threads);

    double worst = 0;
    const launch_array *end = launch_find(&l, course.slot ? "next[0]" : "carry[0]", true, m->state);
    for (int64_t i = 0; i < (int64_t)batch * m->state; i++)
        worst = fmax(worst, fabs(launch_get(&l, end, i / m->state, i % m->state) - x.u1[i]) / (1 + fabs(x.u1[i])));
    print_message("           %-28s %-8s batch %d: %lld + %lld steps, %.1e apart\n", v->file, m->method, (int)batch,
                  (long long)course.accepted, (long long)course.rejected, worst);
    assert_true(course.now == m->t1 && !course.over);
    assert_int_equal(course.accepted, x.stats.accepted);
    assert_int_equal(course.rejected, x.stats.rejected);
    assert_true(worst < 1e-9);
    launch_end(&l);
    free(x.params), free(x.u0), free(x.u1);
}

/* Arrays of so many rows a sample, as many as the table has room for. */
static void fill_table(launch *l, void **table, int32_t n, int64_t rows)
{
    for (int32_t i = 0; i < n; i++) table[i] = launch_alloc(l, (int64_t)l->args.tiles * l->tile * rows, NAN);
}

static bool is_written(const launch *l, const void *array, int64_t rows)
{
    const double *x = array;
    for (int64_t i = 0; i < (int64_t)l->args.tiles * l->tile * rows; i++)
        if (isnan(x[i])) return false;
    return true;
}

/* The same steps with a record of them, in launches of a few slots each, against the mesh of the CPU. */
static void check_record(const variant *v, int32_t batch, const char *order)
{
    enum { SLOTS = 5 };
    static launch l;
    char name[256];
    const int *threads;
    void (*kernel)(void);
    void (*run)(void (*)(void), const void *, lrnde_course *, int, int);
    const lrnde_model_desc *m = load_variant(v);
    const lrnde_system_desc *sys = m->forward;
    const int32_t n_k = sys->n_k + sys->n_extra;
    const bool taped = sys->step_tape.tile && !m->adjoint;
    integration x = integrate(m, batch);
    setenv("SIM_ORDER", order, 1);
    begin_at(&l, m, &sys->step, batch, &x);
    if (sys->fsal) carry_derivative(&l, m, batch, &x);
    void *carry[(SLOTS + 1) * MOST_CARRY], *k[SLOTS * MOST_CARRY], *tape[SLOTS];
    double t[SLOTS], h[SLOTS], sums[SLOTS * LRNDE_MAX_SUMS];
    fill_table(&l, carry + sys->n_carry, SLOTS * sys->n_carry, m->state);
    fill_table(&l, k, SLOTS * n_k, m->state);
    fill_table(&l, tape, SLOTS, sys->tape);
    for (int32_t i = 0; i < sys->n_carry; i++) carry[i] = (void *)l.args.carry[i];
    lrnde_course course = {.t1 = m->t1, .look = m->t1, .shortest = lrnde_shortest(m->t0, m->t1), .most = 7};
    course.slots = SLOTS, course.carry = carry, course.k = k, course.tape = taped ? tape : NULL;
    course.t = t, course.h = h, course.sums = sums;
    course.now = m->t0, course.next = x.stats.first_h, course.e_old = LRNDE_E_OLD;
    snprintf(name, sizeof name, taped ? "%s_run_tape_f64" : "%s_run_f64", m->name);
    find_symbol(name, &kernel);
    find_symbol("sim_launch_run", &run);
    find_symbol("sim_tile_threads", &threads);
    int64_t accepted = 0, rejected = 0;
    while (course.now != m->t1) {
        const double before = course.now;
        double at = before;
        run(kernel, &l.args, &course, l.args.workers, *threads);
        assert_true(!course.over && course.accepted + course.rejected > 0 && course.accepted == course.slot);
        for (int32_t i = 0; i < course.accepted; i++) {
            assert_true(t[i] == at);
            at = lrnde_advance(t[i], h[i], m->t1);
            assert_true(is_written(&l, carry[(i + 1) * sys->n_carry], m->state));
            for (int32_t j = 0; j < sys->n_k; j++) assert_true(is_written(&l, k[i * n_k + j], m->state));
            if (taped) assert_true(is_written(&l, tape[i], sys->tape));
            assert_true(lrnde_accepts(sys->finish(sums + i * sys->n_sums, (double)batch * m->state)));
        }
        assert_true(at == course.now);
        accepted += course.accepted, rejected += course.rejected;
        for (int32_t i = 0; i < sys->n_carry; i++) { /* the end is the next start */
            void *end = carry[course.slot * sys->n_carry + i];
            carry[course.slot * sys->n_carry + i] = carry[i];
            carry[i] = end;
        }
        course.slot = 0, course.met = 0;
    }
    double worst = 0;
    const launch_array end = {.per_sample = true, .size = m->state, .at = carry[0]};
    for (int64_t i = 0; i < (int64_t)batch * m->state; i++)
        worst = fmax(worst, fabs(launch_get(&l, &end, i / m->state, i % m->state) - x.u1[i]) / (1 + fabs(x.u1[i])));
    assert_int_equal(accepted, x.stats.accepted);
    assert_int_equal(rejected, x.stats.rejected);
    assert_true(worst < 1e-9);
    launch_end(&l);
    free(x.params), free(x.u0), free(x.u1);
}

static void records(void **state)
{
    (void)state;
    check_record(&(variant){"models/lotka_volterra.lua", NULL, {"solver.rtol=1e-3", "solver.atol=1e-3"}}, 35, "skew:2");
    check_record(&(variant){"models/van_der_pol.lua", "rkf45", {"solver.rtol=1e-3", "solver.atol=1e-3"}}, 3, "reverse");
}

static void whole_integrations(void **state)
{
    (void)state;
    check_run(&(variant){"models/lotka_volterra.lua", NULL, {NULL}}, 1, "forward");
    check_run(&(variant){"models/lotka_volterra.lua", "dop853", {NULL}}, 67, "skew:1");
    check_run(&(variant){"models/van_der_pol.lua", NULL, {NULL}}, 35, "reverse");
    check_run(&(variant){"models/van_der_pol.lua", "rkf45", {"solver.rtol=1e-5"}}, 70, "skew:2");
    check_run(&(variant){"models/robertson.lua", NULL, {NULL}}, 3, "forward");
    check_run(&(variant){"tests/models/wide.lua", NULL, {"precision=f64"}}, 13, "skew:1");
}

/* ---- mistakes ---- */

/* In the text of a model: what is replaced everywhere, and by what. */
typedef struct mistake {
    const char *what, *file, *from, *to;
} mistake;

static const mistake MISTAKES[] = {
    {"nothing", "tests/models/wide.lua", "lrnde_meet();", "lrnde_meet();"},
    {"no barriers between loops", "tests/models/wide.lua", "if (TEAM > 1) __syncthreads();", ""},
    {"a barrier that a warp misses", "tests/models/wide.lua", "if (TEAM > 1) __syncthreads();",
     "if (threadIdx.x / T != 3) __syncthreads();"},
    {"no barrier before a sum is read", "tests/models/wide.lua", "__syncthreads();\n    x = shared", "x = shared"},
    {"no barrier after a sum was read", "tests/models/wide.lua", "__syncthreads();\n    return x;", "return x;"},
    {"a row too many", "tests/models/wide.lua", "i < 72;", "i <= 72;"},
    {"a tile too many", "tests/models/wide.lua", "tile < end;", "tile <= end;"},
    {"a tile too many", "tests/models/mixed.lua", "tile < end;", "tile <= end;"},
    {"a sample too many", "tests/models/mixed.lua", "l < a->batch", "l <= a->batch"},
    {"all lanes add", "tests/models/mixed.lua", "if (l == 0) ", ""},
    {"a lane exchanges with the wrong one", "tests/models/mixed.lua", "given, half)", "given, half ^ 1)"},
    {"a lane exchanges with others' lanes", "tests/models/wide.lua", "lrnde_lanes(), x, half)", "lrnde_lanes(), x, 2 * half)"},
    {"no barrier before a panel is read", "tests/models/wide.lua", "__syncthreads(); /* all of it", "; /* all of it"},
    {"a panel read before it is there", "tests/models/wide.lua", "lrnde_fetched();\n", "\n"},
    {"a panel too few", "tests/models/wide.lua", "j0 < n; j0 += TERM_PANEL", "j0 + TERM_PANEL < n; j0 += TERM_PANEL"},
    {"a row of a panel too many", "tests/models/wide.lua", "i + r < m &&", "i + r <= m &&"},
    {"a result beyond the rows", "tests/models/wide.lua", "part > 0 || i >= m", "part > 0 || i > m"},
    {"parts of a sum left out", "tests/models/wide.lua", "half = SPLIT / 2", "half = SPLIT / 4"},
    {"samples that are none counted", "tests/models/wide.lua", "valid && i0 + i < n", "i0 + i < n"},
    {"a lane returns early", "tests/models/mixed.lua", "const int l = (int)threadIdx.x % T;",
     "const int l = (int)threadIdx.x % T;\n    if (l > 30) return;"},
};

static char *replaced(const char *text, const char *from, const char *to)
{
    int n = 0;
    for (const char *at = text; (at = strstr(at, from)); at += strlen(from)) n++;
    if (!n) fail_msg("the text has no '%s'", from);
    char *result = malloc(strlen(text) + (size_t)n * strlen(to) + 1), *end = result;
    for (const char *at; (at = strstr(text, from)); text = at + strlen(from))
        end += sprintf(end, "%.*s%s", (int)(at - text), text, to);
    strcpy(end, text);
    return result;
}

/* Whether the kernels that are loaded go wrong under a schedule: a process of their own says so, or dies. */
static bool goes_wrong(const variant *v, const lrnde_model_desc *m, const char *order)
{
    int status;
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child) {
        assert_non_null(freopen("/dev/null", "w", stderr));
        signal(SIGSEGV, SIG_DFL); /* not the harness's: it would go on with the next test */
        alarm(SECONDS);
        setenv("SIM_ORDER", order, 1);
        comparison c = {.what = v, .driver = &SIM, .eps = eps_of(m), .batch = 35};
        check_batch(&c, m);
        _exit(c.failures > 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status != 0;
}

static void mistakes_are_caught(void **state)
{
    (void)state;
    int missed = 0;
    for (size_t i = 0; i < sizeof MISTAKES / sizeof *MISTAKES; i++) {
        const mistake *x = &MISTAKES[i];
        const variant v = {x->file, NULL, {NULL}};
        const lrnde_model_desc *m;
        build_variant(&v, &TOOL, &m);
        char *text = replaced(lrnde_text_for(m, &SIM)->text, x->from, x->to);
        load_text(text, "-O0");
        free(text);
        int by = 0;
        while (by < N_ORDERS && !goes_wrong(&v, m, ORDERS[by])) by++;
        print_message("           %-36s %s\n", x->what, by < N_ORDERS ? ORDERS[by] : "-");
        missed += (by == N_ORDERS) != !strcmp(x->what, "nothing");
    }
    if (missed) fail_msg("%d mistakes were missed, or nothing was taken for one", missed);
}

/* An argument: the tests whose name matches it. */
int main(int argc, char **argv)
{
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    alarm(5 * SECONDS); /* a test that hangs has failed */
    setenv("CC", "tests/quick_cc.sh", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shipped_models), cmocka_unit_test(both_precisions),     cmocka_unit_test(large_batches),
        cmocka_unit_test(other_choices),  cmocka_unit_test(whole_integrations),  cmocka_unit_test(records),
        cmocka_unit_test(tensor_cores),   cmocka_unit_test(mistakes_are_caught),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
