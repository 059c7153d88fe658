/*
 * test_eval.c - the reference evaluator.
 *
 * It is the oracle of everything else, so its own witnesses are plain loops and libm, written out here, and for complex
 * numbers the derivatives of analysis and central differences.
 */
#include "random_graph.h"

#include <float.h>

/* A classifier and the gradient of its loss, in loops. */
enum { BATCH = 5, IN = 4, HIDDEN = 6, OUT = 3 };

static void test_network_against_loops(void **state)
{
    (void)state;
    ir_graph *g = ir_graph_new();
    const ir_id x = vector(g, "x", IR_SAMPLE, IN), w1 = matrix(g, "W1", HIDDEN, IN), time = vector(g, "w1t", IR_SHARED, HIDDEN);
    const ir_id t = scalar(g, "t", IR_SHARED), w2 = matrix(g, "W2", OUT, HIDDEN), label = scalar(g, "label", IR_SAMPLE);
    const ir_id z1 = op2(g, IR_add, op2(g, IR_matvec, w1, x), op2(g, IR_mul, t, time)), a1 = op1(g, IR_tanh, z1);
    const ir_id z2 = op2(g, IR_matvec, w2, a1), shift = op1(g, IR_rowmax, z2);
    const ir_id e = op1(g, IR_exp, op2(g, IR_sub, z2, shift)), total = op1(g, IR_sum, e);
    const ir_id loss = op2(g, IR_sub, op2(g, IR_add, op1(g, IR_log, total), shift), op2(g, IR_pick, z2, label));
    const ir_id one = ir_const(g, 1, NULL);
    const ir_id hot = ir_value_new(g, IR_scatter, 2, (ir_id[]){one, label}, (int32_t[]){OUT});
    const ir_id cot2 = op2(g, IR_sub, op2(g, IR_div, e, total), hot);
    const ir_id cot1 = op2(g, IR_mul, op2(g, IR_matvec_t, w2, cot2), op2(g, IR_sub, one, op2(g, IR_mul, a1, a1)));
    ir_add_output(g, "loss", op1(g, IR_batch_sum, loss), true);
    ir_add_output(g, "class", op1(g, IR_argmax, z2), false);
    ir_add_output(g, "cot_x", op2(g, IR_matvec_t, w1, cot1), false);
    ir_add_output(g, "grad_W2", op2(g, IR_outer, cot2, a1), true);
    assert_true(ir_verify(g));

    const uint64_t seed = 17;
    const ir_id ids[] = {x, w1, time, t, w2, label};
    ir_array in[6];
    for (int i = 0; i < 6; i++) in[i] = random_input(&g->values[ids[i]], BATCH, seed, 0);
#define AT(i, k) creal(in[i].x[k])
    double loss_sum = 0, grad[OUT * HIDDEN] = {0};
    ir_array *outputs = evaluate(g, BATCH, seed, 0);
    for (int b = 0; b < BATCH; b++) {
        double a[HIDDEN], z[OUT], p[OUT], cot_a[HIDDEN] = {0}, cot_x[IN] = {0}, sum = 0;
        for (int i = 0; i < HIDDEN; i++) {
            a[i] = 0;
            for (int k = 0; k < IN; k++) a[i] += AT(1, i * IN + k) * AT(0, b * IN + k);
            a[i] = tanh(a[i] + AT(3, 0) * AT(2, i));
        }
        int best = 0;
        for (int i = 0; i < OUT; i++) {
            z[i] = 0;
            for (int k = 0; k < HIDDEN; k++) z[i] += AT(4, i * HIDDEN + k) * a[k];
            if (z[i] > z[best]) best = i;
        }
        for (int i = 0; i < OUT; i++) sum += exp(z[i] - z[best]);
        loss_sum += log(sum) + z[best] - z[(int)AT(5, b)];
        for (int i = 0; i < OUT; i++) {
            p[i] = exp(z[i] - z[best]) / sum - (i == (int)AT(5, b));
            for (int k = 0; k < HIDDEN; k++) grad[i * HIDDEN + k] += p[i] * a[k];
            for (int k = 0; k < HIDDEN; k++) cot_a[k] += AT(4, i * HIDDEN + k) * p[i];
        }
        for (int i = 0; i < HIDDEN; i++)
            for (int k = 0; k < IN; k++) cot_x[k] += AT(1, i * IN + k) * (cot_a[i] * (1 - a[i] * a[i]));
        assert_true(creal(outputs[1].x[b]) == best);
        for (int k = 0; k < IN; k++) assert_true(outputs[2].x[b * IN + k] == cot_x[k]);
    }
#undef AT
    assert_true(outputs[0].x[0] == loss_sum);
    for (int i = 0; i < OUT * HIDDEN; i++) assert_true(outputs[3].x[i] == grad[i]);
    for (int i = 0; i < 6; i++) free(in[i].x);
    free_outputs(g, outputs);
}

static void test_moves_against_loops(void **state)
{
    (void)state;
    ir_graph *g = ir_graph_new();
    const ir_id x = vector(g, "x", IR_SAMPLE, 4), w = matrix(g, "W", 2, 3), s = scalar(g, "s", IR_SAMPLE);
    const ir_id flat = ir_value_new(g, IR_reshape, 1, &w, (int32_t[]){6, 0});
    const ir_id row = ir_value_new(g, IR_slice, 1, &flat, (int32_t[]){3, 3});
    const ir_id padded = ir_value_new(g, IR_pad, 1, &s, (int32_t[]){1, 3});
    const ir_id feature = ir_value_new(g, IR_index, 1, &x, (int32_t[]){2});
    const ir_id three = ir_value_new(g, IR_expand, 1, &feature, (int32_t[]){3});
    const ir_id all = ir_value_new(g, IR_concat, 3, (ir_id[]){op1(g, IR_spread, row), padded, three}, NULL);
    ir_add_output(g, "all", all, false);
    ir_array *in = (ir_array[]){random_input(&g->values[x], 2, 3, 0), random_input(&g->values[w], 2, 3, 0),
                                random_input(&g->values[s], 2, 3, 0)};
    ir_array *outputs = evaluate(g, 2, 3, 0);
    for (int b = 0; b < 2; b++) {
        const double complex *y = outputs[0].x + 9 * b, f = in[0].x[4 * b + 2];
        const double complex expected[9] = {in[1].x[3], in[1].x[4], in[1].x[5], 0, in[2].x[b], 0, f, f, f};
        for (int i = 0; i < 9; i++) assert_true(y[i] == expected[i]);
    }
    for (int i = 0; i < 3; i++) free(in[i].x);
    free_outputs(g, outputs);
}

static double complex eval1(ir_op o, double complex x, double complex y, double *terms)
{
    ir_graph *g = ir_graph_new();
    const ir_id a = scalar(g, "a", IR_SHARED), b = scalar(g, "b", IR_SHARED);
    ir_add_output(g, "out", ir_ops[o].arity == 2 ? op2(g, o, a, b) : op1(g, o, a), false);
    ir_array inputs[] = {{.x = &x}, {.x = &y}}, out;
    assert_true(ir_eval(g, 1, 1, inputs, &out));
    const double complex result = out.x[0];
    if (terms) *terms = out.terms[0];
    free(out.x);
    free(out.terms);
    return result;
}

/* Real functions are libm's to the bit; the complex step gives their derivatives to the last digits. */
static void test_functions(void **state)
{
    (void)state;
    const double x = 0.7345, y = -1.21, step = 1e-20;
    const struct {
        ir_op op;
        double x, y, value, dx;
    } cases[] = {
        {IR_div, x, y, x / y, 1 / y},
        {IR_sqrt, x, 0, sqrt(x), 0.5 / sqrt(x)},
        {IR_exp, x, 0, exp(x), exp(x)},
        {IR_log, x, 0, log(x), 1 / x},
        {IR_log1p, x, 0, log1p(x), 1 / (1 + x)},
        {IR_log1p, 1e-18, 0, 1e-18, 1},
        {IR_sin, x, 0, sin(x), cos(x)},
        {IR_cos, x, 0, cos(x), -sin(x)},
        {IR_tanh, x, 0, tanh(x), 1 / (cosh(x) * cosh(x))},
        {IR_tanh, 30, 0, 1, 0},
        {IR_sigmoid, x, 0, 1 / (1 + exp(-x)), exp(-x) / ((1 + exp(-x)) * (1 + exp(-x)))},
        {IR_sigmoid, -800, 0, 0, 0},
        {IR_pow, x, y, pow(x, y), y * pow(x, y - 1)},
        {IR_pow, y, 3, y * y * y, 3 * y * y},
        {IR_pow, y, -2, 1 / (y * y), -2 / (y * y * y)},
        {IR_pow, 0, 0, 1, 0},
        {IR_abs, y, 0, -y, -1},
        {IR_abs, 0, 0, 0, 0},
        {IR_sign, y, 0, -1, 0},
        {IR_max, x, y, x, 1},
        {IR_max, x, x, x, 1},
        {IR_max, y, x, x, 0},
        {IR_min, y, x, y, 1},
        {IR_min, x, y, y, 0},
        {IR_lt, y, x, 1, 0},
        {IR_le, x, x, 1, 0},
        {IR_eq, x, y, 0, 0},
        {IR_stop, x, 0, x, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const double complex real = eval1(cases[i].op, cases[i].x, cases[i].y, NULL);
        const double complex moved = eval1(cases[i].op, cases[i].x + step * I, cases[i].y, NULL);
        assert_true(creal(real) == cases[i].value && cimag(real) == 0);
        assert_true(fabs(creal(moved) - cases[i].value) <= 4 * DBL_EPSILON * fabs(cases[i].value));
        assert_true(fabs(cimag(moved) / step - cases[i].dx) <= 8 * DBL_EPSILON * (1 + fabs(cases[i].dx)));
    }
    assert_true(isinf(creal(eval1(IR_mul, INFINITY, 2, NULL))));
}

/* 1 + 1e-17 - 1 is 0 of terms 2. */
static void test_terms(void **state)
{
    (void)state;
    double terms;
    eval1(IR_sub, 3, 5, &terms);
    assert_true(terms == 8);
    eval1(IR_mul, -3, 5, &terms);
    assert_true(terms >= 15 && terms < 31);
    eval1(IR_exp, 10, 0, &terms);
    assert_true(terms >= 10 * exp(10) && terms <= 11.1 * exp(10));

    ir_graph *g = ir_graph_new();
    const ir_id x = vector(g, "x", IR_SHARED, 4);
    ir_add_output(g, "out", op1(g, IR_sum, x), false);
    double complex numbers[] = {1, 1e-17, -1, 0};
    ir_array in = {.x = numbers}, out;
    assert_true(ir_eval(g, 1, 1, &in, &out));
    assert_true(out.x[0] == 0 && out.terms[0] == 2);
    free(out.x);
    free(out.terms);
}

/* x = (1e8 + 0.3) - 1e8 is wrong in its eighth digit, and so is a function of it: its terms must say so, not much more. */
static void test_terms_of_cancelled_arguments(void **state)
{
    (void)state;
    static const ir_op ops[] = {IR_neg, IR_sqrt, IR_exp, IR_log, IR_log1p, IR_sin, IR_cos, IR_tanh, IR_sigmoid, IR_abs, IR_stop};
    static const ir_op ops2[] = {IR_add, IR_sub, IR_mul, IR_div, IR_pow, IR_max, IR_min};
    const size_t n = sizeof ops / sizeof *ops, n2 = sizeof ops2 / sizeof *ops2;
    ir_graph *g = ir_graph_new();
    const ir_id far = scalar(g, "far", IR_SHARED), near = scalar(g, "near", IR_SHARED);
    const ir_id x = op2(g, IR_sub, op2(g, IR_add, far, near), far);
    for (size_t i = 0; i < n; i++) ir_add_output(g, ir_ops[ops[i]].name, op1(g, ops[i], x), false);
    for (size_t i = 0; i < n2; i++) ir_add_output(g, ir_ops[ops2[i]].name, op2(g, ops2[i], x, x), false);

    double complex near_zero = 0, far_off = 1e8, number = 0.3;
    ir_array exact[n + n2], cancelled[n + n2];
    assert_true(ir_eval(g, 1, 1, (ir_array[]){{.x = &near_zero}, {.x = &number}}, exact));
    assert_true(ir_eval(g, 1, 1, (ir_array[]){{.x = &far_off}, {.x = &number}}, cancelled));
    for (size_t i = 0; i < n + n2; i++) {
        const double error = cabs(cancelled[i].x[0] - exact[i].x[0]), rounding = DBL_EPSILON * cancelled[i].terms[0];
        assert_true(error <= rounding && rounding < 1e-5);
        free(exact[i].x);
        free(exact[i].terms);
        free(cancelled[i].x);
        free(cancelled[i].terms);
    }
}

static void test_label_out_of_range(void **state)
{
    (void)state;
    ir_graph *g = ir_graph_new();
    const ir_id x = vector(g, "x", IR_SAMPLE, 2), label = scalar(g, "label", IR_SAMPLE);
    ir_add_output(g, "out", op2(g, IR_pick, x, label), false);
    double complex numbers[] = {1, 2, 3, 4}, labels[] = {1, 2};
    ir_array in[] = {{.x = numbers}, {.x = labels}}, out;
    assert_false(ir_eval(g, 2, 1, in, &out));
    assert_string_equal(ir_error(), "pick: label 2 of sample 1 is not one of 0 .. 1");
}

/* Samples that count three times, and a batch that has three of each. */
static void test_copies(void **state)
{
    enum { BATCH = 2, COPIES = 3, SIZE = 4 };
    (void)state;
    ir_graph *g = ir_graph_new();
    const ir_id x = vector(g, "x", IR_SAMPLE, SIZE), y = vector(g, "y", IR_SAMPLE, 2), w = matrix(g, "w", 2, SIZE);
    ir_add_output(g, "matrix", op2(g, IR_add, w, op2(g, IR_outer, y, x)), false);
    ir_add_output(g, "sum", op1(g, IR_exp, op1(g, IR_batch_sum, x)), false);
    ir_array few[] = {random_input(&g->values[x], BATCH, 5, 0), random_input(&g->values[y], BATCH, 5, 0),
                      random_input(&g->values[w], BATCH, 5, 0)},
             many[] = {random_input(&g->values[x], COPIES * BATCH, 5, 0), random_input(&g->values[y], COPIES * BATCH, 5, 0),
                       few[2]},
             copied[2], repeated[2];
    for (int i = 0; i < COPIES * BATCH * SIZE; i++) many[0].x[i] = few[0].x[i % (BATCH * SIZE)];
    for (int i = 0; i < COPIES * BATCH * 2; i++) many[1].x[i] = few[1].x[i % (BATCH * 2)];
    assert_true(ir_eval(g, BATCH, COPIES, few, copied) && ir_eval(g, COPIES * BATCH, 1, many, repeated));
    for (int o = 0; o < 2; o++) {
        for (int64_t i = 0; i < output_size(g, o, BATCH); i++) {
            assert_true(cabs(copied[o].x[i] - repeated[o].x[i]) <= 8 * DBL_EPSILON * repeated[o].terms[i]);
            assert_true(fabs(copied[o].terms[i] / repeated[o].terms[i] - 1) < 1e-12);
        }
        free(copied[o].x), free(copied[o].terms), free(repeated[o].x), free(repeated[o].terms);
    }
    for (int i = 0; i < 3; i++) free(few[i].x);
    free(many[0].x), free(many[1].x);
}

static void test_complex_step_against_differences(void **state)
{
    (void)state;
    const double step = 1e-20, apart = 1e-5;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        const ir_graph *g = make_random_graph(seed, 40, true);
        ir_array *along = evaluate(g, 2, seed, step * I), *up = evaluate(g, 2, seed, apart), *down = evaluate(g, 2, seed, -apart);
        for (int32_t o = 0; o < g->n_outputs; o++)
            for (int64_t i = 0; i < output_size(g, o, 2); i++) {
                const double derivative = cimag(along[o].x[i]) / step;
                const double difference = creal(up[o].x[i] - down[o].x[i]) / (2 * apart);
                assert_true(fabs(derivative - difference) <= 1e-6 * (1 + along[o].terms[i] + fabs(derivative)));
            }
        free_outputs(g, along);
        free_outputs(g, up);
        free_outputs(g, down);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_network_against_loops),
        cmocka_unit_test(test_moves_against_loops),
        cmocka_unit_test(test_functions),
        cmocka_unit_test(test_terms),
        cmocka_unit_test(test_terms_of_cancelled_arguments),
        cmocka_unit_test(test_label_out_of_range),
        cmocka_unit_test(test_copies),
        cmocka_unit_test(test_complex_step_against_differences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
