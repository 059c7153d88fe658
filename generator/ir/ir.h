/*
 * ir.h - the one intermediate representation: a graph of values.
 *
 * A value is the result of an op.  It is SHARED (one for the batch: parameters, t, h) or SAMPLE (one for each sample, a
 * hidden batch axis).  Shapes are static: rank 0, rank 1 (n) or rank 2 (rows, columns; SHARED only).  Combining a SAMPLE
 * with a SHARED value broadcasts it over the batch.  Rank-0 SHARED values are always double precision in emitted code;
 * everything else has the model's precision.
 *
 * Values are numbered in order of creation, so arguments always precede their users and a walk by number is a
 * topological walk.  A graph owns its values; nothing is freed before the process ends (a compiler may leak).
 *
 * Building never aborts: ir_value_new returns IR_NONE and leaves a message in ir_error() if the op, its arguments or
 * attributes do not fit.
 */
#ifndef LRNDE_IR_H
#define LRNDE_IR_H

#include <complex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef enum ir_op {
#define OP(name, arity, class, flops, doc) IR_##name,
#include "ir/ops.def"
#undef OP
    IR_OPS
} ir_op;

typedef enum ir_class { IR_LEAF, IR_MAP, IR_STRUCT, IR_MATRIX, IR_LOOKUP, IR_SOLVE } ir_class;
typedef enum ir_kind { IR_SHARED, IR_SAMPLE } ir_kind;

typedef struct ir_op_info {
    const char *name;
    int arity;
    ir_class class;
    int flops;
    const char *doc;
} ir_op_info;
extern const ir_op_info ir_ops[IR_OPS];

typedef int32_t ir_id;
enum { IR_NONE = -1, IR_MAX_RANK = 2 };

typedef struct ir_value {
    ir_op op;
    ir_kind kind;
    int rank;
    int32_t dim[IR_MAX_RANK]; /* unused entries are 1 */
    int32_t n_args;
    ir_id *args;
    int32_t attr[2];  /* index, slice, pad, expand, scatter, reshape, lu..: see ops.def */
    double number;    /* const */
    const char *name; /* input: the field it is read from, e.g. "carry[0]"; else a hint for the emitted text or NULL */
    const char *note; /* const: the exact text the number came from, e.g. "44/45", or NULL */
} ir_value;

typedef struct ir_output {
    const char *name; /* the field it is written to, e.g. "next[0]" */
    ir_id value;
    bool accumulate; /* += into the field instead of =: gradients of parameters and of constants */
} ir_output;

typedef struct ir_graph {
    int32_t n_values, cap_values;
    ir_value *values;
    int32_t n_outputs, cap_outputs;
    ir_output *outputs;
} ir_graph;

ir_graph *ir_graph_new(void);
const char *ir_error(void); /* why the last building or verifying call failed */

/* Leaves.  dims: rank entries. */
ir_id ir_const(ir_graph *g, double number, const char *note);
ir_id ir_input(ir_graph *g, const char *name, ir_kind kind, int rank, const int32_t *dims);
/* Any other op.  attr may be NULL where the op has none. */
ir_id ir_value_new(ir_graph *g, ir_op op, int32_t n_args, const ir_id *args, const int32_t *attr);
void ir_set_name(ir_graph *g, ir_id v, const char *name);
void ir_add_output(ir_graph *g, const char *name, ir_id v, bool accumulate);

ir_op ir_op_by_name(const char *name); /* IR_OPS if there is none */
static inline int64_t ir_size(const ir_value *v) { return (int64_t)v->dim[0] * v->dim[1]; }

/* A new graph with what the outputs need.  stops[i] becomes an input called names[i] (same kind and shape): what the tape holds. */
ir_graph *ir_extract(const ir_graph *g, int32_t n_stops, const ir_id *stops, const char *const *names);

bool ir_verify(const ir_graph *g); /* every invariant stated above; message in ir_error() */
void ir_print(const ir_graph *g, FILE *out);

/* Counts a sample (SAMPLE values) and a batch (SHARED values) from the graph as it stands. */
typedef struct ir_counts {
    int64_t flop;        /* per sample */
    int64_t shared_flop; /* per call */
    int64_t loads, stores;
    int64_t op[IR_OPS]; /* how many values of each op */
} ir_counts;
ir_counts ir_count(const ir_graph *g);

/*
 * The reference evaluator: the oracle for passes, backends and gradients.  Over double, or double complex for the complex
 * step (abs, max, min, comparisons and lookups decide by the real part; stop drops the imaginary part).
 * SAMPLE values are (batch, size) row-major, SHARED values (size).  In sums over the batch every sample counts `copies` times, as
 * in a batch that has so many of each.
 */
typedef struct ir_array {
    double complex *x; /* imaginary parts 0 for a real evaluation */
    double *terms;     /* outputs: sum of |terms| that were added up to give each element, so that agreement is |difference| <= c eps terms */
} ir_array;
/* inputs: one array for each input value in order of creation; outputs: one for each output, allocated by the call. */
bool ir_eval(const ir_graph *g, int32_t batch, int32_t copies, const ir_array *inputs, ir_array *outputs);
int32_t ir_inputs(const ir_graph *g, ir_id *ids); /* number of input values; ids may be NULL */

#endif
