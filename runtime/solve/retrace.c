/*
 * retrace.c - u integrated backwards: the states of the forward solution it is put back to, and how far it misses them.
 *
 * Known are u0, u at save times, and at checkpoints: every stride-th accepted step, the stride doubling whenever they are all
 * in use, so that they are spread evenly over a solve of any length.
 */
#include "solve/solver.h"

#include <math.h>

void lrnde__retrace_forget(lrnde_solver *s)
{
    s->retrace.n = 0;
    s->retrace.stride = 1;
}

void lrnde__retrace_step(lrnde__run *r, int64_t n)
{
    lrnde__retrace *v = &r->s->retrace;
    const lrnde__slot *end = lrnde__slot_at(r->record, n + 1);
    int32_t room = r->s->desc->sensitivity.checkpoints;
    if (!v->u || !room || (n + 1) % v->stride != 0) return;
    if (v->n == room) {
        for (int32_t i = 1; i < room; i += 2) { /* keeps every second one */
            void *u = v->u[i / 2];
            v->u[i / 2] = v->u[i];
            v->u[i] = u;
            v->t[i / 2] = v->t[i];
        }
        v->n = room / 2;
        v->stride *= 2;
        if ((n + 1) % v->stride != 0) return;
    }
    v->t[v->n] = end->t;
    r->s->driver->copy(r->s->device, v->u[v->n++], end->carry[0], lrnde__sample_bytes(r->s, r->s->desc->state));
}

void lrnde__retrace_begin(lrnde_solver *s, double t)
{
    lrnde__retrace *v = &s->retrace;
    v->worst = 0;
    v->left = s->desc->sensitivity.state ? v->n : 0;
    while (v->left && (v->t[v->left - 1] - t) * (s->forward.t - s->forward.t0) > 0) v->left--;
}

int lrnde__retrace_next(const lrnde_solver *s, double *t)
{
    if (!s->retrace.left) return 0;
    *t = s->retrace.t[s->retrace.left - 1];
    return 1;
}

/* By how many tolerances of the solve, in the RMS, component 1 misses the known u. */
static void measure(lrnde_solver *s, void *const *carry, const void *u)
{
    double sum;
    lrnde_args a = s->args;
    a.carry = lrnde__in(carry);
    a.in = &u;
    lrnde__launch_for_sums(s, &s->desc->adjoint->miss, &a, &sum);
    double miss = sqrt(sum / ((double)s->desc->state * (double)s->options.batch));
    s->retrace.worst = fmax(s->retrace.worst, miss);
}

void lrnde__retrace_meet(lrnde_solver *s, double t, void **carry)
{
    lrnde__retrace *v = &s->retrace;
    double next;
    const void *u = NULL;
    if (lrnde__jump_next(s, &next) && next == t) u = lrnde__jump_state(s);
    if (lrnde__retrace_next(s, &next) && next == t) u = v->u[--v->left];
    if (s->adjoint_record.steps) measure(s, carry, u);
    s->driver->copy(s->device, carry[1], u, lrnde__sample_bytes(s, s->desc->state));
}

lrnde_status lrnde__retrace_end(lrnde_solver *s)
{
    static const char says[] = "adjoint, solving u back: u misses the solution by %.3g tolerances, more than %g: "
                               "use checkpoints or another sensitivity";
    const lrnde_sensitivity *how = &s->desc->sensitivity;
    lrnde__retrace *v = &s->retrace;
    measure(s, lrnde__slot_at(&s->adjoint_record, s->adjoint_record.steps)->carry, s->initial[0]);
    s->adjoint.stats.miss = v->worst;
    if (v->worst <= how->bound) return LRNDE_OK;
    if (how->strict) return lrnde__fail(s, LRNDE_ERR_INACCURATE, says, v->worst, how->bound);
    if (!v->warned) lrnde__warn(s, says, v->worst, how->bound);
    v->warned = 1;
    return LRNDE_OK;
}
