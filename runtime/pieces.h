/*
 * pieces.h - a Brownian path as far as it has been drawn: which of its pieces a trial step takes, and what is drawn for it.
 *
 * What was drawn is never forgotten, or rejecting would choose among paths: a rejected step gives back its pieces, and shorter
 * steps use them up first, cutting one in two by a Brownian bridge:
 *
 *   W(q L) = q W(L) + sqrt(q (1 - q) L) N(0, 1)        (RSwM3: Rackauckas & Nie, Discrete Contin. Dyn. Syst. B 22(7), 2017)
 *
 * Only lengths and numbers of pieces are known here; their increments are the caller's.  Freestanding, like control.h.
 */
#ifndef LRNDE_PIECES_H
#define LRNDE_PIECES_H

#include "control.h"

/*
 * What a trial step has to do before its increments are those of the pieces in use, from the bottom up, added: scale N(0, 1) of
 * `draw` into a piece; then, of one that is cut, first' = q first + drawn, drawn' = first - first'.
 */
typedef struct lrnde_trial {
    int64_t drawn, cut, draw; /* -1: none */
    double q, scale;
} lrnde_trial;

/* Of a step: what is left beyond it is rounding. */
#define LRNDE_SLIVER 1e-14

/* A trial step of this length.  There must be a spare piece, which is the most it takes. */
static inline lrnde_trial lrnde_pieces_try(lrnde_pieces *p, double length)
{
    lrnde_trial trial = {-1, -1, -1, 0, 0};
    while (p->n_used > 0) p->future[p->n_future++] = p->used[--p->n_used];
    for (double left = length; left > LRNDE_SLIVER * length;) {
        int64_t piece;
        if (p->n_future > 0) {
            piece = p->future[--p->n_future];
        } else {
            piece = trial.drawn = p->spare[--p->n_spare];
            p->length[piece] = left, trial.scale = sqrt(left), trial.draw = p->draws++;
        }
        p->used[p->n_used++] = piece;
        const double whole = p->length[piece];
        if (whole > left + LRNDE_SLIVER * length) {
            const int64_t rest = p->spare[--p->n_spare];
            trial.cut = piece, trial.drawn = rest;
            trial.q = left / whole, trial.scale = sqrt(trial.q * (1 - trial.q) * whole), trial.draw = p->draws++;
            p->length[piece] = left, p->length[rest] = whole - left;
            p->future[p->n_future++] = rest;
        }
        left -= p->length[piece];
    }
    return trial;
}

/* The trial step is a step: nothing will ask for its pieces again. */
static inline void lrnde_pieces_accept(lrnde_pieces *p)
{
    while (p->n_used > 0) p->spare[p->n_spare++] = p->used[--p->n_used];
}

#endif
