/*
 * test_passes.c - a pass changes the form of a graph and never its meaning.
 *
 * Meaning: random graphs over all ops, by the reference evaluator, within 64 eps of the terms.  Form: what each pass promises
 * at the top of its file, on graphs small enough to be read as text.
 */
#include "random_graph.h"

#include <float.h>

#include "passes/pass.h"

static ir_graph *run(const ir_graph *g, const char *name)
{
    ir_graph *result = pass_run(g, name, NULL);
    if (!result) fail_msg("%s", ir_error());
    return result;
}

static ir_graph *run_all(const ir_graph *g)
{
    ir_graph *result = run(g, passes[0].name);
    for (int i = 1; i < PASSES; i++) result = run(result, passes[i].name);
    return result;
}

static bool has_input(const ir_graph *g, const char *name)
{
    for (ir_id i = 0; i < g->n_values; i++)
        if (g->values[i].op == IR_input && strcmp(g->values[i].name, name) == 0) return true;
    return false;
}

static void assert_same_contract(const ir_graph *before, const ir_graph *after, bool inputs)
{
    for (ir_id i = 0; i < before->n_values && inputs; i++)
        if (before->values[i].op == IR_input) assert_true(has_input(after, before->values[i].name));
    assert_int_equal(before->n_outputs, after->n_outputs);
    for (int32_t i = 0; i < before->n_outputs; i++) {
        const ir_output *a = &before->outputs[i], *b = &after->outputs[i];
        const ir_value *v = &before->values[a->value], *w = &after->values[b->value];
        assert_string_equal(a->name, b->name);
        assert_true(a->accumulate == b->accumulate && v->kind == w->kind && v->rank == w->rank && ir_size(v) == ir_size(w));
    }
}

static void assert_same_meaning(const ir_graph *before, const ir_graph *after, uint64_t seed, const char *pass)
{
    for (int32_t batch = 1; batch <= 7; batch = 2 * batch + 1) {
        ir_array *a = evaluate(before, batch, seed, 0), *b = evaluate(after, batch, seed, 0);
        for (int32_t o = 0; o < before->n_outputs; o++)
            for (int64_t i = 0; i < output_size(before, o, batch); i++) {
                const double difference = cabs(a[o].x[i] - b[o].x[i]), bound = 64 * DBL_EPSILON * a[o].terms[i];
                if (difference <= bound) continue;
                ir_print(before, stderr);
                ir_print(after, stderr);
                fail_msg("%s, seed %d, batch %d: %s[%d] is %.17g, not %.17g: differs by %g, may differ by %g", pass, (int)seed,
                         (int)batch, before->outputs[o].name, (int)i, creal(b[o].x[i]), creal(a[o].x[i]), difference, bound);
            }
        free_outputs(before, a);
        free_outputs(after, b);
    }
}

static void test_passes_keep_the_meaning(void **state)
{
    (void)state;
    int64_t seen[IR_OPS] = {0};
    for (uint64_t seed = 1; seed <= 150; seed++) {
        const ir_graph *g = make_random_graph(seed, 60, false);
        const ir_counts counts = ir_count(g);
        for (int i = 0; i < IR_OPS; i++) seen[i] += counts.op[i];
        if (!ir_verify(g)) fail_msg("%s", ir_error());
        for (int i = 0; i < PASSES; i++) {
            const ir_graph *after = run(g, passes[i].name);
            assert_same_contract(g, after, i != PASS_dce);
            assert_same_meaning(g, after, seed, passes[i].name);
        }
        const ir_graph *after = run_all(g);
        assert_same_contract(g, after, false);
        assert_same_meaning(g, after, seed, "all passes");
        assert_same_meaning(g, run_all(after), seed, "all passes twice");
    }
    for (int i = 0; i < IR_OPS; i++) assert_true(seen[i] > 0);
}

/* What the folded examples are made of. */
typedef struct small_graph {
    ir_graph *g;
    ir_id x, y, s, h, zero, one;
} small_graph;

static small_graph small_graph_new(void)
{
    ir_graph *g = ir_graph_new();
    small_graph r = {.g = g};
    r.x = vector(g, "x", IR_SAMPLE, 2);
    r.y = vector(g, "y", IR_SAMPLE, 2);
    r.s = scalar(g, "s", IR_SAMPLE);
    r.h = scalar(g, "h", IR_SHARED);
    r.zero = ir_const(g, 0, NULL);
    r.one = ir_const(g, 1, NULL);
    return r;
}

static void assert_folds_to(small_graph r, ir_id value, const char *expected)
{
    ir_add_output(r.g, "out", value, false);
    assert_text(run(run(run(r.g, "fold"), "cse"), "dce"), expected);
}

#define X  "%0 = input x : sample (2)\n"
#define XY X "%1 = input y : sample (2)\n"

static void test_fold_algebra(void **state)
{
    (void)state;
    small_graph r = small_graph_new();
    assert_folds_to(r, op2(r.g, IR_add, r.x, op2(r.g, IR_mul, r.zero, r.y)), X "output out = %0\n");
    r = small_graph_new();
    assert_folds_to(r, op2(r.g, IR_mul, op2(r.g, IR_div, r.x, r.one), r.one), X "output out = %0\n");
    r = small_graph_new();
    assert_folds_to(r, op2(r.g, IR_sub, r.zero, op1(r.g, IR_neg, r.x)), X "output out = %0\n");
    r = small_graph_new();
    assert_folds_to(r, op2(r.g, IR_add, r.x, op1(r.g, IR_neg, r.y)), XY "%2 = sub %0 %1 : sample (2)\noutput out = %2\n");
    r = small_graph_new();
    assert_folds_to(r, op2(r.g, IR_mul, op1(r.g, IR_neg, r.x), op1(r.g, IR_neg, r.y)),
                    XY "%2 = mul %0 %1 : sample (2)\noutput out = %2\n");
    r = small_graph_new();
    assert_folds_to(r, op2(r.g, IR_div, op1(r.g, IR_neg, r.x), op1(r.g, IR_neg, r.y)),
                    XY "%2 = div %0 %1 : sample (2)\noutput out = %2\n");
    r = small_graph_new();
    assert_folds_to(r, op3(r.g, IR_select, op2(r.g, IR_lt, r.one, r.zero), r.x, r.y),
                    "%0 = input y : sample (2)\noutput out = %0\n");
    r = small_graph_new();
    assert_folds_to(r, op2(r.g, IR_pow, r.x, ir_const(r.g, 3, NULL)),
                    X "%1 = mul %0 %0 : sample (2)\n%2 = mul %1 %0 : sample (2)\noutput out = %2\n");
    r = small_graph_new();
    assert_folds_to(r, op2(r.g, IR_mul, op1(r.g, IR_neg, r.x), ir_const(r.g, 0.75, "3/4")),
                    X "%1 = const -0.75 \"-3/4\" : shared ()\n%2 = mul %1 %0 : sample (2)\noutput out = %2\n");
}

/* A zero that an output reads has its shape; one that a sum reads is gone. */
static void test_fold_repetitions(void **state)
{
    (void)state;
    small_graph r = small_graph_new();
    assert_folds_to(r, op2(r.g, IR_mul, r.x, r.zero),
                    "%0 = const 0 : shared ()\n%1 = expand %0 [2] : shared (2)\n%2 = spread %1 : sample (2)\noutput out = %2\n");
    r = small_graph_new();
    assert_folds_to(r, op1(r.g, IR_neg, op2(r.g, IR_sub, move(r.g, IR_expand, r.s, 2, 0), move(r.g, IR_expand, r.h, 2, 0))),
                    "%0 = input s : sample ()\n%1 = input h : shared ()\n%2 = sub %1 %0 : sample ()\n"
                    "%3 = expand %2 [2] : sample (2)\noutput out = %3\n");
    r = small_graph_new();
    assert_folds_to(r, op1(r.g, IR_sum, move(r.g, IR_expand, r.s, 5, 0)),
                    "%0 = input s : sample ()\n%1 = const 5 : shared ()\n%2 = mul %1 %0 : sample ()\noutput out = %2\n");
}

static void test_fold_moves(void **state)
{
    (void)state;
    small_graph r = small_graph_new();
    ir_id all = op3(r.g, IR_concat, r.x, r.s, r.y);
    assert_folds_to(r, move(r.g, IR_index, all, 2, 0), "%0 = input s : sample ()\noutput out = %0\n");
    r = small_graph_new();
    all = op3(r.g, IR_concat, r.x, r.s, r.y);
    assert_folds_to(r, move(r.g, IR_slice, all, 3, 2), "%0 = input y : sample (2)\noutput out = %0\n");
    r = small_graph_new();
    all = op3(r.g, IR_concat, r.x, r.s, r.y);
    assert_folds_to(
        r, move(r.g, IR_slice, all, 1, 2),
        X "%1 = input s : sample ()\n%2 = slice %0 [1, 1] : sample (1)\n%3 = concat %2 %1 : sample (2)\noutput out = %3\n");
    r = small_graph_new();
    assert_folds_to(r, op2(r.g, IR_concat, move(r.g, IR_index, r.x, 0, 0), move(r.g, IR_index, r.x, 1, 0)),
                    X "output out = %0\n");
    r = small_graph_new();
    assert_folds_to(r, move(r.g, IR_slice, move(r.g, IR_pad, r.x, 3, 7), 2, 4),
                    X "%1 = pad %0 [1, 4] : sample (4)\noutput out = %1\n");
    r = small_graph_new();
    assert_folds_to(r, move(r.g, IR_pad, move(r.g, IR_pad, r.x, 3, 7), 1, 9),
                    X "%1 = pad %0 [4, 9] : sample (9)\noutput out = %1\n");
    r = small_graph_new();
    assert_folds_to(r, move(r.g, IR_index, move(r.g, IR_slice, r.x, 1, 1), 0, 0),
                    X "%1 = index %0 [1] : sample ()\noutput out = %1\n");
    r = small_graph_new();
    assert_folds_to(r, move(r.g, IR_index, move(r.g, IR_pad, r.x, 3, 7), 1, 0),
                    "%0 = const 0 : shared ()\n%1 = spread %0 : sample ()\noutput out = %1\n");
}

/* Nothing is multiplied by a zero, whatever its shape: a sum with such a product is what is added to it. */
static void test_fold_zero_products(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        small_graph r = small_graph_new();
        const ir_id w = matrix(r.g, "W", 2, 2);
        const ir_id no_vector = op2(r.g, IR_mul, r.zero, r.x), no_matrix = op2(r.g, IR_mul, w, r.zero);
        const ir_id args[5][2] = {{w, no_vector}, {no_matrix, r.y}, {w, no_vector}, {r.y, no_vector}, {no_vector, r.y}};
        const ir_op products[5] = {IR_matvec, IR_matvec, IR_matvec_t, IR_outer, IR_outer};
        const ir_id product = op2(r.g, products[i], args[i][0], args[i][1]);
        const bool outer = products[i] == IR_outer;
        assert_folds_to(r, op2(r.g, IR_add, product, outer ? w : r.y),
                        outer ? "%0 = input W : shared (2, 2)\noutput out = %0\n"
                              : "%0 = input y : sample (2)\noutput out = %0\n");
    }
}
#undef X
#undef XY

static void test_cse(void **state)
{
    (void)state;
    small_graph r = small_graph_new();
    ir_id a = op2(r.g, IR_mul, r.x, r.y), b = op2(r.g, IR_mul, r.y, r.x);
    ir_id c = op2(r.g, IR_sub, r.x, r.y), d = op2(r.g, IR_sub, r.y, r.x);
    ir_set_name(r.g, b, "xy");
    const ir_id ab = op2(r.g, IR_add, a, b), cd = op2(r.g, IR_add, c, d);
    ir_add_output(r.g, "out", op2(r.g, IR_add, ab, cd), false);
    assert_text(run(run(r.g, "cse"), "dce"), "%0 = input x : sample (2)\n"
                                             "%1 = input y : sample (2)\n"
                                             "%2 = mul %0 %1 : sample (2)  xy\n"
                                             "%3 = sub %0 %1 : sample (2)\n"
                                             "%4 = sub %1 %0 : sample (2)\n"
                                             "%5 = add %2 %2 : sample (2)\n"
                                             "%6 = add %3 %4 : sample (2)\n"
                                             "%7 = add %5 %6 : sample (2)\n"
                                             "output out = %7\n");
}

/* A Lotka-Volterra right-hand side as the language traces it: parameters indexed, a vector in, a vector out. */
static ir_id lotka_volterra(ir_graph *g, ir_id u)
{
    const ir_id p = vector(g, "params", IR_SHARED, 4);
    const ir_id x = move(g, IR_index, u, 0, 0), y = move(g, IR_index, u, 1, 0), xy = op2(g, IR_mul, x, y);
    ir_id c[4];
    for (int32_t i = 0; i < 4; i++) c[i] = move(g, IR_index, p, i, 0);
    return op2(g, IR_concat, op2(g, IR_sub, op2(g, IR_mul, c[0], x), op2(g, IR_mul, c[1], xy)),
               op2(g, IR_sub, op2(g, IR_mul, c[3], xy), op2(g, IR_mul, c[2], y)));
}

/* Heun's method, its error in the scaled norm: sums, parameters, vectors and scalars together. */
static ir_graph *heun_step(void)
{
    ir_graph *g = ir_graph_new();
    const ir_id u = vector(g, "carry[0]", IR_SAMPLE, 2), h = scalar(g, "h", IR_SHARED);
    const ir_id atol = scalar(g, "atol", IR_SHARED), half = ir_const(g, 0.5, "1/2");
    const ir_id k1 = lotka_volterra(g, u);
    ir_set_name(g, k1, "k1");
    const ir_id k2 = lotka_volterra(g, op2(g, IR_add, u, op2(g, IR_mul, h, k1)));
    const ir_id next = op2(g, IR_add, u, op2(g, IR_mul, op2(g, IR_mul, h, half), op2(g, IR_add, k1, k2)));
    const ir_id error = op2(g, IR_mul, h, op2(g, IR_sub, k2, k1));
    const ir_id scaled = op2(g, IR_div, error, op2(g, IR_add, atol, op1(g, IR_abs, next)));
    ir_add_output(g, "next[0]", next, false);
    ir_add_output(g, "sums[0]", op1(g, IR_batch_sum, op1(g, IR_sum, op2(g, IR_mul, scaled, scaled))), false);
    return g;
}

static int vector_maps(const ir_graph *g)
{
    int n = 0;
    for (ir_id i = 0; i < g->n_values; i++) n += ir_ops[g->values[i].op].class == IR_MAP && g->values[i].rank > 0;
    return n;
}

static void test_unroll(void **state)
{
    (void)state;
    const ir_graph *g = run(run(heun_step(), "fold"), "cse"), *scalars = run(run(g, "unroll"), "dce");
    assert_true(vector_maps(g) > 0);
    assert_int_equal(vector_maps(scalars), 0);
    const ir_counts counts = ir_count(scalars);
    assert_int_equal(counts.op[IR_concat], 1); /* next */
    assert_int_equal(counts.op[IR_index], 6);  /* u, params */
    assert_int_equal(counts.op[IR_sum], 0);
    assert_same_meaning(g, scalars, 1, "unroll");
}

static void test_unroll_budget(void **state)
{
    (void)state;
    const ir_graph *g = heun_step();
    char *before = text_of(g);
    assert_text(pass_run(g, "unroll", &(pass_options){.unroll_budget = 10, .unroll_width = 32}), before);
    assert_text(pass_run(g, "unroll", &(pass_options){.unroll_budget = 1500, .unroll_width = 1}), before);
    free(before);
}

static void test_unroll_sum(void **state)
{
    (void)state;
    ir_graph *g = ir_graph_new();
    const ir_id x = vector(g, "x", IR_SAMPLE, 3), a = vector(g, "a", IR_SHARED, 3);
    ir_add_output(g, "out", op1(g, IR_sum, op2(g, IR_mul, x, op1(g, IR_exp, a))), false);
    assert_text(run(g, "unroll"), "%0 = input x : sample (3)\n"
                                  "%1 = input a : shared (3)\n"
                                  "%2 = index %1 [0] : shared ()\n"
                                  "%3 = exp %2 : shared ()\n"
                                  "%4 = index %1 [1] : shared ()\n"
                                  "%5 = exp %4 : shared ()\n"
                                  "%6 = index %1 [2] : shared ()\n"
                                  "%7 = exp %6 : shared ()\n"
                                  "%8 = index %0 [0] : sample ()\n"
                                  "%9 = mul %8 %3 : sample ()\n"
                                  "%10 = index %0 [1] : sample ()\n"
                                  "%11 = mul %10 %5 : sample ()\n"
                                  "%12 = index %0 [2] : sample ()\n"
                                  "%13 = mul %12 %7 : sample ()\n"
                                  "%14 = add %9 %11 : sample ()\n"
                                  "%15 = add %14 %13 : sample ()\n"
                                  "output out = %15\n");
}

/* Parameter-sized work belongs to the shared phase of a kernel, which walks arrays. */
static void test_unroll_keeps_shared_sums(void **state)
{
    (void)state;
    ir_graph *g = ir_graph_new();
    const ir_id a = vector(g, "a", IR_SHARED, 3);
    ir_add_output(g, "out", op1(g, IR_sum, op2(g, IR_mul, a, a)), false);
    char *before = text_of(g);
    assert_text(run(g, "unroll"), before);
    free(before);
}

static void test_lincomb(void **state)
{
    (void)state;
    ir_graph *g = ir_graph_new();
    const ir_id u = scalar(g, "u", IR_SAMPLE), k1 = scalar(g, "k[0]", IR_SAMPLE);
    const ir_id k2 = scalar(g, "k[1]", IR_SAMPLE), h = scalar(g, "h", IR_SHARED);
    const ir_id first = op2(g, IR_add, op2(g, IR_mul, h, k1), u);
    const ir_id shared = op2(g, IR_add, op2(g, IR_mul, h, h), h);
    const ir_id twice = op2(g, IR_mul, k1, k2);
    ir_add_output(g, "next", op2(g, IR_sub, first, op2(g, IR_mul, k2, shared)), false);
    ir_add_output(g, "other", op2(g, IR_sub, op2(g, IR_mul, k1, u), op2(g, IR_add, twice, op1(g, IR_sin, twice))), false);
    assert_text(run(g, "lincomb"), "%0 = input u : sample ()\n"
                                   "%1 = input k[0] : sample ()\n"
                                   "%2 = input k[1] : sample ()\n"
                                   "%3 = input h : shared ()\n"
                                   "%4 = fma %3 %1 %0 : sample ()\n"
                                   "%5 = mul %3 %3 : shared ()\n"
                                   "%6 = add %5 %3 : shared ()\n"
                                   "%7 = mul %1 %2 : sample ()\n"
                                   "%8 = neg %6 : shared ()\n"
                                   "%9 = fma %2 %8 %4 : sample ()\n"
                                   "%10 = sin %7 : sample ()\n"
                                   "%11 = add %7 %10 : sample ()\n"
                                   "%12 = neg %11 : sample ()\n"
                                   "%13 = fma %1 %0 %12 : sample ()\n"
                                   "output next = %9\n"
                                   "output other = %13\n");

    g = ir_graph_new();
    const ir_id x = scalar(g, "x", IR_SAMPLE), y = scalar(g, "y", IR_SAMPLE), z = scalar(g, "z", IR_SAMPLE);
    ir_add_output(g, "first", op2(g, IR_sub, z, op2(g, IR_mul, x, y)), false);
    ir_add_output(g, "second", op2(g, IR_sub, y, op2(g, IR_mul, x, z)), false);
    assert_text(run(g, "lincomb"), "%0 = input x : sample ()\n"
                                   "%1 = input y : sample ()\n"
                                   "%2 = input z : sample ()\n"
                                   "%3 = neg %0 : sample ()\n"
                                   "%4 = fma %3 %1 %2 : sample ()\n"
                                   "%5 = fma %3 %2 %1 : sample ()\n"
                                   "output first = %4\n"
                                   "output second = %5\n");
}

static void test_dce(void **state)
{
    (void)state;
    small_graph r = small_graph_new();
    op1(r.g, IR_exp, r.y);
    ir_add_output(r.g, "out", op1(r.g, IR_sin, r.x), false);
    assert_text(run(r.g, "dce"), "%0 = input x : sample (2)\n%1 = sin %0 : sample (2)\noutput out = %1\n");
}

static void test_unknown_pass(void **state)
{
    (void)state;
    assert_null(pass_run(ir_graph_new(), "optimize", NULL));
    assert_string_equal(ir_error(), "there is no pass 'optimize'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_passes_keep_the_meaning),
        cmocka_unit_test(test_fold_algebra),
        cmocka_unit_test(test_fold_repetitions),
        cmocka_unit_test(test_fold_moves),
        cmocka_unit_test(test_fold_zero_products),
        cmocka_unit_test(test_cse),
        cmocka_unit_test(test_unroll),
        cmocka_unit_test(test_unroll_budget),
        cmocka_unit_test(test_unroll_sum),
        cmocka_unit_test(test_unroll_keeps_shared_sums),
        cmocka_unit_test(test_lincomb),
        cmocka_unit_test(test_dce),
        cmocka_unit_test(test_unknown_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
