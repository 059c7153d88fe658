/*
 * test_cuda_solves.c - whole adaptive integrations in a launch of the emitted CUDA text, on this CPU (cuda_launch.h), take the
 * steps that the runtime takes.
 */
#include "cuda_launch.h"

#include "control.h"
#include "lrnde.h"

enum { MOST_CARRY = 32 /* arrays, or stages */ };

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

/* The beginning of a course from x, with arguments for it. */
static lrnde_course begin_course(launch *l, const lrnde_model_desc *m, int32_t batch, const integration *x)
{
    begin_at(l, m, &m->forward->step, batch, x);
    if (m->forward->fsal) carry_derivative(l, m, batch, x);
    return (lrnde_course){.t1 = m->t1,
                          .look = m->t1,
                          .shortest = lrnde_shortest(m->t0, m->t1),
                          .now = m->t0,
                          .next = x->stats.first_h,
                          .e_old = LRNDE_E_OLD};
}

/* A launch of kernel `what`. */
static void go(const launch *l, const char *what, lrnde_course *course)
{
    char name[256];
    const int *threads;
    void (*kernel)(void);
    void (*run)(void (*)(void), const void *, lrnde_course *, int, int);
    snprintf(name, sizeof name, "%s_%s_f64", l->model->name, what);
    find_symbol(name, &kernel);
    find_symbol("sim_launch_run", &run);
    find_symbol("sim_tile_threads", &threads);
    run(kernel, &l->args, course, l->args.workers, *threads);
}

/* As many steps as the CPU took, to the same end. */
static void check_end(const launch *l, void *u, int64_t accepted, int64_t rejected, const integration *x)
{
    const int64_t state = l->model->state;
    const launch_array end = {.per_sample = true, .size = state, .at = u};
    double worst = 0;
    for (int64_t i = 0; i < l->args.batch * state; i++)
        worst = fmax(worst, fabs(launch_get(l, &end, i / state, i % state) - x->u1[i]) / (1 + fabs(x->u1[i])));
    print_message("           %-16s %-8s batch %d: %lld + %lld steps, %.1e apart\n", l->model->name, l->model->method,
                  (int)l->args.batch, (long long)accepted, (long long)rejected, worst);
    assert_int_equal(accepted, x->stats.accepted);
    assert_int_equal(rejected, x->stats.rejected);
    assert_true(worst < 1e-9);
}

/* The same steps in one launch, whose blocks decide on them together, as the runtime takes on the CPU. */
static void check_run(const variant *v, int32_t batch, const char *order)
{
    static launch l;
    char field[64];
    const lrnde_model_desc *m = load_variant(v);
    const lrnde_system_desc *sys = m->forward;
    const int32_t n_k = sys->n_k + sys->n_extra;
    integration x = integrate(m, batch);
    setenv("SIM_ORDER", order, 1);
    lrnde_course course = begin_course(&l, m, batch, &x);
    for (int32_t i = 0; i < sys->n_carry + sys->n_k; i++) {
        snprintf(field, sizeof field, i < sys->n_carry ? "next[%d]" : "k[%d]", i < sys->n_carry ? i : i - sys->n_carry);
        launch_find(&l, field, true, m->state);
    }
    double t[2], h[2], sums[2 * LRNDE_MAX_SUMS];
    void *carry[2 * MOST_CARRY], *k[2 * MOST_CARRY];
    for (int32_t i = 0; i < sys->n_carry; i++) carry[i] = (void *)l.args.carry[i], carry[sys->n_carry + i] = l.args.next[i];
    for (int32_t i = 0; i < 2 * n_k; i++) k[i] = i % n_k < sys->n_k ? l.args.k[i % n_k] : NULL;
    course.most = 100000;
    course.slots = 2, course.ring = 1, course.carry = carry, course.k = k;
    course.t = t, course.h = h, course.sums = sums;
    go(&l, "run", &course);
    assert_true(course.now == m->t1 && !course.over);
    check_end(&l, carry[course.slot * sys->n_carry], course.accepted, course.rejected, &x);
    launch_end(&l);
    free(x.params), free(x.u0), free(x.u1);
}

/* Arrays of so many rows a sample, as many as the table has room for. */
static void fill_table(launch *l, void **table, int32_t n, int64_t rows)
{
    for (int32_t i = 0; i < n; i++) table[i] = launch_alloc(l, (int64_t)l->args.tiles * l->tile * rows, NAN);
}

/* Whether all of an array was written since it was last asked of. */
static bool was_written(const launch *l, void *array, int64_t rows)
{
    double *x = array;
    bool written = true;
    for (int64_t i = 0; i < (int64_t)l->args.tiles * l->tile * rows; i++) {
        written = written && !isnan(x[i]);
        x[i] = NAN;
    }
    return written;
}

/* The same steps with a record of them, in launches of a few slots each, against the mesh of the CPU. */
static void check_record(const variant *v, int32_t batch, const char *order)
{
    enum { SLOTS = 5 };
    static launch l;
    const lrnde_model_desc *m = load_variant(v);
    const lrnde_system_desc *sys = m->forward;
    const int32_t n_k = sys->n_k + sys->n_extra;
    const bool taped = sys->step_tape.tile && !m->adjoint;
    integration x = integrate(m, batch);
    setenv("SIM_ORDER", order, 1);
    lrnde_course course = begin_course(&l, m, batch, &x);
    void *carry[(SLOTS + 1) * MOST_CARRY], *k[SLOTS * MOST_CARRY], *tape[SLOTS];
    double t[SLOTS], h[SLOTS], sums[SLOTS * LRNDE_MAX_SUMS];
    fill_table(&l, carry + sys->n_carry, SLOTS * sys->n_carry, m->state);
    fill_table(&l, k, SLOTS * n_k, m->state);
    fill_table(&l, tape, SLOTS, sys->tape);
    for (int32_t i = 0; i < sys->n_carry; i++) carry[i] = (void *)l.args.carry[i];
    course.most = 7;
    course.slots = SLOTS, course.carry = carry, course.k = k, course.tape = taped ? tape : NULL;
    course.t = t, course.h = h, course.sums = sums;
    int64_t accepted = 0, rejected = 0;
    while (course.now != m->t1) {
        double at = course.now;
        go(&l, taped ? "run_tape" : "run", &course);
        assert_true(!course.over && course.accepted + course.rejected > 0 && course.accepted == course.slot);
        for (int32_t i = 0; i < course.accepted; i++) {
            assert_true(t[i] == at);
            at = lrnde_advance(t[i], h[i], m->t1);
            if (i > 0) assert_true(was_written(&l, carry[i * sys->n_carry], m->state));
            for (int32_t j = 0; j < sys->n_k; j++) assert_true(was_written(&l, k[i * n_k + j], m->state));
            if (taped) assert_true(was_written(&l, tape[i], sys->tape));
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
    check_end(&l, carry[0], accepted, rejected, &x);
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

int main(int argc, char **argv)
{
    sim_begin(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_integrations),
        cmocka_unit_test(records),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
