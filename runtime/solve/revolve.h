/*
 * revolve.h - where to keep checkpoints so that n steps can be reversed with few of them taken again.
 *
 * A checkpoint is a state from which the steps after it can be taken again; the state at the start is one of them.  Reversing
 * step n - 1, n - 2, .., 0 needs each of them once more as it is met, and the steps that lead there from a checkpoint; those
 * are what is counted, the last step alone is still at hand.
 *
 *   t(n, c) = r n - C(c + r, r - 1),   r the least with C(c + r, c) >= n
 *
 * is the least for n steps and c checkpoints (Griewank & Walther, ACM TOMS 26(1), 2000).  It is attained when n is known.
 * When it is not, a full set gives up one checkpoint for each new one; the rule of Wang, Moin & Iaccarino (SIAM J. Sci.
 * Comput. 31(4), 2009) keeps the repetitions of any step at their least, and what is taken again within 1.5 t(n, c).
 */
#ifndef LRNDE_SOLVE_REVOLVE_H
#define LRNDE_SOLVE_REVOLVE_H

#include <stdint.h>

/* A checkpoint: the state before step n.  level: how long it is to live, see revolve.c. */
typedef struct lrnde__mark {
    int64_t n;
    int32_t level;
} lrnde__mark;

/* t(n, c), for 1 <= n, c < 2^31. */
int64_t lrnde__revolve_count(int64_t n, int64_t c);

/* How far from a checkpoint the next one is to be, n steps to reverse, c checkpoints with this one; n if there is none. */
int64_t lrnde__revolve_split(int64_t n, int64_t c);

/* Puts the state before step n, later than all of them, among the c > 1 marks.  Returns the one that has to go for it. */
int64_t lrnde__revolve_replace(lrnde__mark *mark, int64_t c, int64_t n);

#endif
