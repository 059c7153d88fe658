/*
 * value.c - graphs: how values are made and kept.
 *
 * Everything a graph owns comes from one arena that is never given back: a compiler ends soon enough.  So a pointer to a
 * value stays readable while its graph grows.
 */
#include <stdalign.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "ir/build.h"

const ir_op_info ir_ops[IR_OPS] = {
#define OP(name, arity, class, flops, doc) {#name, arity, IR_##class, flops, doc},
#include "ir/ops.def"
#undef OP
};

ir_op ir_op_by_name(const char *name)
{
    int op = 0;
    while (op < IR_OPS && strcmp(ir_ops[op].name, name) != 0) op++;
    return (ir_op)op;
}

int ir_attrs(ir_op op)
{
    switch (op) {
    case IR_slice:
    case IR_pad:
    case IR_reshape:
    case IR_lu:
    case IR_lu_solve:
    case IR_lu_solve_t: return 2;
    case IR_index:
    case IR_expand:
    case IR_scatter: return 1;
    default: return 0;
    }
}

/* The chunks are linked so that leak checkers see that all of it is meant to stay. */
typedef struct chunk {
    struct chunk *before;
    size_t used, size;
    alignas(max_align_t) char bytes[];
} chunk;

static _Noreturn void out_of_memory(void)
{
    fputs("out of memory\n", stderr);
    exit(2);
}

void *ir_alloc(size_t bytes)
{
    static chunk *last;
    const size_t align = alignof(max_align_t), least = 1 << 16;
    bytes = (bytes + align - 1) / align * align;
    if (!last || last->size - last->used < bytes) {
        size_t size = bytes > least ? bytes : least;
        chunk *c = calloc(1, sizeof *c + size);
        if (!c) out_of_memory();
        c->before = last;
        c->size = size;
        last = c;
    }
    void *p = last->bytes + last->used;
    last->used += bytes;
    return p;
}

static char *copy_text(const char *text)
{
    if (!text) return NULL;
    const size_t size = strlen(text) + 1;
    return memcpy(ir_alloc(size), text, size);
}

__attribute__((format(printf, 1, 0))) static char *format_list(const char *format, va_list list)
{
    char *text;
    if (vasprintf(&text, format, list) < 0) out_of_memory();
    char *kept = copy_text(text);
    free(text);
    return kept;
}

char *ir_format(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    char *text = format_list(format, list);
    va_end(list);
    return text;
}

static const char *message = "";

const char *ir_error(void)
{
    return message;
}

bool ir_fail(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    message = format_list(format, list);
    va_end(list);
    return false;
}

/* Room for one more element of an array of n: a copy of twice the size when it is full. */
static void *grow(void *array, int32_t n, int32_t *cap, size_t element)
{
    if (n < *cap) return array;
    *cap = *cap ? 2 * *cap : 32;
    void *larger = ir_alloc((size_t)*cap * element);
    if (n) memcpy(larger, array, (size_t)n * element);
    return larger;
}

ir_graph *ir_graph_new(void)
{
    return ir_alloc(sizeof(ir_graph));
}

static ir_id append(ir_graph *g, ir_value v)
{
    if (!ir_infer(g, &v)) return IR_NONE;
    ir_id *args = ir_alloc((size_t)v.n_args * sizeof *args);
    if (v.n_args) memcpy(args, v.args, (size_t)v.n_args * sizeof *args);
    v.args = args;
    g->values = grow(g->values, g->n_values, &g->cap_values, sizeof *g->values);
    g->values[g->n_values] = v;
    return g->n_values++;
}

ir_id ir_const(ir_graph *g, double number, const char *note)
{
    return append(g, (ir_value){.op = IR_const, .dim = {1, 1}, .number = number, .note = copy_text(note)});
}

/* A name is a field of the kernel's arguments, so asking for it twice gives the same value. */
ir_id ir_input(ir_graph *g, const char *name, ir_kind kind, int rank, const int32_t *dims)
{
    ir_value v = {.op = IR_input, .kind = kind, .rank = rank, .dim = {1, 1}, .name = copy_text(name)};
    for (int i = 0; i < rank && i < IR_MAX_RANK; i++) v.dim[i] = dims[i];
    for (ir_id i = 0; i < g->n_values; i++) {
        const ir_value *w = &g->values[i];
        if (w->op != IR_input || strcmp(w->name, name) != 0) continue;
        if (w->kind == kind && w->rank == rank && w->dim[0] == v.dim[0] && w->dim[1] == v.dim[1]) return i;
        ir_fail("input: '%s' has shape %s already, not %s", name, ir_shape(w).s, ir_shape(&v).s);
        return IR_NONE;
    }
    return append(g, v);
}

ir_id ir_value_new(ir_graph *g, ir_op op, int32_t n_args, const ir_id *args, const int32_t *attr)
{
    if ((int)op < 0 || op >= IR_OPS || ir_ops[op].class == IR_LEAF) {
        ir_fail("op %d takes no arguments, or is none", (int)op);
        return IR_NONE;
    }
    ir_value v = {.op = op, .n_args = n_args, .args = (ir_id *)args};
    for (int i = 0; attr && i < ir_attrs(op); i++) v.attr[i] = attr[i];
    return append(g, v);
}

void ir_set_name(ir_graph *g, ir_id v, const char *name)
{
    if (g->values[v].op != IR_input) g->values[v].name = copy_text(name);
}

void ir_add_output(ir_graph *g, const char *name, ir_id v, bool accumulate)
{
    g->outputs = grow(g->outputs, g->n_outputs, &g->cap_outputs, sizeof *g->outputs);
    g->outputs[g->n_outputs++] = (ir_output){copy_text(name), v, accumulate};
}

int32_t ir_inputs(const ir_graph *g, ir_id *ids)
{
    int32_t n = 0;
    for (ir_id i = 0; i < g->n_values; i++) {
        if (g->values[i].op != IR_input) continue;
        if (ids) ids[n] = i;
        n++;
    }
    return n;
}

ir_id ir_copy_value(ir_graph *to, const ir_value *v, const ir_id *map)
{
    ir_value copy = *v;
    ir_id args[v->n_args + 1]; /* a leaf has none, an array needs one */
    for (int32_t i = 0; i < v->n_args; i++) args[i] = map[v->args[i]];
    copy.args = args;
    copy.name = copy_text(v->name);
    copy.note = copy_text(v->note);
    return append(to, copy);
}

void ir_copy_outputs(ir_graph *to, const ir_graph *from, const ir_id *map)
{
    for (int32_t i = 0; i < from->n_outputs; i++) {
        const ir_output *o = &from->outputs[i];
        ir_add_output(to, o->name, map[o->value], o->accumulate);
    }
}
