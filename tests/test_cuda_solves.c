/*
 * test_cuda_solves.c - whole adaptive integrations in a launch of the emitted CUDA text, on this CPU, take the
 * steps that the runtime takes.
 */
#include "cuda_integration.h"

enum { MOST_STEPS = 4000 };

/* The same steps in one launch, whose blocks decide on them together, as the runtime takes on the CPU. */
static void check_run(const variant *v, int32_t batch, const char *order, int32_t n_clusters)
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
    static double t[MOST_STEPS], h[MOST_STEPS], sums[MOST_STEPS * LRNDE_MAX_SUMS];
    void *carry[2 * MOST_CARRY], *k[2 * MOST_CARRY];
    for (int32_t i = 0; i < sys->n_carry; i++) carry[i] = (void *)l.args.carry[i], carry[sys->n_carry + i] = l.args.next[i];
    for (int32_t i = 0; i < 2 * n_k; i++) k[i] = i % n_k < sys->n_k ? l.args.k[i % n_k] : NULL;
    course.most = MOST_STEPS;
    course.slots = 2, course.ring = 1, course.carry = carry, course.k = k;
    course.t = t, course.h = h, course.sums = sums;
    go(&l, n_clusters ? "cluster_run" : "run", &course, n_clusters);
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
static void check_record(const variant *v, int32_t batch, const char *order, int32_t n_clusters)
{
    enum { SLOTS = 5 };
    static launch l;
    char field[64];
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
        snprintf(field, sizeof field, "%srun%s", n_clusters ? "cluster_" : "", taped ? "_tape" : "");
        go(&l, field, &course, n_clusters);
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
    check_record(&(variant){"models/lotka_volterra.lua", NULL, {"solver.rtol=1e-3", "solver.atol=1e-3"}}, 35, "skew:2", 0);
    check_record(&(variant){"models/van_der_pol.lua", "rkf45", {"solver.rtol=1e-3", "solver.atol=1e-3"}}, 3, "reverse", 0);
}

static void whole_integrations(void **state)
{
    (void)state;
    check_run(&(variant){"models/lotka_volterra.lua", NULL, {NULL}}, 1, "forward", 0);
    check_run(&(variant){"models/lotka_volterra.lua", "dop853", {NULL}}, 67, "skew:1", 0);
    check_run(&(variant){"models/van_der_pol.lua", NULL, {NULL}}, 35, "reverse", 0);
    check_run(&(variant){"models/van_der_pol.lua", "rkf45", {"solver.rtol=1e-5"}}, 70, "skew:2", 0);
    check_run(&(variant){"models/robertson.lua", NULL, {NULL}}, 3, "forward", 0);
    check_run(&(variant){"tests/models/wide.lua", NULL, {"precision=f64"}}, 13, "skew:1", 0);
}

/* By clusters: more of them than one has samples for, and fewer. */
static void wide_models(void **state)
{
    (void)state;
    check_run(&(variant){"tests/models/wide.lua", NULL, {"precision=f64"}}, 13, "skew:1", 2);
    check_run(&(variant){"tests/models/wide.lua", "tsit5", {"precision=f64"}}, 21, "reverse", 1);
    check_run(&(variant){"tests/models/wide.lua", "dp5", {"matmul=\"3xtf32\""}}, 13, "skew:2", 1);
    check_record(&(variant){"tests/models/wide.lua", "bs3", {"precision=f64", "sensitivity=\"discrete\""}}, 13, "skew:2", 1);
    check_run(&(variant){"models/mnist_node.lua", NULL, {"solver.rtol=1e-3", "solver.atol=1e-3"}}, 20, "skew:1", 2);
}

int main(int argc, char **argv)
{
    sim_begin(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_integrations),
        cmocka_unit_test(records),
        cmocka_unit_test(wide_models),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
