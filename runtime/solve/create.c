/*
 * create.c - a solver from a descriptor: options with their defaults, a device, every array it will ever need.
 *
 * Allocations remember that they failed (memory.c), so a list of them is checked once, at its end.
 */
#include "solve/solver.h"

#include "io/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DRIVER(name) extern const lrnde_driver lrnde_driver_##name;
LRNDE_DRIVERS(DRIVER)
#undef DRIVER

#define DRIVER(name) &lrnde_driver_##name,
static const lrnde_driver *const drivers[] = {LRNDE_DRIVERS(DRIVER)};
#undef DRIVER
enum { N_DRIVERS = sizeof drivers / sizeof *drivers };

/* What does not open is noted: as the error, or as the reason why "auto" took another. */
static int try_driver(lrnde_solver *s, const lrnde_driver *driver, int32_t ordinal)
{
    char why[sizeof s->refusals - 32] = "";
    size_t noted = strlen(s->refusals);
    s->driver = driver;
    s->device = driver->open(s->desc, ordinal, s->options.threads, why, sizeof why);
    if (!s->device) snprintf(s->refusals + noted, sizeof s->refusals - noted, "%s%s: %s", noted ? "; " : "", driver->name, why);
    return s->device != NULL;
}

/* Every driver, the most preferred first, until one opens. */
static lrnde_status open_best(lrnde_solver *s)
{
    const lrnde_driver *last = NULL;
    for (;;) {
        const lrnde_driver *best = NULL;
        for (size_t i = 0; i < N_DRIVERS; i++)
            if ((!last || drivers[i]->preference < last->preference) && (!best || drivers[i]->preference > best->preference))
                best = drivers[i];
        if (!best) return lrnde__fail(s, LRNDE_ERR_DEVICE, "device auto: %s", s->refusals);
        if (try_driver(s, best, 0)) return LRNDE_OK;
        last = best;
    }
}

/* "auto", "name" or "name:ordinal". */
static lrnde_status open_device(lrnde_solver *s)
{
    const char *wanted = s->options.device;
    int name = (int)strcspn(wanted, ":"), ordinal = 0, end = 0;
    if (!strcmp(wanted, "auto")) return open_best(s);
    if (wanted[name] && (sscanf(wanted + name, ":%9d%n", &ordinal, &end) != 1 || wanted[name + end] || ordinal < 0))
        return lrnde__fail(s, LRNDE_ERR_DEVICE, "device %s: a number from 0 stands after the colon", wanted);
    for (size_t i = 0; i < N_DRIVERS; i++)
        if (strlen(drivers[i]->name) == (size_t)name && !strncmp(wanted, drivers[i]->name, (size_t)name))
            return try_driver(s, drivers[i], ordinal) ? LRNDE_OK : lrnde__fail(s, LRNDE_ERR_DEVICE, "device %s", s->refusals);
    char names[128] = "auto";
    for (size_t i = 0; i < N_DRIVERS; i++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, ", %s", drivers[i]->name);
    }
    return lrnde__fail(s, LRNDE_ERR_DEVICE, "device %s: no such device; there are %s", wanted, names);
}

static lrnde_status fill_options(lrnde_solver *s, const lrnde_options *given)
{
    const lrnde_model_desc *desc = s->desc;
    lrnde_options *o = &s->options;
    if (given->size > sizeof *o)
        return lrnde__fail(s, LRNDE_ERR_ARGUMENT, "options are of a later version: %zu bytes, known are %zu", given->size,
                           sizeof *o);
    memcpy(o, given, given->size);
    s->store = desc->sensitivity.store;
    s->checkpoints = desc->sensitivity.checkpoints;
    if (desc->abi != LRNDE_ABI)
        return lrnde__fail(s, LRNDE_ERR_ARGUMENT, "%s was generated for ABI %d, this is %d", desc->name, (int)desc->abi,
                           LRNDE_ABI);
    const char *negative = o->batch < 0              ? "batch"
                           : o->threads < 0          ? "threads"
                           : o->max_steps < 0        ? "max_steps"
                           : !(o->time_limit_s >= 0) ? "time_limit_s"
                           : !(o->atol >= 0)         ? "atol"
                           : !(o->rtol >= 0)         ? "rtol"
                           : !(o->h >= 0)            ? "h"
                           : !(o->adjoint_atol >= 0) ? "adjoint_atol"
                           : !(o->adjoint_rtol >= 0) ? "adjoint_rtol"
                           : o->batches < 0          ? "batches"
                                                     : NULL;
    if (negative) return lrnde__fail(s, LRNDE_ERR_ARGUMENT, "option %s is negative", negative);
    if (!desc->adjoint && (o->adjoint_atol > 0 || o->adjoint_rtol > 0))
        return lrnde__fail(s, LRNDE_ERR_ARGUMENT,
                           "options adjoint_atol, adjoint_rtol: the gradient of %s is by \"%s\", which solves no adjoint",
                           desc->name, desc->sensitivity.name);
    if (!isfinite(o->t1 - o->t0))
        return lrnde__fail(s, LRNDE_ERR_ARGUMENT, "options t0, t1: [%.9g, %.9g] is no interval", o->t0, o->t1);
    if (o->batch == 0) o->batch = desc->train.batch > 0 ? desc->train.batch : 1;
    if (o->batches == 0) o->batches = 1;
    if (!o->device) o->device = "auto";
    if (o->atol == 0) o->atol = desc->atol;
    if (o->rtol == 0) o->rtol = desc->rtol;
    if (o->adjoint_atol == 0) o->adjoint_atol = desc->sensitivity.atol;
    if (o->adjoint_rtol == 0) o->adjoint_rtol = desc->sensitivity.rtol;
    if (o->h == 0) o->h = desc->h;
    if (o->t0 == o->t1) o->t0 = desc->t0, o->t1 = desc->t1;
    if (o->max_steps == 0) o->max_steps = desc->max_steps > 0 ? desc->max_steps : 1000000;
    if (o->time_limit_s == 0) o->time_limit_s = 3600;
    return LRNDE_OK;
}

/* What the kernels of a model need between them. */
typedef struct needs {
    int64_t work, partial, gradient, sums; /* elements; sums for this many tiles */
} needs;

static void need(needs *n, const lrnde_kernel *k, int64_t tiles)
{
    int64_t chunks = k->shared ? (k->shared_size + LRNDE_CHUNK - 1) / LRNDE_CHUNK : 0;
    int64_t *partial = k->shared ? &n->partial : &n->gradient;
    if (k->work > n->work) n->work = k->work;
    if (k->partial > *partial) *partial = k->partial;
    if ((tiles + chunks) * k->n_sums > n->sums) n->sums = (tiles + chunks) * k->n_sums;
}

static void need_system(needs *n, const lrnde_system_desc *sys, int64_t tiles)
{
#define LRNDE_X(name, doc) need(n, &sys->name, tiles);
    LRNDE_SYSTEM_KERNELS(LRNDE_X)
#undef LRNDE_X
}

static needs needs_of(const lrnde_model_desc *desc, int64_t tiles)
{
    needs n = {.gradient = desc->n_params};
    lrnde_named_system systems[LRNDE_MOST_SYSTEMS];
    for (int32_t i = lrnde_systems(desc, systems); i-- > 0;) need_system(&n, systems[i].system, tiles);
#define LRNDE_X(name, doc) need(&n, &desc->name, tiles);
    LRNDE_MODEL_KERNELS(LRNDE_X)
#undef LRNDE_X
    return n;
}

static size_t padded(int64_t elements)
{
    return (size_t)(elements + 15) / 16 * 16;
}

/* Scratch of the kernels, and the arguments they all get. */
static void plan_launches(lrnde_solver *s)
{
    size_t real = (size_t)s->desc->real_bytes;
    int32_t tiles = (int32_t)(s->lanes / s->tile);
    const lrnde_text *text = lrnde_text_for(s->desc, s->driver);
    needs n = needs_of(s->desc, tiles);
    if (text) n.work = text->work;
    s->workers = s->driver->workers(s->device, tiles);
    s->partial_stride = padded(n.gradient);
    s->args = (lrnde_args){.s = {.atol = s->options.atol, .rtol = s->options.rtol}, .batch = s->options.batch, .tiles = tiles};
    s->args.workers = s->workers;
    s->args.params = s->params = lrnde__device(s, padded(s->desc->n_params) * real);
    s->args.sums = lrnde__device(s, (size_t)n.sums * sizeof(double));
    s->args.partial_stride = padded(n.partial);
    s->args.partial = lrnde__device(s, (size_t)s->workers * s->args.partial_stride * real);
    s->args.work_stride = padded(n.work);
    s->args.work = lrnde__device(s, (size_t)s->workers * s->args.work_stride * real);
}

/* The host's copy of the largest array. */
static void plan_staging(lrnde_solver *s)
{
    const lrnde_model_desc *desc = s->desc;
    int64_t widest = desc->state;
    for (int32_t i = 0; i < desc->n_inputs; i++) widest = desc->inputs[i].size > widest ? desc->inputs[i].size : widest;
    for (int32_t i = 0; i < desc->n_outputs; i++) widest = desc->outputs[i].size > widest ? desc->outputs[i].size : widest;
    int64_t elements = s->lanes * widest > desc->n_params ? s->lanes * widest : desc->n_params;
    s->staging = lrnde__host(s, (size_t)elements * (size_t)desc->real_bytes);
}

/* Two tables of arrays as one. */
static void **join(lrnde_solver *s, void *const *a, int32_t n_a, void *const *b, int32_t n_b)
{
    void **table = lrnde__host(s, (size_t)(n_a + n_b) * sizeof *table);
    if (!table || !a || !b) return NULL;
    memcpy(table, a, (size_t)n_a * sizeof *table);
    memcpy(table + n_a, b, (size_t)n_b * sizeof *table);
    return table;
}

/* u0, then the constants: as init writes and, of cotangents, rev_init reads them. */
static void **initial_arrays(lrnde_solver *s)
{
    int32_t n = s->desc->n_constants;
    return join(s, lrnde__state_arrays(s, 1), 1, lrnde__arrays(s, s->desc->constants, n), n);
}

static void plan_local(lrnde_solver *s)
{
    lrnde__local *l = &s->local;
    const lrnde_system_desc *sys = s->desc->regularizer.system ? s->desc->regularizer.system : s->desc->forward;
    l->run = (lrnde__run){.s = s, .sys = sys, .record = &l->record, .what = "local step", .f0 = s->forward.f0};
    l->run.careful = 1; /* its only step is the one that is looked at */
    lrnde__record_open(s, &l->record, sys, 0, 0, 0);
    lrnde__noise_plan(s, &l->run, &l->noise, LRNDE__STREAM_LOCAL_NOISE);
}

static void plan_solve(lrnde_solver *s)
{
    const lrnde_model_desc *desc = s->desc;
    s->forward = (lrnde__run){.s = s, .sys = desc->forward, .record = &s->forward_record, .what = "solve"};
    s->forward.f0 = desc->forward->n_noise ? lrnde__state_arrays(s, 2) /* drift, diffusion */
                                           : lrnde__arrays(s, desc->forward->carry, desc->forward->n_components);
    s->inputs = lrnde__host(s, (size_t)desc->n_inputs * sizeof *s->inputs);
    s->input_set = lrnde__host(s, (size_t)s->options.batches * (size_t)desc->n_inputs);
    s->input_batches = lrnde__host(s, (size_t)s->options.batches * (size_t)desc->n_inputs * sizeof *s->input_batches);
    s->data = lrnde__host(s, (size_t)desc->n_inputs * sizeof *s->data);
    s->initial = initial_arrays(s);
    if (s->initial) s->args.constants = lrnde__in(s->initial + 1);
    lrnde__noise_plan(s, &s->forward, &s->noise, LRNDE__STREAM_NOISE);
    if (desc->regularizer.n_terms) plan_local(s);
    if (s->driver->run) lrnde__course_plan(s);
}

/* What the continuous adjoint needs beside its record. */
static void plan_adjoint(lrnde_solver *s)
{
    const lrnde_system_desc *sys = s->desc->adjoint;
    const lrnde_sensitivity *how = &s->desc->sensitivity;
    s->adjoint = (lrnde__run){.s = s, .sys = sys, .record = &s->adjoint_record};
    s->adjoint.what = how->state ? "adjoint, solving u back" : "adjoint";
    s->adjoint.f0 = lrnde__arrays(s, sys->carry, sys->n_components);
    int32_t externals = sys->start && sys->start->n_external > sys->n_external ? sys->start->n_external : sys->n_external;
    s->adjoint.external = lrnde__host(s, (size_t)externals * sizeof *s->adjoint.external);
    s->adjoint_u = lrnde__state_arrays(s, externals);
    if (how->n_nodes) {
        int32_t n = how->n_integrals;
        s->quadrature.lambda = lrnde__device(s, lrnde__sample_bytes(s, s->desc->state));
        s->quadrature.u = lrnde__device(s, lrnde__sample_bytes(s, s->desc->state));
        s->quadrature.sum = lrnde__arrays(s, how->integrals, n);
        if (how->differences)
            s->quadrature.trial = join(s, lrnde__arrays(s, how->integrals, n), n, lrnde__arrays(s, how->integrals, n), n);
    }
    if (how->state) {
        s->retrace.t = lrnde__host(s, (size_t)how->checkpoints * sizeof *s->retrace.t);
        s->retrace.u = lrnde__state_arrays(s, how->checkpoints);
    }
    lrnde__record_open(s, &s->adjoint_record, sys, LRNDE__KEEP_NOTHING, 0, 0);
}

/* Like the carry: of u and, where a gradient reaches them, of the states that steps remember. */
static void **local_cotangents(lrnde_solver *s)
{
    const lrnde_system_desc *sys = s->desc->forward;
    int32_t past = s->desc->regularizer.gradient == LRNDE_TOTAL && sys->past_states ? sys->n_start : 0;
    void **cot = lrnde__host(s, (size_t)sys->n_carry * sizeof *cot), **states = lrnde__state_arrays(s, 1 + past);
    for (int32_t i = 0; cot && states && i <= past; i++) cot[i ? sys->past_states + i - 1 : 0] = states[i];
    return cot;
}

static void plan_gradient(lrnde_solver *s)
{
    const lrnde_model_desc *desc = s->desc;
    const lrnde_system_desc *sys = desc->forward;
    size_t params_bytes = padded(desc->n_params) * (size_t)desc->real_bytes;
    s->partial = lrnde__device(s, (size_t)s->workers * s->partial_stride * (size_t)desc->real_bytes);
    s->grad = lrnde__device(s, params_bytes);
    s->jumps.u = lrnde__device(s, lrnde__sample_bytes(s, desc->state));
    s->local.cot = local_cotangents(s);
    s->cot_initial = initial_arrays(s);
    s->cot_inputs = lrnde__host(s, (size_t)desc->n_inputs * sizeof *s->cot_inputs);
    for (int32_t i = 0; s->cot_inputs && i < desc->n_inputs; i++)
        s->cot_inputs[i] = lrnde__device(s, lrnde__sample_bytes(s, desc->inputs[i].size));
    s->cot_outputs = join(s, lrnde__state_arrays(s, 1), 1, lrnde__arrays(s, desc->outputs, desc->n_outputs), desc->n_outputs);
    s->optimizer = lrnde__host(s, (size_t)(1 + desc->train.n_slots) * sizeof *s->optimizer);
    for (int32_t i = 0; s->optimizer && i <= desc->train.n_slots; i++)
        s->optimizer[i] = i == 0 ? s->params : lrnde__device(s, params_bytes);
    if (!desc->adjoint) {
        int32_t n = sys->n_carry, stages = sys->n_k + sys->n_extra;
        s->transposed = (lrnde__transposed){
            .cot = lrnde__arrays(s, sys->carry, n),
            .cot_before = lrnde__arrays(s, sys->carry, n),
            .dense_carry = lrnde__arrays(s, sys->carry, n),
            .dense_next = join(s, lrnde__arrays(s, sys->carry, n), n, lrnde__state_arrays(s, stages), stages),
            .sum_carry = lrnde__arrays(s, sys->carry, n),
            .sum_k = lrnde__state_arrays(s, stages),
        };
    } else {
        plan_adjoint(s);
    }
}

/* The model's save times and initial state. */
static lrnde_status set_defaults(lrnde_solver *s)
{
    const lrnde_model_desc *desc = s->desc;
    LRNDE_TRY(lrnde__inputs_reserve(s, 1));
    int own_span = s->options.t0 != desc->t0 || s->options.t1 != desc->t1; /* the model's save times need not fit it */
    if (desc->n_saveat && !own_span)
        LRNDE_TRY(lrnde_set(s, "t", desc->saveat, (size_t)desc->n_saveat * sizeof *desc->saveat));
    else
        LRNDE_TRY(lrnde__saves_set(s, &s->options.t1, 1, s->options.t0, s->options.t1));
    if (!desc->u0) return LRNDE_OK;
    void *u0 = lrnde__host(s, (size_t)desc->state * sizeof(double));
    if (!u0) return s->error.status;
    for (int32_t i = 0; i < desc->state; i++) {
        if (desc->real_bytes == sizeof(float))
            ((float *)u0)[i] = (float)desc->u0[i];
        else
            ((double *)u0)[i] = desc->u0[i];
    }
    lrnde__pack(s, s->initial[0], desc->state, u0, 0, 0, 1);
    lrnde__release(s, u0);
    return LRNDE_OK;
}

static lrnde_status build(lrnde_solver *s, const lrnde_options *options)
{
    const lrnde_model_desc *desc = s->desc;
    LRNDE_TRY(fill_options(s, options));
    LRNDE_TRY(open_device(s));
    const lrnde_text *text = lrnde_text_for(desc, s->driver);
    s->tile = text ? text->tile : desc->tile;
    s->lanes = (s->options.batch + s->tile - 1) / s->tile * (int64_t)s->tile;
    plan_launches(s);
    plan_staging(s);
    plan_solve(s);
    if (s->options.training) plan_gradient(s);
    if (s->error.status) return s->error.status;
    lrnde__list_arrays(s);
    if (s->error.status) return s->error.status;
    lrnde__draw_params(s);
    LRNDE_TRY(set_defaults(s));
    if (*s->refusals) lrnde__log(s, "device auto: %s", s->refusals);
    lrnde__log(s, "%s: %s on %s, %d threads, batch %d in tiles of %d, %.1f MiB", desc->name, desc->method, s->driver->name,
               (int)lrnde_threads(s), (int)s->options.batch, (int)s->tile, (double)s->memory / 0x1p20);
    return LRNDE_OK;
}

lrnde_status lrnde_create(lrnde_solver **solver, const lrnde_model_desc *desc, const lrnde_options *options, lrnde_error *error)
{
    lrnde_solver *s = calloc(1, sizeof *s);
    *solver = NULL;
    if (!s) {
        if (error) *error = (lrnde_error){.status = LRNDE_ERR_MEMORY, .text = "out of memory"};
        return LRNDE_ERR_MEMORY;
    }
    s->desc = desc;
    lrnde_status status = build(s, options);
    if (status) {
        if (error) *error = s->error;
        lrnde_destroy(s);
        return status;
    }
    *solver = s;
    return LRNDE_OK;
}

void lrnde_destroy(lrnde_solver *s)
{
    if (!s) return;
    lrnde__release_all(s);
    if (s->device) s->driver->close(s->device);
    free(s);
}

const lrnde_model_desc *lrnde_model(const lrnde_solver *s)
{
    return s->desc;
}
const char *lrnde_device_name(const lrnde_solver *s)
{
    return s->driver->name;
}
const char *lrnde_device_note(const lrnde_solver *s)
{
    return s->driver->note ? s->driver->note(s->device) : "";
}
const char *lrnde_device_refusals(const lrnde_solver *s)
{
    return s->refusals;
}
int32_t lrnde_batch(const lrnde_solver *s)
{
    return s->options.batch;
}
int32_t lrnde_device_remote(const lrnde_solver *s)
{
    return s->driver->remote;
}

int32_t lrnde_threads(const lrnde_solver *s)
{
    return s->driver->threads(s->device);
}
size_t lrnde_memory(const lrnde_solver *s)
{
    return s->memory;
}
