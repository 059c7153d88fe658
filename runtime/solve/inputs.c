/*
 * inputs.c - batches of inputs on the device.
 *
 * Kernels and callers see one of them; choosing another changes places, so that what was set of a batch once need not cross to
 * the device again.
 */
#include "solve/solver.h"

#include <string.h>

/* The arrays of the batch that are not there yet. */
static lrnde_status make(lrnde_solver *s)
{
    for (int32_t i = 0; i < s->desc->n_inputs; i++) {
        const lrnde_input_desc *input = &s->desc->inputs[i];
        if (s->inputs[i]) continue;
        s->inputs[i] = lrnde__device(s, (size_t)(input->series ? s->series : 1) * lrnde__sample_bytes(s, input->size));
        if (!s->inputs[i]) return s->error.status;
    }
    return LRNDE_OK;
}

/* Changes places: the inputs are those of another batch from now on. */
static void change_to(lrnde_solver *s, int32_t batch)
{
    const size_t n = (size_t)s->desc->n_inputs;
    memcpy(s->input_batches + (size_t)s->input_batch * n, s->inputs, n * sizeof *s->inputs);
    memcpy(s->inputs, s->input_batches + (size_t)batch * n, n * sizeof *s->inputs);
    s->input_batch = batch;
}

lrnde_status lrnde__inputs_choose(lrnde_solver *s, double batch)
{
    const int32_t before = s->input_batch, chosen = batch >= 0 && batch < s->options.batches ? (int32_t)batch : -1;
    if (chosen < 0 || chosen != batch)
        return lrnde__fail(s, LRNDE_ERR_ARGUMENT, "inputs/batch: %.9g is none of the %d of options.batches", batch,
                           (int)s->options.batches);
    change_to(s, chosen);
    if (!make(s)) return LRNDE_OK;
    change_to(s, before);
    return s->error.status;
}

lrnde_status lrnde__inputs_reserve(lrnde_solver *s, int64_t n)
{
    const int32_t now = s->input_batch;
    for (int32_t batch = 0; n != s->series && batch < s->options.batches; batch++) {
        change_to(s, batch);
        for (int32_t i = 0; i < s->desc->n_inputs; i++) {
            if (!s->desc->inputs[i].series) continue;
            lrnde__release(s, s->inputs[i]);
            s->inputs[i] = NULL;
        }
    }
    change_to(s, now);
    s->series = n;
    return make(s);
}
