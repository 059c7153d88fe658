/*
 * test_ir.c - graphs: what may be built, what the verifier lets through, and what a graph says about itself.
 */
#include "random_graph.h"

static void test_shapes_that_do_not_fit(void **state)
{
    (void)state;
    ir_graph *g = ir_graph_new();
    const ir_id w = matrix(g, "W", 50, 2), x = vector(g, "x", IR_SAMPLE, 3), y = vector(g, "y", IR_SAMPLE, 2);
    const ir_id s = scalar(g, "s", IR_SAMPLE), h = scalar(g, "h", IR_SHARED), a = vector(g, "a", IR_SHARED, 6);
    const struct {
        ir_op op;
        int32_t n_args;
        ir_id args[3];
        int32_t attr[2];
        const char *message;
    } cases[] = {
        {IR_matvec, 2, {w, x}, {0}, "matvec: matrix (50, 2) does not fit vector (3)"},
        {IR_matvec_t, 2, {w, x}, {0}, "matvec_t: matrix (50, 2) does not fit vector (3)"},
        {IR_matvec, 2, {x, y}, {0}, "matvec: argument 1 has shape (3), it must be a matrix"},
        {IR_add, 2, {x, y}, {0}, "add: shapes (3) and (2) do not fit"},
        {IR_add, 2, {a, w}, {0}, "add: shapes (6) and (50, 2) do not fit"},
        {IR_mul, 2, {s, w}, {0}, "mul: a matrix cannot be per sample"},
        {IR_add, 1, {x}, {0}, "add: 1 arguments given, it takes 2"},
        {IR_add, 2, {x, 99}, {0}, "add: there is no value 99"},
        {IR_concat, 0, {0}, {0}, "concat: 0 arguments given, it takes at least 1"},
        {IR_concat, 2, {x, w}, {0}, "concat: argument 2 is a matrix"},
        {IR_sum, 1, {s}, {0}, "sum: argument 1 has shape (), it must be a vector"},
        {IR_expand, 1, {x}, {2}, "expand: argument 1 has shape (3), it must be a scalar"},
        {IR_expand, 1, {s}, {0}, "expand: a size of 0 is not possible"},
        {IR_index, 1, {x}, {3}, "index: features [3, 4) of 3 do not exist"},
        {IR_index, 1, {x}, {-1}, "index: features [-1, 0) of 3 do not exist"},
        {IR_slice, 1, {x}, {1, 3}, "slice: features [1, 4) of 3 do not exist"},
        {IR_pad, 1, {x}, {4, 6}, "pad: features [4, 7) of 6 do not exist"},
        {IR_reshape, 1, {a}, {2, 2}, "reshape: (6) does not fit (2, 2)"},
        {IR_reshape, 1, {x}, {3, 1}, "reshape: the argument is per sample, it must be shared"},
        {IR_batch_sum, 1, {a}, {0}, "batch_sum: the argument is shared, it must be per sample"},
        {IR_spread, 1, {x}, {0}, "spread: the argument is per sample, it must be shared"},
        {IR_spread, 1, {w}, {0}, "spread: a matrix cannot be per sample"},
        {IR_outer, 2, {x, a}, {0}, "outer: argument 2 is shared, it must be per sample"},
        {IR_outer, 2, {x, s}, {0}, "outer: argument 2 has shape (), it must be a vector"},
        {IR_pick, 2, {x, x}, {0}, "pick: argument 2 has shape (3), it must be a scalar"},
        {IR_scatter, 2, {x, h}, {3}, "scatter: argument 1 has shape (3), it must be a scalar"},
        {IR_input, 0, {0}, {0}, "op 1 takes no arguments, or is none"},
    };
    const int32_t before = g->n_values;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(ir_value_new(g, cases[i].op, cases[i].n_args, cases[i].args, cases[i].attr), IR_NONE);
        assert_string_equal(ir_error(), cases[i].message);
    }
    assert_int_equal(ir_input(g, "M", IR_SAMPLE, 2, (int32_t[]){2, 2}), IR_NONE);
    assert_string_equal(ir_error(), "input: 'M': a matrix cannot be per sample");
    assert_int_equal(ir_input(g, "x", IR_SAMPLE, 1, (int32_t[]){4}), IR_NONE);
    assert_string_equal(ir_error(), "input: 'x' has shape (3) already, not (4)");
    assert_int_equal(vector(g, "x", IR_SAMPLE, 3), x);
    assert_int_equal(g->n_values, before);
}

static void test_kinds_and_broadcasting(void **state)
{
    (void)state;
    ir_graph *g = ir_graph_new();
    const ir_id w = matrix(g, "W", 3, 2), x = vector(g, "x", IR_SAMPLE, 2), a = vector(g, "a", IR_SHARED, 2);
    const ir_id h = scalar(g, "h", IR_SHARED), s = scalar(g, "s", IR_SAMPLE);
    const struct {
        ir_id value;
        ir_kind kind;
        int rank;
        int32_t dim[2];
    } cases[] = {
        {op2(g, IR_mul, h, h), IR_SHARED, 0, {1, 1}},    {op2(g, IR_mul, h, a), IR_SHARED, 1, {2, 1}},
        {op2(g, IR_mul, a, s), IR_SAMPLE, 1, {2, 1}},    {op2(g, IR_mul, w, h), IR_SHARED, 2, {3, 2}},
        {op2(g, IR_matvec, w, a), IR_SHARED, 1, {3, 1}}, {op2(g, IR_matvec, w, x), IR_SAMPLE, 1, {3, 1}},
        {op2(g, IR_outer, x, x), IR_SHARED, 2, {2, 2}},  {op1(g, IR_batch_sum, s), IR_SHARED, 0, {1, 1}},
        {op2(g, IR_concat, a, s), IR_SAMPLE, 1, {3, 1}}, {op2(g, IR_pick, a, s), IR_SAMPLE, 0, {1, 1}},
        {op1(g, IR_rowmax, x), IR_SAMPLE, 0, {1, 1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const ir_value *v = &g->values[cases[i].value];
        assert_int_equal(v->kind, cases[i].kind);
        assert_int_equal(v->rank, cases[i].rank);
        assert_memory_equal(v->dim, cases[i].dim, sizeof v->dim);
    }
}

/* Each change breaks one invariant; the graph must be refused, and accepted again when it is undone. */
static void refuse(const ir_graph *g, void *field, const void *wrong, size_t size)
{
    unsigned char right[sizeof(double)];
    memcpy(right, field, size);
    memcpy(field, wrong, size);
    if (ir_verify(g)) {
        ir_print(g, stderr);
        fail_msg("a corrupted graph was accepted");
    }
    memcpy(field, right, size);
    if (!ir_verify(g)) fail_msg("%s", ir_error());
}

static void test_verifier_refuses_corrupted_graphs(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        ir_graph *g = make_random_graph(seed, 40, false);
        for (ir_id id = 0; id < g->n_values; id++) {
            ir_value *v = &g->values[id];
            const int32_t many = v->n_args + 1, negative = -1, dim = v->dim[0] + 1, zero = 0;
            const ir_op none = IR_OPS;
            const ir_kind other = v->kind == IR_SAMPLE ? IR_SHARED : IR_SAMPLE;
            const int rank = v->rank + 1;
            refuse(g, &v->op, &none, sizeof none);
            if (v->op != IR_input) refuse(g, &v->rank, &rank, sizeof rank);
            if (v->op != IR_input) refuse(g, &v->dim[0], &dim, sizeof dim);
            if (v->op != IR_input) refuse(g, &v->kind, &other, sizeof other);
            if (v->op == IR_input && v->rank > 0) refuse(g, &v->dim[0], &zero, sizeof zero);
            if (ir_ops[v->op].arity >= 0) refuse(g, &v->n_args, &many, sizeof many);
            for (int32_t k = 0; k < v->n_args; k++) {
                refuse(g, &v->args[k], &id, sizeof id);
                refuse(g, &v->args[k], &g->n_values, sizeof id);
                refuse(g, &v->args[k], &negative, sizeof id);
            }
        }
        const char *nothing = NULL;
        refuse(g, &g->values[0].name, &nothing, sizeof nothing);
        refuse(g, &g->values[0].name, &g->values[1].name, sizeof nothing);
        refuse(g, &g->outputs[0].name, &nothing, sizeof nothing);
        refuse(g, &g->outputs[0].name, &g->outputs[2].name, sizeof nothing);
        refuse(g, &g->outputs[0].value, &g->n_values, sizeof(ir_id));
    }
}

static void test_print(void **state)
{
    (void)state;
    ir_graph *g = ir_graph_new();
    const ir_id x = vector(g, "carry[0]", IR_SAMPLE, 3), w = matrix(g, "params", 2, 3);
    const ir_id k = op1(g, IR_tanh, op2(g, IR_matvec, w, x)), c = ir_const(g, 44 / 45.0, "44/45");
    ir_set_name(g, k, "k1");
    ir_add_output(g, "out[0]", ir_value_new(g, IR_slice, 1, &k, (int32_t[]){1, 1}), false);
    ir_add_output(g, "grad", op2(g, IR_mul, c, w), true);
    assert_text(g, "%0 = input carry[0] : sample (3)\n"
                   "%1 = input params : shared (2, 3)\n"
                   "%2 = matvec %1 %0 : sample (2)\n"
                   "%3 = tanh %2 : sample (2)  k1\n"
                   "%4 = const 0.97777777777777775 \"44/45\" : shared ()\n"
                   "%5 = slice %3 [1, 1] : sample (1)\n"
                   "%6 = mul %4 %1 : shared (2, 3)\n"
                   "output out[0] = %5\n"
                   "output grad += %6\n");
    char *first = text_of(make_random_graph(5, 60, false)), *second = text_of(make_random_graph(5, 60, false));
    assert_string_equal(first, second);
    free(first);
    free(second);
}

static void test_count(void **state)
{
    (void)state;
    ir_graph *g = ir_graph_new();
    const ir_id x = vector(g, "x", IR_SAMPLE, 3), w = matrix(g, "W", 2, 3), b = vector(g, "b", IR_SHARED, 2);
    const ir_id h = scalar(g, "h", IR_SHARED);
    const ir_id y = op1(g, IR_tanh, op2(g, IR_add, op2(g, IR_matvec, w, x), op2(g, IR_mul, h, b)));
    ir_add_output(g, "y", y, false);
    ir_add_output(g, "grad", op2(g, IR_outer, y, x), true);
    ir_add_output(g, "s", op1(g, IR_sum, y), false);
    const ir_counts c = ir_count(g);
    assert_int_equal(c.flop, 2 * 2 * 3 + 2 + 2 + 2 * 2 * 3 + 2); /* W x, + b, tanh, outer, sum */
    assert_int_equal(c.shared_flop, 2);
    assert_int_equal(c.loads, 3);
    assert_int_equal(c.stores, 3);
    assert_int_equal(c.op[IR_input], 4);
    assert_int_equal(c.op[IR_matvec], 1);
}

/* A reverse step reads from the tape what the forward step stored. */
static void test_extract(void **state)
{
    (void)state;
    ir_graph *g = ir_graph_new();
    const ir_id x = vector(g, "x", IR_SAMPLE, 2), y = vector(g, "y", IR_SAMPLE, 2);
    const ir_id stage = op1(g, IR_exp, op2(g, IR_mul, x, y));
    ir_add_output(g, "out", op2(g, IR_add, stage, y), false);
    const ir_graph *part = ir_extract(g, 1, &stage, (const char *[]){"tape[0]"});
    assert_text(part, "%0 = input y : sample (2)\n"
                      "%1 = input tape[0] : sample (2)\n"
                      "%2 = add %1 %0 : sample (2)\n"
                      "output out = %2\n");
    assert_true(ir_verify(part));
    op1(g, IR_sin, x);
    assert_int_equal(ir_extract(g, 0, NULL, NULL)->n_values, g->n_values - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes_that_do_not_fit),
        cmocka_unit_test(test_kinds_and_broadcasting),
        cmocka_unit_test(test_verifier_refuses_corrupted_graphs),
        cmocka_unit_test(test_print),
        cmocka_unit_test(test_count),
        cmocka_unit_test(test_extract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
