/*
 * jumps.c - the cotangents of u that a sweep picks up on its way back: one at every save time, and those of the local step
 * if its gradient reaches u: at its start, and at the starts of the steps before that it remembers.
 *
 * Which loss is behind them is decided here and nowhere else: the model's (rev_head), or the caller's, of u itself or of an
 * output (rev_output).
 */
#include "solve/solver.h"

void lrnde__jumps_begin(lrnde_solver *s, lrnde__source source, int32_t output, const void *cot, int32_t locals)
{
    s->jumps.source = source;
    s->jumps.output = output;
    s->jumps.cot = cot;
    s->jumps.left = source == LRNDE__FROM_NOTHING ? 0 : s->saves.n;
    s->jumps.local = 0;
    s->jumps.locals = locals;
}

static double local_time(const lrnde_solver *s)
{
    return s->jumps.local ? s->local.past.t[s->jumps.local - 1] : s->local.t;
}

/* Where the carry has the state. */
static int32_t local_place(const lrnde_solver *s)
{
    return s->jumps.local ? s->desc->forward->past_states + s->jumps.local - 1 : 0;
}

/* Whether the local step comes before the last save time that is left. */
static int local_is_next(const lrnde_solver *s)
{
    double direction = s->forward.t - s->forward.t0;
    if (s->jumps.local == s->jumps.locals) return 0;
    return !s->jumps.left || (local_time(s) - s->saves.t[s->jumps.left - 1]) * direction > 0;
}

int lrnde__jump_next(const lrnde_solver *s, double *t)
{
    int local = local_is_next(s);
    if (!local && !s->jumps.left) return 0;
    *t = local ? local_time(s) : s->saves.t[s->jumps.left - 1];
    return 1;
}

const void *lrnde__jump_state(const lrnde_solver *s)
{
    return local_is_next(s) ? s->local.carry[local_place(s)] : s->saves.u[s->jumps.left - 1];
}

/* Save time `save` of the caller's (B, S, size) cotangent. */
static void pack_caller(lrnde_solver *s, void *to, int64_t size, int64_t save)
{
    const char *from = s->jumps.cot + (size_t)(save * size) * (size_t)s->desc->real_bytes;
    lrnde__pack(s, to, size, from, s->saves.n * size, 0, 0);
}

void lrnde__jump_meet(lrnde_solver *s)
{
    if (local_is_next(s)) {
        s->driver->copy(s->device, s->jumps.u, s->local.cot[local_place(s)], lrnde__sample_bytes(s, s->desc->state));
        s->jumps.local++;
        return;
    }
    int64_t save = --s->jumps.left;
    lrnde_args a = s->args;
    a.s.t = s->saves.t[save];
    a.s.weight = lrnde__weight(s);
    a.data = lrnde__data_at(s, save);
    a.out = &s->jumps.u;
    a.partial = s->partial;
    a.partial_stride = s->partial_stride;
    switch (s->jumps.source) {
    case LRNDE__FROM_NOTHING: break;
    case LRNDE__FROM_STATE: pack_caller(s, s->jumps.u, s->desc->state, save); break;
    case LRNDE__FROM_LOSS:
        a.in = lrnde__in(&s->saves.u[save]);
        s->driver->launch(s->device, &s->desc->rev_head, &a, NULL);
        break;
    case LRNDE__FROM_OUTPUT:
        pack_caller(s, s->cot_outputs[1 + s->jumps.output], s->desc->outputs[s->jumps.output].size, save);
        s->cot_outputs[0] = s->saves.u[save];
        a.in = lrnde__in(s->cot_outputs);
        s->driver->launch(s->device, &s->desc->rev_output, &a, NULL);
        break;
    }
}
