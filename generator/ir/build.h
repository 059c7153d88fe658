/*
 * build.h - what the files of ir/ and passes/ share beyond the public ir.h: memory, messages, inference, copying.
 */
#ifndef LRNDE_IR_BUILD_H
#define LRNDE_IR_BUILD_H

#include "ir/ir.h"

/* Zeroed memory that lives as long as the process. */
void *ir_alloc(size_t bytes);
char *ir_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Leaves a message for ir_error().  Always false.  The arguments may point into the last message. */
bool ir_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* How many of attr[] an op uses. */
int ir_attrs(ir_op op);

/* Checks what v's op asks of its arguments and attributes, and sets the kind, rank and dims that follow.  A leaf says
 * those itself: they are only checked.  v need not be in the graph; its arguments are. */
bool ir_infer(const ir_graph *g, ir_value *v);

typedef struct ir_text {
    char s[32];
} ir_text;
ir_text ir_shape(const ir_value *v); /* "(50, 2)" */

/* The value v of another graph again, its arguments renumbered by map. */
ir_id ir_copy_value(ir_graph *to, const ir_value *v, const ir_id *map);
void ir_copy_outputs(ir_graph *to, const ir_graph *from, const ir_id *map);

/* One MAP op on numbers: see apply.c. */
double ir_apply(ir_op op, const double *x);
double complex ir_apply_complex(ir_op op, const double complex *z);
double ir_apply_terms(ir_op op, const double *x, const double *terms, double result);
double ir_product_terms(double x, double x_terms, double y, double y_terms);

#endif
