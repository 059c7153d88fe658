/*
 * train.c - the loss, its gradient with the regularizer, and the optimizer's step.
 *
 * One training step: draw where to regularize, solve, evaluate loss and local step, sweep back, update.  The weight of the
 * regularizer and the learning rate are functions of the number of the step.
 */
#include "solve/solver.h"

#include "train/schedule.h"

#include <math.h>

static double scheduled(const lrnde_solver *s, const lrnde_schedule *schedule)
{
    int32_t steps = s->desc->train.steps;
    return lrnde__schedule_at(schedule, s->step + 1, steps > 0 ? steps : 1);
}

void lrnde__report_loss(const lrnde_solver *s, lrnde_report *report)
{
    const lrnde_model_desc *desc = s->desc;
    const double *sums = s->saves.sums;
    *report = (lrnde_report){.t_reg = NAN, .E = NAN, .h_reg = NAN, .grad_norm = NAN, .forward = s->forward.stats};
    for (int32_t i = 0; i < desc->n_loss; i++) {
        report->loss_terms[i] = sums[i];
        report->loss += desc->loss[i].weight * sums[i];
    }
    for (int32_t i = 0; i < desc->n_metrics; i++) report->metrics[i] = sums[desc->n_loss + i];
}

/* Of several terms: w_reg is the sum of their weights, reg the mean they weigh.  Returns whether any has a weight. */
static int report_regularizers(lrnde_solver *s, lrnde_report *report)
{
    lrnde__local *l = &s->local;
    int weighs = 0;
    for (int32_t i = 0; i < s->desc->regularizer.n_terms; i++) {
        l->w[i] = scheduled(s, &s->desc->regularizer.terms[i].coefficient);
        report->w_reg += report->w_terms[i] = l->w[i];
        report->reg_terms[i] = l->R[i];
        weighs |= l->w[i] != 0;
    }
    report->reg = report->w_reg != 0 ? lrnde__local_sum(s) / report->w_reg : l->R[0];
    report->E = l->E, report->t_reg = l->t_reg, report->h_reg = l->h;
    report->forward = s->forward.stats;
    return weighs;
}

lrnde_status lrnde_loss(lrnde_solver *s, lrnde_report *report)
{
    if (!s->desc->n_loss) return lrnde__fail(s, LRNDE_ERR_UNSUPPORTED, "%s has no loss", s->desc->name);
    lrnde__local_begin(s, LRNDE__NO_LOCAL, NAN, 0);
    LRNDE_TRY(lrnde__solve(s, NULL, 0, NULL, 0, 0));
    lrnde__report_loss(s, report);
    return LRNDE_OK;
}

static lrnde_status loss_gradient(lrnde_solver *s, lrnde_report *report)
{
    int local = 0;
    lrnde__local_draw(s);
    LRNDE_TRY(lrnde__solve(s, NULL, 0, NULL, 0, 1));
    lrnde__report_loss(s, report);
    report->step = s->step + 1;
    report->lr = scheduled(s, &s->desc->train.lr);
    if (s->local.choice != LRNDE__NO_LOCAL) {
        LRNDE_TRY(lrnde__local_evaluate(s));
        local = report_regularizers(s, report);
    }
    if (!isfinite(report->loss + report->w_reg * report->reg))
        return lrnde__fail(s, LRNDE_ERR_NOT_FINITE, "the loss is not finite: %g + %g * %g", report->loss, report->w_reg,
                           report->reg);
    lrnde_status status = lrnde__gradient(s, LRNDE__FROM_LOSS, 0, NULL, local);
    if (status && lrnde__store_less(s)) return loss_gradient(s, report); /* the sweep's own record did not fit */
    if (status) return s->error.status;
    report->adjoint = s->adjoint.stats;
    report->storage = lrnde_storage_of(s);
    report->grad_norm = sqrt(s->grad_squares);
    if (isfinite(report->grad_norm)) return LRNDE_OK;
    LRNDE_TRY(lrnde__wait(s));
    return lrnde__fail(s, LRNDE_ERR_NOT_FINITE, "the gradient is not finite");
}

lrnde_status lrnde_loss_gradient(lrnde_solver *s, lrnde_report *report)
{
    if (!s->desc->n_loss) return lrnde__fail(s, LRNDE_ERR_UNSUPPORTED, "%s has no loss", s->desc->name);
    if (!s->options.training) return lrnde__fail(s, LRNDE_ERR_ORDER, "the solver was created without options.training");
    lrnde_status status = loss_gradient(s, report);
    if (status) s->error.step = s->step + 1;
    return status;
}

lrnde_status lrnde_update(lrnde_solver *s)
{
    if (!s->desc->update.shared) return lrnde__fail(s, LRNDE_ERR_UNSUPPORTED, "%s has no optimizer", s->desc->name);
    if (!s->differentiated) return lrnde__fail(s, LRNDE_ERR_ORDER, "there is no gradient to update with");
    lrnde_args a = s->args;
    a.s.lr = scheduled(s, &s->desc->train.lr);
    a.s.step = (double)(s->step + 1);
    a.grad = s->grad;
    a.in = lrnde__in(s->optimizer + 1);
    a.out = s->optimizer;
    s->driver->launch(s->device, &s->desc->update, &a, NULL);
    s->recorded = 0;
    s->step++;
    return LRNDE_OK;
}

lrnde_status lrnde_train_step(lrnde_solver *s, lrnde_report *report)
{
    LRNDE_TRY(lrnde_loss_gradient(s, report));
    return lrnde_update(s);
}

int64_t lrnde_step(const lrnde_solver *s)
{
    return s->step;
}
void lrnde_set_step(lrnde_solver *s, int64_t step)
{
    s->step = step;
}
