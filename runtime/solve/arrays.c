/*
 * arrays.c - everything a caller can set or get, by name.
 *
 * lrnde__list_arrays says where each array is; setting and getting know no names, but for a few settings on the host.
 */
#include "solve/solver.h"

#include "io/nearest.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { TIMES, TSPAN, TOLERANCE, MESH, PATH, BATCH, KEPT };

static void list(lrnde_solver *s, lrnde__entry entry, const char *format, ...)
{
    lrnde__entry *e = &s->entries[s->n_entries++];
    va_list values;
    va_start(values, format);
    *e = entry;
    e->name = e->text;
    vsnprintf(e->text, sizeof e->text, format, values);
    va_end(values);
}

/* A block laid out like the parameters, and its leaves. */
static void list_params(lrnde_solver *s, lrnde_role role, void *block, const char *prefix, const int *ready)
{
    const lrnde_model_desc *desc = s->desc;
    lrnde__entry e = {.role = role, .can_set = 1, .ready = ready};
    e.shared = block, e.rows = 1, e.size = desc->n_params;
    list(s, e, "%sparams", prefix);
    for (int32_t i = 0; i < desc->n_param_leaves; i++) {
        const lrnde_param_desc *leaf = &desc->param_leaves[i];
        e.shared = (char *)block + leaf->offset * desc->real_bytes;
        e.rows = leaf->rows, e.size = leaf->cols;
        list(s, e, "%s%s", prefix, leaf->name);
    }
}

void lrnde__list_arrays(lrnde_solver *s)
{
    const lrnde_model_desc *desc = s->desc;
    int32_t most = 14 + 2 * desc->n_param_leaves + 2 * desc->n_inputs + desc->n_outputs + desc->train.n_slots;
    if (!(s->entries = lrnde__host(s, (size_t)most * sizeof *s->entries))) return;
    list(s, (lrnde__entry){.setting = TIMES, .rows = 1, .size = 1, .times = &s->saves.n, .can_set = 1}, "t");
    list(s, (lrnde__entry){.setting = TSPAN, .rows = 1, .size = 2, .can_set = 1}, "tspan");
    list(s, (lrnde__entry){.setting = TOLERANCE, .rows = 1, .size = 2, .can_set = 1}, "tolerance");
    list_params(s, LRNDE_PARAM, s->params, "", NULL);
    if (!desc->init.tile)
        list(s, (lrnde__entry){.role = LRNDE_STATE, .samples = &s->initial[0], .rows = 1, .size = desc->state, .can_set = 1},
             "u0");
    if (desc->n_inputs) {
        list(s, (lrnde__entry){.setting = BATCH, .rows = 1, .size = 1, .can_set = 1}, "inputs/batch");
        list(s, (lrnde__entry){.setting = KEPT, .rows = 1, .size = 1}, "inputs/kept");
    }
    for (int32_t i = 0; i < desc->n_inputs; i++) {
        const lrnde_input_desc *in = &desc->inputs[i];
        lrnde__entry e = {
            .role = LRNDE_INPUT, .samples = &s->inputs[i], .rows = 1, .size = in->size, .label = in->label, .can_set = 1};
        e.times = in->series ? &s->series : NULL;
        list(s, e, "%s", in->name);
    }
    lrnde__entry saved = {.rows = 1, .times = &s->saves.n, .ready = &s->solved};
    saved.role = LRNDE_STATE, saved.table = &s->saves.u, saved.pitch = 1, saved.size = desc->state;
    list(s, saved, "u");
    saved.role = LRNDE_OUTPUT, saved.table = &s->saves.out, saved.pitch = desc->n_outputs;
    for (saved.offset = 0; saved.offset < desc->n_outputs; saved.offset++) {
        saved.size = desc->outputs[saved.offset].size;
        if (strcmp(desc->outputs[saved.offset].name, "u") != 0) list(s, saved, "%s", desc->outputs[saved.offset].name);
    }
    if (desc->forward->n_noise) list(s, (lrnde__entry){.setting = PATH, .rows = 1, .size = 1, .can_set = 1}, "path");
    if (!s->options.training) return;
    lrnde__entry noise = {.role = LRNDE_STATE,
                          .table = &s->noise.table,
                          .pitch = desc->forward->n_noise,
                          .rows = 1,
                          .size = desc->state,
                          .times = &s->noise.steps,
                          .can_set = 1,
                          .ready = &s->meshed};
    for (; noise.offset < noise.pitch; noise.offset++) list(s, noise, noise.offset ? "noise/dZ" : "noise/dW");
    list(s, (lrnde__entry){.setting = MESH, .rows = 1, .size = 1, .times = &s->mesh_points, .ready = &s->meshed}, "mesh");
    list_params(s, LRNDE_GRADIENT, s->grad, "grad/", &s->differentiated);
    lrnde__entry cot = {.role = LRNDE_GRADIENT, .rows = 1, .ready = &s->differentiated};
    cot.samples = &s->cot_initial[0], cot.size = desc->state;
    list(s, cot, "grad/u0");
    for (int32_t i = 0; desc->rev_init.tile && i < desc->n_inputs; i++) {
        cot.samples = &s->cot_inputs[i], cot.size = desc->inputs[i].size;
        if (!desc->inputs[i].label) list(s, cot, "grad/%s", desc->inputs[i].name);
    }
    for (int32_t i = 0; i < desc->train.n_slots; i++)
        list(s,
             (lrnde__entry){.role = LRNDE_SLOT, .shared = s->optimizer[1 + i], .rows = 1, .size = desc->n_params, .can_set = 1},
             "optimizer/%d", (int)i);
}

static int64_t times_of(const lrnde__entry *e)
{
    return e->times ? *e->times : 1;
}

static void describe(const lrnde_solver *s, const lrnde__entry *e, lrnde_array *array)
{
    lrnde_type real = s->desc->real_bytes == sizeof(float) ? LRNDE_F32 : LRNDE_F64;
    *array = (lrnde_array){.role = e->role, .can_set = e->can_set, .can_get = !e->ready || *e->ready};
    memcpy(array->name, e->text, sizeof array->name);
    array->type = e->role == LRNDE_SETTING ? LRNDE_F64 : e->label ? LRNDE_I32 : real;
    if (e->samples || e->table) array->dims[array->rank++] = s->options.batch;
    if (times_of(e) > 1) array->dims[array->rank++] = times_of(e);
    if (e->rows > 1) array->dims[array->rank++] = e->rows;
    int scalar = e->size == 1 && array->rank && (e->label || e->role == LRNDE_SETTING);
    if (!scalar) array->dims[array->rank++] = e->size;
    array->bytes = array->type == LRNDE_F64 ? sizeof(double) : sizeof(float);
    for (int32_t i = 0; i < array->rank; i++) array->bytes *= (size_t)array->dims[i];
}

static lrnde__entry *find(lrnde_solver *s, const char *name)
{
    for (int32_t i = 0; i < s->n_entries; i++)
        if (strcmp(s->entries[i].name, name) == 0) return &s->entries[i];
    return NULL;
}

static lrnde_status unknown(lrnde_solver *s, const char *name)
{
    const char *nearest = lrnde__nearest(name, &s->entries[0].name, (size_t)s->n_entries, sizeof *s->entries);
    return lrnde__fail(s, LRNDE_ERR_ARGUMENT, "%s has no array '%s'; did you mean '%s'?", s->desc->name, name, nearest);
}

/* Moves times x (B, size) between the caller's array and the tiles. */
static void move_samples(lrnde_solver *s, const lrnde__entry *e, void *to, const void *from)
{
    size_t element = e->label ? sizeof(int32_t) : (size_t)s->desc->real_bytes;
    int64_t times = times_of(e), stride = times * e->size;
    for (int64_t time = 0; time < times; time++) {
        size_t at = (size_t)(time * e->size) * element;
        void *packed = e->table ? (*e->table)[time * e->pitch + e->offset]
                                : (char *)e->samples[0] + (size_t)time * lrnde__sample_bytes(s, e->size);
        if (from)
            lrnde__pack(s, packed, e->size, (const char *)from + at, stride, e->label, 1);
        else
            lrnde__unpack(s, (char *)to + at, stride, packed, e->size, e->label);
    }
}

static lrnde_status set_times(lrnde_solver *s, const double *t, size_t bytes)
{
    int64_t n = (int64_t)(bytes / sizeof *t);
    if (n == 0 || bytes % sizeof *t) return lrnde__fail(s, LRNDE_ERR_ARGUMENT, "t: %zu bytes are no list of times", bytes);
    double t0 = s->desc->tspan_data ? t[0] : s->options.t0, t1 = s->desc->tspan_data ? t[n - 1] : s->options.t1;
    if (!(t0 != t1)) return lrnde__fail(s, LRNDE_ERR_ARGUMENT, "t: from %.9g to %.9g is no interval", t0, t1);
    s->solved = s->recorded = s->meshed = s->differentiated = 0;
    LRNDE_TRY(lrnde__saves_set(s, t, n, t0, t1));
    if (n > s->n_default) {
        lrnde__release(s, s->default_t);
        s->n_default = 0;
        if (!(s->default_t = lrnde__host(s, bytes))) return s->error.status;
    }
    memcpy(s->default_t, t, bytes);
    s->n_default = n;
    s->options.t0 = t0;
    s->options.t1 = t1;
    return lrnde__inputs_reserve(s, n);
}

static lrnde_status set_setting(lrnde_solver *s, int setting, const double *x)
{
    if (setting == TSPAN) {
        if (!isfinite(x[1] - x[0]) || x[0] == x[1])
            return lrnde__fail(s, LRNDE_ERR_ARGUMENT, "tspan: [%.9g, %.9g] is no interval", x[0], x[1]);
        s->options.t0 = x[0], s->options.t1 = x[1];
    } else if (setting == PATH) {
        if (!(x[0] >= 0 && x[0] <= UINT32_MAX))
            return lrnde__fail(s, LRNDE_ERR_ARGUMENT, "path: %.9g is not between 0 and %lu", x[0], (unsigned long)UINT32_MAX);
        s->path = x[0], s->noise.held = 0;
    } else if (setting == BATCH) {
        return lrnde__inputs_choose(s, x[0]);
    } else {
        if (!(x[0] >= 0 && x[1] >= 0 && x[0] + x[1] > 0))
            return lrnde__fail(s, LRNDE_ERR_ARGUMENT, "tolerance: atol = %g, rtol = %g", x[0], x[1]);
        s->args.s.atol = s->options.atol = x[0], s->args.s.rtol = s->options.rtol = x[1];
    }
    return LRNDE_OK;
}

static void get_setting(lrnde_solver *s, int setting, double *x)
{
    switch (setting) {
    case TIMES: memcpy(x, s->saves.t, (size_t)s->saves.n * sizeof *x); break;
    case TSPAN: x[0] = s->options.t0, x[1] = s->options.t1; break;
    case PATH: x[0] = s->path; break;
    case BATCH: x[0] = s->input_batch; break;
    case KEPT: x[0] = lrnde__inputs_kept(s); break;
    case TOLERANCE: x[0] = s->options.atol, x[1] = s->options.rtol; break;
    case MESH:
        for (int64_t i = 0; i < s->mesh_points; i++) x[i] = lrnde__slot_at(&s->forward_record, i)->t;
        break;
    }
}

/* An entry that can be moved: the name is known and the size is right. */
static lrnde_status check(lrnde_solver *s, const lrnde__entry *e, const char *name, size_t bytes, size_t *expected)
{
    static const char *const type[] = {[LRNDE_F32] = "float", [LRNDE_F64] = "double", [LRNDE_I32] = "int32_t"};
    lrnde_array a;
    char shape[80];
    if (!e) return unknown(s, name);
    describe(s, e, &a);
    *expected = a.bytes;
    if (bytes == a.bytes) return LRNDE_OK;
    int used = 0;
    for (int32_t i = 0; i < a.rank; i++)
        used += snprintf(shape + used, sizeof shape - (size_t)used, i ? ", %lld" : "%lld", (long long)a.dims[i]);
    return lrnde__fail(s, LRNDE_ERR_ARGUMENT, "%s: %zu bytes given, (%s) %s are %zu", name, bytes, shape, type[a.type], a.bytes);
}

/* Whether a solve reads it, so that a gradient of the last one would mix old and new. */
static int solve_reads(const lrnde__entry *e)
{
    return e->role != LRNDE_GRADIENT && e->role != LRNDE_SLOT;
}

lrnde_status lrnde_set(lrnde_solver *s, const char *name, const void *data, size_t bytes)
{
    const lrnde__entry *e = find(s, name);
    if (e && e->role == LRNDE_SETTING && e->setting == TIMES) return set_times(s, data, bytes);
    LRNDE_TRY(check(s, e, name, bytes, &bytes));
    if (!e->can_set) return lrnde__fail(s, LRNDE_ERR_ARGUMENT, "%s: is computed, it cannot be set", name);
    if (e->role == LRNDE_SETTING) LRNDE_TRY(set_setting(s, e->setting, data));
    if (solve_reads(e)) s->recorded = 0;
    if (e->role == LRNDE_SETTING) return LRNDE_OK;
    if (e->table == &s->noise.table) {
        if (!s->meshed) return lrnde__fail(s, LRNDE_ERR_ORDER, "%s: is set after a solve over the same steps", name);
        s->noise.held = s->noise.steps;
    }
    if (e->role == LRNDE_INPUT) LRNDE_TRY(lrnde__inputs_make(s));
    if (e->shared)
        s->driver->put(s->device, e->shared, data, bytes);
    else
        move_samples(s, e, NULL, data);
    if (e->role == LRNDE_GRADIENT) s->differentiated = 1;
    if (e->role == LRNDE_INPUT) lrnde__inputs_set(s, e->samples);
    return lrnde__wait(s);
}

lrnde_status lrnde_get(lrnde_solver *s, const char *name, void *data, size_t bytes)
{
    const lrnde__entry *e = find(s, name);
    LRNDE_TRY(check(s, e, name, bytes, &bytes));
    if (e->ready && !*e->ready) return lrnde__fail(s, LRNDE_ERR_ORDER, "%s: has not been computed", name);
    if (e->role == LRNDE_INPUT) LRNDE_TRY(lrnde__inputs_make(s));
    if (e->role == LRNDE_SETTING)
        get_setting(s, e->setting, data);
    else if (e->shared)
        s->driver->get(s->device, data, e->shared, bytes);
    else
        move_samples(s, e, data, NULL);
    return lrnde__wait(s);
}

int32_t lrnde_array_count(const lrnde_solver *s)
{
    return s->n_entries;
}

lrnde_status lrnde_array_at(lrnde_solver *s, int32_t index, lrnde_array *array)
{
    if (index < 0 || index >= s->n_entries) return lrnde__fail(s, LRNDE_ERR_ARGUMENT, "there is no array number %d", (int)index);
    describe(s, &s->entries[index], array);
    return LRNDE_OK;
}

lrnde_status lrnde_array_find(lrnde_solver *s, const char *name, lrnde_array *array)
{
    const lrnde__entry *e = find(s, name);
    if (!e) return unknown(s, name);
    describe(s, e, array);
    return LRNDE_OK;
}

/* A sweep whose own record does not fit has the solve begun again and keep less. */
static lrnde_status gradient_of(lrnde_solver *s, lrnde__source source, int32_t output, const void *cot)
{
    lrnde_status status;
    while ((status = lrnde__gradient(s, source, output, cot, 0)) && lrnde__store_less(s)) LRNDE_TRY(lrnde__solve_again(s));
    return status ? s->error.status : LRNDE_OK;
}

lrnde_status lrnde_gradient(lrnde_solver *s, const char *name, const void *cot, size_t bytes)
{
    const lrnde__entry *e = find(s, name);
    LRNDE_TRY(check(s, e, name, bytes, &bytes));
    if (!s->options.training) return lrnde__fail(s, LRNDE_ERR_ORDER, "a gradient is of a solver with options.training");
    if (!s->recorded)
        return lrnde__fail(s, LRNDE_ERR_ORDER, "a gradient is of the last solve: %s",
                           s->solved ? "something it read was changed since, or it kept no record" : "there is none");
    if (e->table == &s->saves.u) return gradient_of(s, LRNDE__FROM_STATE, 0, cot);
    if (e->role == LRNDE_OUTPUT) return gradient_of(s, LRNDE__FROM_OUTPUT, e->offset, cot);
    return lrnde__fail(s, LRNDE_ERR_ARGUMENT, "%s: a cotangent is of u or of an output", name);
}
