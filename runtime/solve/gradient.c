/*
 * gradient.c - from a cotangent to every gradient: the local step, the sweep, what init was made from.
 *
 * Kernels add to the parameter gradient of their worker; those are added up once, at the end.
 */
#include "solve/solver.h"

static lrnde_status sweep(lrnde_solver *s)
{
    return s->desc->adjoint ? lrnde__sweep_continuous(s) : lrnde__sweep_discrete(s);
}

/* Through init: from u0 and the constants to data and parameters. */
static void reverse_init(lrnde_solver *s)
{
    if (!s->desc->rev_init.tile) return;
    lrnde_args a = s->args;
    a.data = lrnde__data_at(s, 0);
    a.in = lrnde__in(s->cot_initial);
    a.out = s->cot_inputs;
    a.partial = s->partial;
    a.partial_stride = s->partial_stride;
    s->driver->launch(s->device, &s->desc->rev_init, &a, NULL);
}

static lrnde_status gradient(lrnde_solver *s, lrnde__source source, int32_t output, const void *cot, int local)
{
    const lrnde_model_desc *desc = s->desc;
    size_t real = (size_t)desc->real_bytes;
    double t;
    s->differentiated = 0;
    s->forward_record.again = 0;
    s->forward_record.cursor = s->forward_record.steps - 1;
    s->driver->zero(s->device, s->grad, (size_t)desc->n_params * real);
    s->driver->zero(s->device, s->partial, (size_t)s->workers * s->partial_stride * real);
    s->driver->zero(s->device, s->cot_initial[0], lrnde__sample_bytes(s, desc->state));
    for (int32_t i = 0; i < desc->n_constants; i++)
        s->driver->zero(s->device, s->cot_initial[1 + i], lrnde__array_bytes(s, &desc->constants[i]));
    s->local.joined = local && source != LRNDE__FROM_NOTHING && lrnde__local_joins(s);
    int apart = local && !s->local.joined;
    if (apart) lrnde__local_gradient(s);
    lrnde__jumps_begin(s, source, output, cot, apart ? lrnde__local_states(s) : 0);
    if (lrnde__jump_next(s, &t)) LRNDE_TRY(sweep(s));
    reverse_init(s);
    s->driver->add(s->device, s->grad, s->partial, s->workers, s->partial_stride, desc->n_params);
    s->driver->squares(s->device, s->grad, desc->n_params, &s->grad_squares);
    LRNDE_TRY(lrnde__wait(s));
    s->differentiated = 1;
    return LRNDE_OK;
}

lrnde_status lrnde__gradient(lrnde_solver *s, lrnde__source source, int32_t output, const void *cot, int local)
{
    lrnde_status status;
    lrnde__run_trust(&s->adjoint);
    do status = gradient(s, source, output, cot, local);
    while (status && lrnde__run_again(&s->adjoint));
    return status;
}
