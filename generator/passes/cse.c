/*
 * cse.c - equal values become one (hash-consing).
 *
 * Enters any graph; leaves one in which no two values have the same op, arguments, attributes and number.  Names and notes
 * are for readers and do not tell values apart; the first to have one gives it.  add, mul, fma and eq do not ask which
 * factor came first.  One walk by number is enough: equal values have arguments that are equal already.
 *
 *     %2 = mul %0 %1                  %2 = mul %0 %1
 *     %3 = mul %1 %0          ->      %3 = add %2 %2
 *     %4 = add %2 %3
 */
#include <string.h>

#include "passes/fold.h"
#include "passes/pass.h"

typedef struct table {
    const ir_graph *g;
    size_t size; /* a power of two */
    ir_id *slot; /* value + 1, 0 if free */
} table;

static bool commutes(ir_op op)
{
    return op == IR_add || op == IR_mul || op == IR_fma || op == IR_eq;
}

/* Argument i in the order in which values are compared: of two that commute the lower first. */
static ir_id argument(const ir_value *v, int32_t i)
{
    const bool swap = commutes(v->op) && v->args[0] > v->args[1];
    return v->args[swap && i < 2 ? 1 - i : i];
}

static uint64_t mix(uint64_t hash, uint64_t x)
{
    return (hash ^ x) * 0x100000001b3; /* FNV-1a, word by word */
}

static uint64_t bits(double number)
{
    uint64_t u;
    memcpy(&u, &number, sizeof u);
    return u;
}

static uint64_t hash_of(const ir_value *v)
{
    uint64_t hash = mix(0xcbf29ce484222325, (uint64_t)v->op);
    hash = mix(hash, bits(v->number) ^ bits(v->number) >> 32);
    for (int i = 0; i < ir_attrs(v->op); i++) hash = mix(hash, (uint64_t)v->attr[i]);
    for (int32_t i = 0; i < v->n_args; i++) hash = mix(hash, (uint64_t)argument(v, i));
    for (const char *c = v->op == IR_input ? v->name : ""; *c; c++) hash = mix(hash, (uint64_t)*c);
    return hash;
}

/* Kind and shape follow from the rest, and an input's name says which it is. */
static bool equal(const ir_value *v, const ir_value *w)
{
    if (v->op != w->op || v->n_args != w->n_args || bits(v->number) != bits(w->number)) return false;
    if (memcmp(v->attr, w->attr, sizeof v->attr) != 0) return false;
    for (int32_t i = 0; i < v->n_args; i++)
        if (argument(v, i) != argument(w, i)) return false;
    return v->op != IR_input || strcmp(v->name, w->name) == 0;
}

static ir_id *find(const table *t, const ir_value *v)
{
    size_t i = (size_t)hash_of(v);
    while (t->slot[i & (t->size - 1)] && !equal(v, &t->g->values[t->slot[i & (t->size - 1)] - 1])) i++;
    return &t->slot[i & (t->size - 1)];
}

ir_graph *pass_cse(const ir_graph *g, const pass_options *options)
{
    (void)options;
    ir_graph *result = ir_graph_new();
    table t = {.g = result, .size = 64};
    while (t.size < 2 * (size_t)g->n_values) t.size *= 2;
    t.slot = ir_alloc(t.size * sizeof *t.slot);

    ir_id *map = ir_alloc((size_t)g->n_values * sizeof *map);
    for (ir_id i = 0; i < g->n_values; i++) {
        const ir_value *v = &g->values[i];
        ir_value key = *v;
        key.args = ir_alloc((size_t)v->n_args * sizeof *key.args);
        for (int32_t k = 0; k < v->n_args; k++) key.args[k] = map[v->args[k]];
        ir_id *slot = find(&t, &key);
        if (!*slot) *slot = ir_copy_value(result, v, map) + 1;
        map[i] = *slot - 1;
        fold_name(result, map[i], v->name);
    }
    ir_copy_outputs(result, g, map);
    return result;
}
