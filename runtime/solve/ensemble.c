/*
 * ensemble.c - what a stochastic model predicts: the mean of its outputs over trajectories, judged as one.
 *
 * Every trajectory is a solve along a path of its own, of which the outputs at the save times are added up; the kernel
 * `ensemble` divides, and gives the loss and the metrics of the means.
 */
#include "solve/solver.h"

/* One array for every output at every save time. */
static lrnde_status reserve(lrnde_solver *s)
{
    lrnde__ensemble *v = &s->ensemble;
    const int32_t outputs = s->desc->n_outputs;
    if (s->saves.n <= v->room) return LRNDE_OK;
    void **total = lrnde__grow(s, v->total, v->room * outputs, s->saves.n * outputs, sizeof *total);
    if (!total) return s->error.status;
    for (v->total = total; v->room < s->saves.n; v->room++)
        for (int32_t i = 0; i < outputs; i++)
            if (!(total[v->room * outputs + i] = lrnde__device(s, lrnde__array_bytes(s, &s->desc->outputs[i]))))
                return s->error.status;
    return LRNDE_OK;
}

static void zero(lrnde_solver *s)
{
    for (int64_t i = 0; i < s->saves.n * s->desc->n_outputs; i++)
        s->driver->zero(s->device, s->ensemble.total[i], lrnde__array_bytes(s, &s->desc->outputs[i % s->desc->n_outputs]));
}

static void add_outputs(lrnde_solver *s)
{
    for (int64_t i = 0; i < s->saves.n * s->desc->n_outputs; i++)
        s->driver->add(s->device, s->ensemble.total[i], s->saves.out[i], 1, 0,
                       s->lanes * s->desc->outputs[i % s->desc->n_outputs].size);
}

static void add_work(lrnde_stats *to, const lrnde_stats *from)
{
    to->accepted += from->accepted, to->rejected += from->rejected;
    to->nfe += from->nfe, to->nfe_diffusion += from->nfe_diffusion;
    to->rhs_calls += from->rhs_calls, to->nfe_dense += from->nfe_dense;
}

static lrnde_status solve_all(lrnde_solver *s, int64_t trajectories, lrnde_stats *work)
{
    lrnde_report one;
    for (int64_t i = 0; i < trajectories; i++, s->path++) {
        LRNDE_TRY(lrnde_loss(s, &one));
        if (i == 0) {
            LRNDE_TRY(reserve(s)); /* the first solve knows the save times */
            zero(s);
            *work = one.forward;
        } else {
            add_work(work, &one.forward);
        }
        add_outputs(s);
    }
    return LRNDE_OK;
}

lrnde_status lrnde_ensemble(lrnde_solver *s, int64_t trajectories, lrnde_report *report)
{
    const double path = s->path;
    lrnde_stats work;
    if (trajectories == 1) return lrnde_loss(s, report);
    if (!s->desc->ensemble.tile)
        return lrnde__fail(s, LRNDE_ERR_UNSUPPORTED, "%s has no loss of many trajectories: it is not stochastic, or has no loss",
                           s->desc->name);
    if (trajectories < 1 || path + (double)trajectories - 1 > UINT32_MAX)
        return lrnde__fail(s, LRNDE_ERR_ARGUMENT, "there are no %lld paths from %.9g on", (long long)trajectories, path);
    if (s->noise.held) return lrnde__fail(s, LRNDE_ERR_ARGUMENT, "noise was set: it is of one trajectory");
    lrnde_status status = solve_all(s, trajectories, &work);
    s->path = path;
    if (status) return status;
    LRNDE_TRY(lrnde__heads(s, &s->desc->ensemble, s->ensemble.total, s->desc->n_outputs, 1 / (double)trajectories));
    lrnde__report_loss(s, report);
    report->forward = work;
    return LRNDE_OK;
}
