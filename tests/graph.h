/*
 * graph.h - building graphs by hand in tests, where what does not fit is a failure, and comparing them as text.
 */
#ifndef LRNDE_TEST_GRAPH_H
#define LRNDE_TEST_GRAPH_H

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "ir/ir.h"

static inline ir_id built(ir_id id)
{
    if (id == IR_NONE) fail_msg("%s", ir_error());
    return id;
}

static inline ir_id op1(ir_graph *g, ir_op op, ir_id a)
{
    return built(ir_value_new(g, op, 1, &a, NULL));
}

static inline ir_id op2(ir_graph *g, ir_op op, ir_id a, ir_id b)
{
    return built(ir_value_new(g, op, 2, (ir_id[]){a, b}, NULL));
}

static inline ir_id op3(ir_graph *g, ir_op op, ir_id a, ir_id b, ir_id c)
{
    return built(ir_value_new(g, op, 3, (ir_id[]){a, b, c}, NULL));
}

/* Ops with attributes: see ops.def. */
static inline ir_id move(ir_graph *g, ir_op op, ir_id a, int32_t i, int32_t n)
{
    return built(ir_value_new(g, op, 1, &a, (int32_t[]){i, n}));
}

static inline ir_id scalar(ir_graph *g, const char *name, ir_kind kind)
{
    return built(ir_input(g, name, kind, 0, NULL));
}

static inline ir_id vector(ir_graph *g, const char *name, ir_kind kind, int32_t n)
{
    return built(ir_input(g, name, kind, 1, &n));
}

static inline ir_id matrix(ir_graph *g, const char *name, int32_t rows, int32_t columns)
{
    return built(ir_input(g, name, IR_SHARED, 2, (int32_t[]){rows, columns}));
}

static inline char *text_of(const ir_graph *g)
{
    char *text;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    ir_print(g, f);
    fclose(f);
    return text;
}

static inline void assert_text(const ir_graph *g, const char *expected)
{
    char *text = text_of(g);
    assert_string_equal(text, expected);
    free(text);
}

#endif
