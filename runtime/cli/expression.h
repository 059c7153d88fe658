/*
 * expression.h - a scalar of the state, as a user types it: "u[1]+u[2]", "0.5*(x - 1)^2".
 *
 *   sum      = product { ("+" | "-") product }
 *   product  = signed { ("*" | "/") signed }
 *   signed   = ["-" | "+"] signed | power
 *   power    = atom ["^" signed]
 *   atom     = number | "u[" index from 1 "]" | name of a component | "(" sum ")"
 */
#ifndef LRNDE_CLI_EXPRESSION_H
#define LRNDE_CLI_EXPRESSION_H

#include <stdint.h>

typedef struct expression_state {
    const double *u;          /* (n) */
    const char *const *names; /* (n) of the components, or NULL */
    int64_t n;
} expression_state;

/*
 * The value of the expression at a state and its derivative by every component, gradient (n).
 * Returns NULL, or what is wrong with the text (a constant string), *at then telling where.
 */
const char *expression_evaluate(const char *text, const expression_state *state, double *value, double *gradient,
                                const char **at);

#endif
