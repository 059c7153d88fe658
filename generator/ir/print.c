/*
 * print.c - a graph as text, a value a line, the same graph always the same bytes:
 *
 *     %6 = matvec %0 %5 : sample (50)
 *     %7 = tanh %6 : sample (50)  k3
 *     %8 = const 0.97777777777777775 "44/45" : shared ()
 *     %9 = slice %7 [0, 2] : sample (2)
 *     output next[0] = %9
 *     output grad += %12
 */
#include <inttypes.h>

#include "ir/build.h"

static void print_value(const ir_value *v, ir_id id, FILE *out)
{
    fprintf(out, "%%%" PRId32 " = %s", id, ir_ops[v->op].name);
    for (int32_t i = 0; i < v->n_args; i++) fprintf(out, " %%%" PRId32, v->args[i]);
    if (v->op == IR_const) fprintf(out, " %.17g", v->number);
    if (v->note) fprintf(out, " \"%s\"", v->note);
    if (v->op == IR_input) fprintf(out, " %s", v->name);
    for (int i = 0; i < ir_attrs(v->op); i++) fprintf(out, "%s%" PRId32, i ? ", " : " [", v->attr[i]);
    fprintf(out, "%s : %s %s", ir_attrs(v->op) ? "]" : "", v->kind == IR_SAMPLE ? "sample" : "shared", ir_shape(v).s);
    if (v->name && v->op != IR_input) fprintf(out, "  %s", v->name);
    fputc('\n', out);
}

void ir_print(const ir_graph *g, FILE *out)
{
    for (ir_id i = 0; i < g->n_values; i++) print_value(&g->values[i], i, out);
    for (int32_t i = 0; i < g->n_outputs; i++)
        fprintf(out, "output %s %s %%%" PRId32 "\n", g->outputs[i].name, g->outputs[i].accumulate ? "+=" : "=",
                g->outputs[i].value);
}
