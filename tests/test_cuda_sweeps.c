/*
 * test_cuda_sweeps.c - whole solves and gradients by the emitted CUDA text, on this CPU, against those of the C backend: the
 * driver launches the text as it does on a device, through a driver library that pretends (tests/cuda_fakes) and a text that is
 * simulated (tests/cuda).
 */
#include "cuda_launch.h"
#include "cuda_world.h"

#include "lrnde.h"

static const lrnde_model_desc *built;
static int32_t batch;

/* What a solve and its gradient leave behind. */
typedef struct result {
    lrnde_stats stats;
    size_t n;
    double *x; /* (n) */
} result;

static void take(lrnde_solver *s, const char *name, result *r)
{
    lrnde_array a;
    MUST(!lrnde_array_find(s, name, &a));
    r->x = realloc(r->x, r->n * sizeof *r->x + a.bytes);
    MUST(!lrnde_get(s, name, r->x + r->n, a.bytes));
    r->n += a.bytes / sizeof *r->x;
}

/* What the initial states go into. */
static const char *start_of(const lrnde_model_desc *m)
{
    return m->u0 ? "u0" : m->inputs[0].name;
}

/* A solver on a device, with a spread of initial states. */
static lrnde_solver *create(const char *device)
{
    const lrnde_model_desc *m = built;
    lrnde_options o = LRNDE_OPTIONS;
    lrnde_solver *s;
    lrnde_error e;
    o.batch = batch, o.training = 1, o.device = device, o.threads = 2, o.max_steps = 500;
    if (lrnde_create(&s, m, &o, &e)) fprintf(stderr, "%s\n", e.text), _exit(1);
    const size_t n = (size_t)batch * (size_t)(m->u0 ? m->state : m->inputs[0].size);
    double *u0 = malloc(n * sizeof *u0);
    float *narrow = malloc(n * sizeof *narrow);
    for (size_t i = 0; i < n; i++) {
        u0[i] = m->u0 ? m->u0[i % (size_t)m->state] * (1 + 0.5 * (double)(i / (size_t)m->state) / batch) : sin((double)i);
        narrow[i] = (float)u0[i];
    }
    MUST(!lrnde_set(s, start_of(m), m->real_bytes == sizeof *u0 ? (void *)u0 : narrow, n * (size_t)m->real_bytes));
    free(u0), free(narrow);
    return s;
}

/* The gradient of a sum of outputs, at save times inside steps and at the end. */
static result differentiate(const char *device)
{
    const lrnde_model_desc *m = built;
    lrnde_solver *s = create(device);
    lrnde_array out;
    result r = {.n = 0};
    const char *output = m->n_outputs ? m->outputs[0].name : "u";
    const double t[] = {m->t0 + 0.31 * (m->t1 - m->t0), m->t0 + 0.5 * (m->t1 - m->t0), m->t1};
    MUST(!lrnde_solve(s, t, 3, &r.stats));
    MUST(!lrnde_array_find(s, output, &out));
    double *cot = malloc(out.bytes);
    for (size_t i = 0; i < out.bytes / sizeof *cot; i++) cot[i] = cos((double)i);
    MUST(!lrnde_gradient(s, output, cot, out.bytes));
    take(s, output, &r);
    if (m->n_params) take(s, "grad/params", &r);
    char grad[64];
    snprintf(grad, sizeof grad, "grad/%s", start_of(m));
    take(s, grad, &r);
    lrnde_destroy(s);
    free(cot);
    return r;
}

/* In a scenario: how far apart the two are. */
static void compare_devices(char *text)
{
    void (*fake_text)(void *);
    int (*fake_launches)(void);
    double worst = 0, largest = 0;
    world_fake_function("fake_text", &fake_text);
    world_fake_function("fake_launches", &fake_launches);
    fake_text(library);
    const result cpu = differentiate("cpu"), cuda = differentiate("cuda");
    MUST(cpu.n == cuda.n && cpu.stats.accepted == cuda.stats.accepted && cpu.stats.rejected == cuda.stats.rejected);
    for (size_t i = 0; i < cpu.n; i++) {
        const double apart = fabs(cpu.x[i] - cuda.x[i]);
        largest = fmax(largest, fabs(cpu.x[i]));
        if (!(apart <= worst)) worst = apart; /* NaN too, */
        if (isnan(apart)) break;              /* which stays */
    }
    snprintf(text, WORLD_TEXT, "%d %d %g", (int)cuda.stats.accepted, fake_launches(), worst / largest);
    free(cpu.x), free(cuda.x);
}

static void check(const variant *v, int32_t samples, const char *order)
{
    int steps, launches;
    double apart;
    built = load_variant(v);
    batch = samples;
    setenv("SIM_ORDER", order, 1);
    assert_int_equal(sscanf(world_run(compare_devices, NULL), "%d %d %lf", &steps, &launches, &apart), 3);
    print_message("           %-16s %-6s %s, batch %d: %d steps, %d launches, %.1e apart\n", built->name, built->method,
                  built->sensitivity.name, (int)batch, steps, launches, apart);
    const int each = built->forward->late ? 3 : 1; /* whose reverse has a derivative's besides, at every step */
    assert_true(launches < (built->sensitivity.checkpoints ? 1000 : 100) + each * steps);
    assert_true(apart < 1e-11);
}

static void gradients(void **state)
{
    (void)state;
    static const char lotka[] = "models/lotka_volterra.lua", wide[] = "tests/models/wide.lua";
    check(&(variant){lotka, NULL, {"sensitivity=interpolating"}}, 35, "skew:1");
    check(&(variant){lotka, NULL, {"sensitivity=gauss"}}, 3, "reverse");
    check(&(variant){lotka, "rosenbrock23", {"sensitivity=interpolating", "solver.rtol=1e-4", "solver.atol=1e-4"}}, 3, "skew:2");
    check(&(variant){lotka, "dop853", {"sensitivity=interpolating"}}, 3, "skew:1");
    check(&(variant){lotka, NULL, {"sensitivity=L.gauss{checkpoints=4}"}}, 3, "forward");
    check(&(variant){lotka, NULL, {"sensitivity=backsolve"}}, 67, "forward");
    check(&(variant){lotka, NULL, {"sensitivity=discrete"}}, 35, "skew:2");
    check(&(variant){wide, "bs3", {"precision=f64", "sensitivity=gauss"}}, 13, "skew:2");
    check(&(variant){wide, "bs3", {"precision=f64", "sensitivity=interpolating"}}, 13, "skew:1");
    check(&(variant){wide, NULL, {"precision=f64", "sensitivity=discrete"}}, 13, "reverse");
    check(&(variant){lotka, "rk4", {"sensitivity=discrete", "solver.h=0.02", "solver.tspan={0,2}"}}, 35, "skew:1");
    check(&(variant){wide, "bs3", {"precision=f64", "sensitivity=discrete", "solver.h=0.07"}}, 13, "skew:2");
    check(&(variant){"models/gbm.lua", "sosri", {"solver.h=0.01"}}, 35, "reverse");
    check(&(variant){"models/gbm.lua", "sosri", {"solver.rtol=1e-2"}}, 35, "skew:1");
    check(&(variant){"models/ornstein_uhlenbeck.lua", "sra1", {"solver.atol=1e-2", "solver.tspan={0,0.5}"}}, 67, "skew:2");
    check(&(variant){"models/mnist_nsde.lua", "sosri", {"precision=f64", "regularize=false", "solver.tspan={0,0.05}"}}, 9,
          "skew:1");
    check(&(variant){lotka, "vcab3", {"sensitivity=discrete", "solver.rtol=1e-3", "solver.atol=1e-3"}}, 35, "skew:1");
    check(&(variant){wide, "vcab3", {"precision=f64", "sensitivity=discrete", "regularize=false"}}, 13, "skew:2");
}

/* ---- what is regularized ---- */

/* In a scenario: the accepted steps at some times, the least E of them, and how far apart E and R are at most. */
static void compare_local(char *text)
{
    void (*fake_text)(void *);
    world_fake_function("fake_text", &fake_text);
    fake_text(library);
    lrnde_solver *s[] = {create("cpu"), create("cuda")};
    double worst = 0, E = INFINITY;
    for (int i = 1; i < 4; i++) {
        lrnde_local_report r[2];
        for (int d = 0; d < 2; d++) MUST(!lrnde_local(s[d], built->t0 + 0.25 * i * (built->t1 - built->t0), 0, &r[d]));
        const double apart = fmax(fabs(r[1].E / r[0].E - 1), fabs(r[1].reg / r[0].reg - 1));
        E = fmin(E, r[0].E);
        if (!(apart <= worst)) worst = apart; /* NaN too */
    }
    snprintf(text, WORLD_TEXT, "%g %g", E, worst);
    lrnde_destroy(s[0]), lrnde_destroy(s[1]);
}

/* At a tolerance at which an error estimate is no rounding R and E are simply the same. */
static void check_local(const char *file, const char *method, const char *setting)
{
    static const char *const precisions[] = {"precision=f64", "precision=f32"};
    for (int i = 0; i < 2; i++) {
        double E, apart;
        built = load_variant(&(variant){file, method, {precisions[i], "solver.rtol=1e-2", "solver.atol=1e-2", setting}});
        assert_int_equal(sscanf(world_run(compare_local, NULL), "%lf %lf", &E, &apart), 2);
        print_message("           %-16s %-6s, %s: E at least %.2g, %.1e apart\n", built->name, built->method, precisions[i], E,
                      apart);
        assert_true(E > 0.01 && apart < (i == 0 ? 1e-12 : 1e-5));
    }
}

static void local_steps(void **state)
{
    (void)state;
    static const char wide[] = "tests/models/wide.lua", lotka[] = "models/lotka_volterra.lua";
    batch = 13;
    check_local(wide, "heun21", "solver.tspan={0,10}");
    check_local(wide, "bs3", "solver.tspan={0,10}");
    batch = 35;
    check_local(lotka, "heun21", "regularize=true");
    check_local(lotka, "bs3", "regularize=true");
}

/* ---- mistakes in the text, each of which must be caught ---- */

/* What is replaced in the text of a model by this sensitivity, and by what. */
typedef struct mistake {
    const char *what, *sensitivity, *from, *to;
} mistake;

static const mistake MISTAKES[] = {
    {"nothing", "sensitivity=discrete", "gridDim.x", "gridDim.x"},
    {"the first of a list again", "sensitivity=discrete", "list + i * stride", "list"},
    {"partial sums that are not cleared", "sensitivity=gauss", "lotka_volterra_clear(&b", "if (0) lotka_volterra_clear(&b"},
    {"no barrier before they are added up", "sensitivity=gauss",
     "lrnde_grid_meet(&course->met);\n            lotka_volterra_adjoint", "lotka_volterra_adjoint"},
    {"no barrier before they are cleared", "sensitivity=gauss", "lrnde_grid_meet(&course->met); /* before partial", "/* "},
    {"sums of the shared phase left out", "sensitivity=interpolating", "a.sums, a.tiles + 1", "a.sums, a.tiles"},
    {"no barrier before they are read", "sensitivity=interpolating", "f64_share(&a);\n        lrnde_grid_meet(&course->met);",
     "f64_share(&a);"},
    {"the length of another step", "sensitivity=interpolating", "course->path_h[*n], b.s.theta", "*course->path_h, b.s.theta"},
};

/* The same of a wide model's steps by clusters. */
static const mistake MISTAKES_OF_CLUSTERS[] = {
    {"nothing", "sensitivity=discrete", "gridDim.x", "gridDim.x"},
    {"parts read before they are there", "sensitivity=discrete", "lrnde_cluster_meet();\n#pragma", "__syncthreads();\n#pragma"},
    {"one place for the parts of all sums", "sensitivity=discrete", "partial + 512", "partial + 0"},
    {"a block's own part for every other", "sensitivity=discrete", "lrnde_peer(partial, rank)", "lrnde_peer(partial, 0)"},
    {"terms that are none not zero", "sensitivity=discrete", "e < BLOCKS * DEPTH * LANES; e += (int)blockDim.x", "e < 0; e++"},
    {"weights of another part", "sensitivity=discrete", "w[(i0 + i) * si", "w[i * si"},
    {"samples of no tile counted", "sensitivity=discrete", "wanted < a->tiles && tile", "tile"},
    {"features that are none", "sensitivity=discrete", "&& i >= end_72) continue", "&& i > end_72) continue"},
    {"no barrier before x is multiplied", "sensitivity=discrete", "x[e] = 0;\n    __syncthreads();", "x[e] = 0;"},
    {"sums that replace those of the last step", "sensitivity=discrete", "% 2 * rows", "* 0 * rows"},
    {"gradients added to those of the last step", "sensitivity=interpolating", "valid, tile == begin)", "valid, false)"},
};

/* The same of steps that remember others. */
static const mistake MISTAKES_OF_MEMORY[] = {
    {"nothing", "sensitivity=discrete", "gridDim.x", "gridDim.x"},
    {"the length of another step", "sensitivity=discrete", "p->h_2 = p->h_1, p->h_1 = p->h;", ";"},
    {"the lengths of other steps to begin with", "sensitivity=discrete", "c->past[0], c->past[1]", "c->past[1], c->past[0]"},
    {"no derivative where a step ends", "sensitivity=discrete", "if (at.took) {", "if (0) {"},
    {"the derivative where it began", "sensitivity=discrete", "b.carry = (const void *const *)a.next", "b.carry = a.carry"},
};

/* The same of steps that make their increments. */
static const mistake MISTAKES_OF_PATHS[] = {
    {"nothing", "sensitivity=discrete", "gridDim.x", "gridDim.x"},
    {"rejected steps that forget their pieces", "sensitivity=discrete", "threadIdx.x == 0 && took", "threadIdx.x == 0"},
    {"increments made before it is known of what", "sensitivity=discrete", "fabs(a->s.h));\n    __syncthreads();",
     "fabs(a->s.h));"},
    {"the numbers of the first draw", "sensitivity=discrete", "(unsigned)trial->draw", "0u"},
    {"a rest that is the whole", "sensitivity=discrete", "rest = whole - first", "rest = whole"},
    {"the first of several pieces alone", "sensitivity=discrete", "i < path->pieces.n_used", "i < 1"},
    {"a path that is not given back", "sensitivity=discrete", "lrnde_path_end(&path, course)", "(void)0"},
};

/* What goes on for ever has been caught; it takes a tenth of this where nothing is wrong. */
static void compare_briefly(char *text)
{
    setrlimit(RLIMIT_CPU, &(struct rlimit){4, 4});
    compare_devices(text);
}

static int goes_wrong(const char *order)
{
    int steps, launches, status;
    double apart;
    setenv("SIM_ORDER", order, 1);
    const char *text = world_try(compare_briefly, NULL, &status);
    return status || sscanf(text, "%d %d %lf", &steps, &launches, &apart) != 3 || !(apart < 1e-11);
}

static void check_mistakes(const mistake *list, size_t n, const char *file, const char *method, const char *rtol,
                           const char *atol)
{
    int missed = 0;
    for (const mistake *x = list; x < list + n; x++) {
        build_variant(&(variant){file, method, {x->sensitivity, "precision=f64", rtol, atol}}, NULL, &TOOL, &built);
        char *text = replaced(lrnde_text_for(built, &SIM)->text, x->from, x->to);
        load_text(text, "-O0");
        free(text);
        int by = 0;
        while (by < N_ORDERS && !goes_wrong(ORDERS[by])) by++;
        print_message("           %-42s %s\n", x->what, by < N_ORDERS ? ORDERS[by] : "-");
        missed += (by == N_ORDERS) != !strcmp(x->what, "nothing");
    }
    if (missed) fail_msg("%d mistakes were missed, or nothing was taken for one", missed);
}

static void mistakes_are_caught(void **state)
{
    (void)state;
    static const char rtol[] = "solver.rtol=1e-3", atol[] = "solver.atol=1e-3";
    batch = 67;
    check_mistakes(MISTAKES, sizeof MISTAKES / sizeof *MISTAKES, "models/lotka_volterra.lua", "bs3", rtol, atol);
    batch = 3;
    check_mistakes(MISTAKES_OF_MEMORY, sizeof MISTAKES_OF_MEMORY / sizeof *MISTAKES_OF_MEMORY, "models/lotka_volterra.lua",
                   "vcab3", rtol, atol);
    check_mistakes(MISTAKES_OF_PATHS, sizeof MISTAKES_OF_PATHS / sizeof *MISTAKES_OF_PATHS,
                   "tests/numeric/models/known_additive.lua", "sosra", "solver.rtol=3e-3", "solver.atol=3e-3");
}

static void mistakes_of_clusters_are_caught(void **state)
{
    (void)state;
    batch = 9; /* three tiles, of which a cluster has two */
    check_mistakes(MISTAKES_OF_CLUSTERS, sizeof MISTAKES_OF_CLUSTERS / sizeof *MISTAKES_OF_CLUSTERS, "tests/models/wide.lua",
                   "bs3", "solver.rtol=1e-3", "solver.atol=1e-3");
}

int main(int argc, char **argv)
{
    world_enter(argv);
    sim_begin(argc, argv);
    world_driver("libcuda.so");
    const struct CMUnitTest tests[] = {cmocka_unit_test(gradients), cmocka_unit_test(local_steps),
                                       cmocka_unit_test(mistakes_are_caught), cmocka_unit_test(mistakes_of_clusters_are_caught)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
