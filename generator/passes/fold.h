/*
 * fold.h - building a value in its simplest form: ir_value_new for passes that leave nothing to clean up behind them.
 */
#ifndef LRNDE_FOLD_H
#define LRNDE_FOLD_H

#include "ir/build.h"

/* The value op(args), of exactly the kind and shape ir_value_new would give it, perhaps one that exists already. */
ir_id fold_value(ir_graph *g, ir_op op, int32_t n_args, const ir_id *args, const int32_t *attr);

/* The halves of fold_value.  What they give may be narrower than the result of op: shared where that is per sample, rank 0
 * where that has a shape; it stands for its repetition. */
ir_id fold_map(ir_graph *g, ir_op op, int32_t n_args, const ir_id *args);
ir_id fold_move(ir_graph *g, ir_op op, int32_t n_args, const ir_id *args, const int32_t *attr);

/* The rank-0 or shared value that x repeats, x itself if it repeats nothing. */
ir_id fold_peel(const ir_graph *g, ir_id x);
bool fold_is(const ir_graph *g, ir_id x, double number); /* x repeats this constant */

/* A hint for the emitted text, unless the value has a better one. */
void fold_name(ir_graph *g, ir_id v, const char *name);

#endif
