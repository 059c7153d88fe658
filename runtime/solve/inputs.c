/*
 * inputs.c - batches of inputs on the device.
 *
 * Kernels and callers see one of them; choosing another changes places, so that what was set of a batch once need not cross to
 * the device again.  The others are there as long as nothing else of the solver needs the memory.
 */
#include "solve/solver.h"

#include <string.h>

/* Whether input i of the batch is as it was last set. */
static char *set_flag(lrnde_solver *s, int32_t i)
{
    return s->input_set + (size_t)s->input_batch * (size_t)s->desc->n_inputs + i;
}

void lrnde__inputs_set(lrnde_solver *s, void *const *input)
{
    *set_flag(s, (int32_t)(input - s->inputs)) = 1;
}

int lrnde__inputs_kept(lrnde_solver *s)
{
    for (int32_t i = 0; i < s->desc->n_inputs; i++)
        if (!*set_flag(s, i)) return 0;
    return 1;
}

lrnde_status lrnde__inputs_make(lrnde_solver *s)
{
    for (int32_t i = 0; i < s->desc->n_inputs; i++) {
        const lrnde_input_desc *input = &s->desc->inputs[i];
        if (s->inputs[i]) continue;
        *set_flag(s, i) = 0;
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
    if (!lrnde__inputs_make(s)) return LRNDE_OK;
    change_to(s, before);
    return s->error.status;
}

/* Releases the arrays of a batch that are wanted no more; returns how many. */
static int release(lrnde_solver *s, int32_t batch, int only_series)
{
    const int32_t n = s->desc->n_inputs;
    void **inputs = batch == s->input_batch ? s->inputs : s->input_batches + (size_t)batch * (size_t)n;
    int released = 0;
    for (int32_t i = 0; i < n; i++) {
        if (!inputs[i] || (only_series && !s->desc->inputs[i].series)) continue;
        lrnde__release(s, inputs[i]);
        inputs[i] = NULL;
        released++;
    }
    return released;
}

int lrnde__inputs_give_up(lrnde_solver *s)
{
    int released = 0;
    for (int32_t batch = 0; s->input_batches && batch < s->options.batches; batch++) /* else none has been made */
        if (batch != s->input_batch) released += release(s, batch, 0);
    return released;
}

lrnde_status lrnde__inputs_reserve(lrnde_solver *s, int64_t n)
{
    for (int32_t batch = 0; n != s->series && batch < s->options.batches; batch++) release(s, batch, 1);
    s->series = n;
    return lrnde__inputs_make(s);
}
