/*
 * saves.c - what a solve leaves at its save times: u there, and what the head makes of it.
 *
 * Save times never change the steps: at the end of a step u is copied, inside it comes from dense output.
 */
#include "solve/solver.h"

#include <string.h>

static lrnde_status reserve(lrnde_solver *s, int64_t n)
{
    lrnde__saves *v = &s->saves;
    int32_t outputs = s->desc->n_outputs;
    if (n <= v->room) return LRNDE_OK;
    double *t = lrnde__grow(s, v->t, v->room, n, sizeof *t);
    if (t) v->t = t;
    void **u = lrnde__grow(s, v->u, v->room, n, sizeof *u);
    if (u) v->u = u;
    void **out = lrnde__grow(s, v->out, v->room * outputs, n * outputs, sizeof *out);
    if (out) v->out = out;
    double *each = lrnde__grow(s, v->each, v->room * s->desc->head.n_sums, n * s->desc->head.n_sums, sizeof *each);
    if (each) v->each = each;
    if (!t || !u || !out || !each) return s->error.status;
    for (; v->room < n; v->room++) {
        if (!(u[v->room] = lrnde__device(s, lrnde__sample_bytes(s, s->desc->state)))) return s->error.status;
        for (int32_t i = 0; i < outputs; i++)
            if (!(out[v->room * outputs + i] = lrnde__device(s, lrnde__array_bytes(s, &s->desc->outputs[i]))))
                return s->error.status;
    }
    return LRNDE_OK;
}

lrnde_status lrnde__saves_set(lrnde_solver *s, const double *t, int64_t n, double t0, double t1)
{
    double direction = t1 - t0, last = t0;
    for (int64_t i = 0; i < n; last = t[i++])
        if (!((t[i] - last) * direction >= 0 && (t1 - t[i]) * direction >= 0))
            return lrnde__fail(s, LRNDE_ERR_ARGUMENT, "save time %lld, %.9g, is out of order or outside of [%.9g, %.9g]",
                               (long long)i, t[i], t0, t1);
    LRNDE_TRY(reserve(s, n));
    memmove(s->saves.t, t, (size_t)n * sizeof *t);
    s->saves.n = n;
    return LRNDE_OK;
}

const void *const *lrnde__data_at(lrnde_solver *s, int64_t save)
{
    int64_t time = save < s->series ? save : s->series - 1; /* a solve at times of its own has no series there */
    for (int32_t i = 0; i < s->desc->n_inputs; i++) {
        const lrnde_input_desc *input = &s->desc->inputs[i];
        s->data[i] = (char *)s->inputs[i] + (input->series ? (size_t)time * lrnde__sample_bytes(s, input->size) : 0);
    }
    return s->data;
}

void lrnde__saves_start(lrnde_solver *s)
{
    lrnde__saves *v = &s->saves;
    lrnde__slot *slot = lrnde__slot_at(&s->forward_record, 0);
    for (v->done = 0; v->done < v->n && v->t[v->done] == slot->t; v->done++)
        s->driver->copy(s->device, v->u[v->done], slot->carry[0], lrnde__sample_bytes(s, s->desc->state));
}

void lrnde__saves_step(lrnde__run *r, int64_t n)
{
    lrnde_solver *s = r->s;
    lrnde__saves *v = &s->saves;
    lrnde__slot *slot = lrnde__slot_at(r->record, n), *next = lrnde__slot_at(r->record, n + 1);
    for (; v->done < v->n && (next->t - v->t[v->done]) * slot->h >= 0; v->done++) {
        double t = v->t[v->done];
        if (t == next->t)
            s->driver->copy(s->device, v->u[v->done], next->carry[0], lrnde__sample_bytes(s, s->desc->state));
        else
            lrnde__dense(r, n, (t - slot->t) / slot->h, v->u[v->done]);
    }
}

int lrnde__saves_inside(const lrnde_solver *s, double t0, double t1)
{
    for (int64_t i = 0; i < s->saves.n; i++)
        if (s->saves.t[i] != t0 && s->saves.t[i] != t1) return 1;
    return 0;
}

double lrnde__weight(const lrnde_solver *s)
{
    return 1 / ((double)s->options.batch * (double)s->saves.n);
}

lrnde_status lrnde__heads(lrnde_solver *s, const lrnde_kernel *head, void *const *in, int32_t pitch, double share)
{
    lrnde__saves *v = &s->saves;
    int32_t n_sums = head->n_sums;
    memset(v->sums, 0, sizeof v->sums);
    for (int64_t save = 0; head->tile && save < v->n; save++) {
        lrnde_args a = s->args;
        a.s.t = v->t[save];
        a.s.weight = lrnde__weight(s);
        a.data = lrnde__data_at(s, save);
        a.s.share = share;
        a.in = lrnde__in(in + save * pitch);
        a.out = v->out + save * s->desc->n_outputs;
        s->driver->launch(s->device, head, &a, v->each + save * n_sums);
    }
    LRNDE_TRY(lrnde__wait(s));
    for (int64_t i = 0; head->tile && i < v->n * n_sums; i++) v->sums[i % n_sums] += v->each[i];
    return LRNDE_OK;
}
