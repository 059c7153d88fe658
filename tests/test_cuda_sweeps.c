/*
 * test_cuda_sweeps.c - whole solves and gradients by the emitted CUDA text, on this CPU (cuda_launch.h), against those of the C
 * backend: the runtime drives the text as it drives a device, and every kernel runs that a gradient takes.
 *
 * What goes by the name of cuda in this program is not the backend's driver but the one below.
 */
#include "cuda_launch.h"

#include "lrnde.h"

static int courses[2]; /* gone: of the forward system, of the adjoint */

static void launch_any(lrnde_device *d, const lrnde_kernel *kernel, const lrnde_args *a, double *total)
{
    double unwanted[LRNDE_MAX_SUMS];
    sim_launch(d, kernel, a, total ? total : unwanted);
}

static void add_squares(lrnde_device *d, const void *x, int64_t n, double *total)
{
    (void)d;
    *total = 0;
    for (int64_t i = 0; i < n; i++) *total += ((const double *)x)[i] * ((const double *)x)[i];
}

/* A launch of the kernel that goes such courses, if the text has it. */
static int go(lrnde_device *d, const lrnde_system_desc *sys, const lrnde_args *args, lrnde_course *course)
{
    char name[256];
    const int *threads;
    void (*run)(void (*)(void), const void *, lrnde_course *, int, int), (*kernel)(void);
    const int adjoint = sys == d->model->adjoint;
    snprintf(name, sizeof name, "%s_%s_f64", d->model->name, adjoint ? "adjoint_run" : course->tape ? "run_tape" : "run");
    void *symbol = dlsym(library, name);
    if (!symbol) return 0;
    memcpy(&kernel, &symbol, sizeof kernel);
    find_symbol("sim_launch_run", &run);
    find_symbol("sim_tile_threads", &threads);
    course->met = 0;
    run(kernel, args, course, args->workers, *threads);
    courses[adjoint]++;
    return 1;
}

const lrnde_driver lrnde_driver_cuda = {
    .name = "cuda",
    .preference = -1,
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
    .squares = add_squares,
    .launch = launch_any,
    .run = go,
    .sync = sim_sync,
};

/* What a solve and its gradient leave behind. */
typedef struct result {
    lrnde_stats stats;
    size_t n;
    double *x; /* (n) */
} result;

static void take(lrnde_solver *s, const char *name, result *r)
{
    lrnde_array a;
    assert_int_equal(lrnde_array_find(s, name, &a), LRNDE_OK);
    r->x = realloc(r->x, r->n * sizeof *r->x + a.bytes);
    assert_int_equal(lrnde_get(s, name, r->x + r->n, a.bytes), LRNDE_OK);
    r->n += a.bytes / sizeof *r->x;
}

/* The gradient of a sum of outputs, at save times inside steps and at the end. */
static result differentiate(const lrnde_model_desc *m, const char *device, int32_t batch)
{
    lrnde_options o = LRNDE_OPTIONS;
    lrnde_solver *s;
    lrnde_array out;
    lrnde_error e;
    result r = {.n = 0};
    const char *output = m->n_outputs ? m->outputs[0].name : "u", *start = m->u0 ? "u0" : m->inputs[0].name;
    const double t[] = {m->t0 + 0.31 * (m->t1 - m->t0), m->t0 + 0.5 * (m->t1 - m->t0), m->t1};
    o.batch = batch, o.training = 1, o.device = device, o.threads = 2;
    if (lrnde_create(&s, m, &o, &e)) fail_msg("%s", e.text);
    const size_t n = (size_t)batch * (size_t)m->state;
    double *u0 = malloc(n * sizeof *u0);
    for (size_t i = 0; i < n; i++)
        u0[i] = m->u0 ? m->u0[i % (size_t)m->state] * (1 + 0.5 * (double)(i / (size_t)m->state) / batch) : sin((double)i);
    assert_int_equal(lrnde_set(s, start, u0, n * sizeof *u0), LRNDE_OK);
    if (lrnde_solve(s, t, 3, &r.stats)) fail_msg("%s", lrnde_last_error(s)->text);
    assert_int_equal(lrnde_array_find(s, output, &out), LRNDE_OK);
    double *cot = malloc(out.bytes);
    for (size_t i = 0; i < out.bytes / sizeof *cot; i++) cot[i] = cos((double)i);
    if (lrnde_gradient(s, output, cot, out.bytes)) fail_msg("%s", lrnde_last_error(s)->text);
    take(s, output, &r);
    if (m->n_params) take(s, "grad/params", &r);
    char grad[64];
    snprintf(grad, sizeof grad, "grad/%s", start);
    take(s, grad, &r);
    lrnde_destroy(s);
    free(cot), free(u0);
    return r;
}

static void check(const variant *v, int32_t batch, const char *order, double bound)
{
    const lrnde_model_desc *m = load_variant(v);
    result cpu = differentiate(m, "cpu", batch);
    setenv("SIM_ORDER", order, 1);
    courses[0] = courses[1] = 0;
    result cuda = differentiate(m, "cuda", batch);
    double worst = 0, largest = 0;
    assert_int_equal(cpu.n, cuda.n);
    for (size_t i = 0; i < cpu.n; i++) largest = fmax(largest, fabs(cpu.x[i])), worst = fmax(worst, fabs(cpu.x[i] - cuda.x[i]));
    print_message("           %-16s %-8s %s batch %d: %lld steps, %d + %d launches, %.1e apart\n", m->name, m->method,
                  m->sensitivity.name, (int)batch, (long long)cuda.stats.accepted, courses[0], courses[1], worst / largest);
    assert_int_equal(cpu.stats.accepted, cuda.stats.accepted);
    assert_int_equal(cpu.stats.rejected, cuda.stats.rejected);
    assert_true(courses[0] > 0);
    assert_true(!m->adjoint || courses[1] >= 3);
    assert_true(worst <= bound * largest);
    free(cpu.x), free(cuda.x);
}

static void gradients(void **state)
{
    (void)state;
    static const char lotka[] = "models/lotka_volterra.lua", wide[] = "tests/models/wide.lua";
    check(&(variant){lotka, NULL, {"sensitivity=interpolating"}}, 35, "skew:1", 1e-9);
    check(&(variant){lotka, NULL, {"sensitivity=gauss"}}, 3, "reverse", 1e-9);
    check(&(variant){lotka, NULL, {"sensitivity=backsolve"}}, 67, "forward", 1e-9);
    check(&(variant){wide, "bs3", {"precision=f64", "sensitivity=gauss"}}, 13, "skew:2", 1e-9);
    check(&(variant){wide, "bs3", {"precision=f64", "sensitivity=interpolating"}}, 13, "skew:1", 1e-9);
}

int main(int argc, char **argv)
{
    sim_begin(argc, argv);
    const struct CMUnitTest tests[] = {cmocka_unit_test(gradients)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
