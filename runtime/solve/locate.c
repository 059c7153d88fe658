/*
 * locate.c - after a step or a start that was not finite: which stage, of which sample, was the first, and in it which
 * component of the state and which layer of a network.
 *
 * Runs only when a solve has failed, so it may allocate, and brings whole arrays to the host.  What it cannot find out, for
 * want of memory or because all is well when a stage is computed once more, stays unknown.
 */
#include "solve/solver.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* The host's copy of an array of `size` features as it lies on the device, in tiles; NULL if there is no memory. */
static void *fetch(lrnde_solver *s, const void *array, int64_t size)
{
    size_t bytes = (size_t)(s->lanes * size) * (size_t)s->desc->real_bytes;
    void *copy = malloc(bytes);
    if (copy) s->driver->get(s->device, copy, array, bytes);
    return copy;
}

static double get(const lrnde_solver *s, const void *values, int64_t i)
{
    return s->desc->real_bytes == sizeof(float) ? ((const float *)values)[i] : ((const double *)values)[i];
}

static void put(const lrnde_solver *s, void *values, int64_t i, double x)
{
    if (s->desc->real_bytes == sizeof(float))
        ((float *)values)[i] = (float)x;
    else
        ((double *)values)[i] = x;
}

/* The first of a sample's features that is not finite, or -1. */
static int64_t first_bad(const lrnde_solver *s, const void *values, int64_t size, int64_t sample)
{
    int64_t tile = s->tile;
    for (int64_t i = 0; i < size; i++)
        if (!isfinite(get(s, values, (sample / tile * size + i) * tile + sample % tile))) return i;
    return -1;
}

/* Notes stage, sample and component if this array of the state's size is what is not finite; nonzero if it is. */
static int is_culprit(lrnde_solver *s, const void *array, int32_t stage)
{
    const lrnde_model_desc *desc = s->desc;
    void *values = fetch(s, array, desc->state);
    int64_t sample = 0, component = -1;
    while (values && sample < s->options.batch && (component = first_bad(s, values, desc->state, sample)) < 0) sample++;
    free(values);
    if (component < 0) return 0;
    s->error.stage = stage;
    s->error.sample = sample;
    if (desc->state_names)
        snprintf(s->error.component, sizeof s->error.component, "%s", desc->state_names[component]);
    else
        snprintf(s->error.component, sizeof s->error.component, "u[%lld]", (long long)component + 1);
    return 1;
}

/* Notes the layer of the right-hand side at t that is not finite in the sample noted; u: its argument, on the device. */
static void locate_layer(lrnde_solver *s, double t, const void *u)
{
    const lrnde_model_desc *desc = s->desc;
    size_t bytes = (size_t)(s->lanes * desc->n_layers) * (size_t)desc->real_bytes;
    void *out = s->driver->alloc(s->device, bytes);
    if (!out) return;
    lrnde_args a = s->args;
    a.s.t = t;
    a.carry = &u;
    a.out = &out;
    s->driver->launch(s->device, &desc->locate, &a, NULL);
    void *values = fetch(s, out, desc->n_layers);
    int64_t layer = values ? first_bad(s, values, desc->n_layers, s->error.sample) : -1;
    if (layer >= 0) snprintf(s->error.layer, sizeof s->error.layer, "%s", desc->layers[layer]);
    free(values);
    s->driver->free(s->device, out);
}

/* The method of the step in slot n. */
static const lrnde_system_desc *method_of(const lrnde__run *r, int64_t n)
{
    return lrnde__method(r->sys, &lrnde__slot_at(r->record, n)->past);
}

/* Stage i, from 0, of the step in slot n. */
static const void *stage(const lrnde__run *r, int64_t n, int32_t i)
{
    const lrnde_system_desc *sys = method_of(r, n);
    int32_t interior = i - (sys->fsal ? 1 : 0);
    return interior < 0          ? lrnde__slot_at(r->record, n)->carry[sys->n_components]
           : interior < sys->n_k ? lrnde__slot_at(r->record, n)->k[interior]
                                 : lrnde__slot_at(r->record, n + 1)->carry[sys->n_components];
}

/* Makes z = u + h sum_j a_ij k_j, the argument of stage i, once more; 0 if there is no memory. */
static int stage_argument(lrnde__run *r, int64_t n, int32_t i, void *z)
{
    lrnde_solver *s = r->s;
    const lrnde__slot *slot = lrnde__slot_at(r->record, n);
    const lrnde_system_desc *method = method_of(r, n);
    int64_t size = s->lanes * s->desc->state;
    void *sum = fetch(s, slot->carry[0], s->desc->state);
    int made = sum != NULL;
    for (int32_t j = 0; made && j < i; j++) {
        double weight = slot->h * method->a[i * method->stages + j];
        if (weight == 0) continue;
        void *k = fetch(s, stage(r, n, j), s->desc->state);
        made = k != NULL;
        for (int64_t e = 0; made && e < size; e++) put(s, sum, e, get(s, sum, e) + weight * get(s, k, e));
        free(k);
    }
    if (made) s->driver->put(s->device, z, sum, (size_t)size * (size_t)s->desc->real_bytes);
    free(sum);
    return made;
}

static int has_layers(const lrnde__run *r)
{
    return r->sys == r->s->desc->forward && r->s->desc->n_layers > 0;
}

void lrnde__locate(lrnde__run *r, int64_t n)
{
    lrnde_solver *s = r->s;
    const lrnde_system_desc *method = method_of(r, n);
    /* Stochastic methods keep no stage, and where the carry is all that dense output needs, only the first is kept. */
    const int32_t kept = !method->fsal ? method->n_k : method->n_k == method->stages - 2 ? method->stages : 1;
    int32_t i = 0;
    while (i < kept && !is_culprit(s, stage(r, n, i), i + 1)) i++;
    if (i == kept) is_culprit(s, lrnde__slot_at(r->record, n + 1)->carry[0], -1);
    if (i == kept || !has_layers(r)) return;
    void *z = s->driver->alloc(s->device, (size_t)(s->lanes * s->desc->state) * (size_t)s->desc->real_bytes);
    const lrnde__slot *slot = lrnde__slot_at(r->record, n);
    if (z && stage_argument(r, n, i, z)) locate_layer(s, slot->t + slot->h * method->external_c[i], z);
    if (z) s->driver->free(s->device, z);
}

void lrnde__locate_start(lrnde__run *r, const void *u, const void *f0)
{
    if (!is_culprit(r->s, u, 1) && is_culprit(r->s, f0, 1) && has_layers(r)) locate_layer(r->s, r->t, u);
}
