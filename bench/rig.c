/* rig.c - see rig.h. */
#include "rig.h"

#include "cli/bench.h"
#include "cli/build.h"
#include "cli/process.h"
#include "io/rng.h"

#include <stdlib.h>

extern const lrnde_driver lrnde_driver_c;

int bench_model(const char *file, const char *const *settings, const lrnde_model_desc **model)
{
    char *path = process_find_above(file);
    build_request request = {.model_file = path ? path : file};
    for (; *settings; settings++) cli_append(&request.set, *settings);
    int code = build_model(&request, &lrnde_bench_tool, model);
    free(request.set.v);
    free(path);
    return code;
}

void bench_random(void *x, int32_t real_bytes, int64_t n, double low, double range)
{
    for (int64_t i = 0; i < n; i++) {
        double value = low + range * lrnde__uniform(0, LRNDE__STREAM_INIT, 0, (uint64_t)i);
        if (real_bytes == sizeof(float))
            ((float *)x)[i] = (float)value;
        else
            ((double *)x)[i] = value;
    }
}

static void *array(bench_rig *rig, int64_t elements)
{
    void *memory = lrnde_driver_c.alloc(rig->device, (size_t)elements * (size_t)rig->model->real_bytes + 1);
    if (!memory || rig->n_blocks == BENCH_RIG_BLOCKS) abort();
    return rig->block[rig->n_blocks++] = memory;
}

static void **arrays(bench_rig *rig, int32_t n, int64_t elements)
{
    void **table = rig->block[rig->n_blocks++] = lrnde_driver_c.alloc(rig->device, (size_t)n * sizeof *table + 1);
    for (int32_t i = 0; i < n; i++) table[i] = array(rig, elements);
    return table;
}

int bench_rig_open(bench_rig *rig, const lrnde_model_desc *model, int32_t batch, int32_t threads)
{
    char why[160];
    const lrnde_system_desc *sys = model->forward;
    int32_t tiles = (batch + model->tile - 1) / model->tile;
    int64_t state = (int64_t)tiles * model->tile * model->state, tape = (int64_t)tiles * model->tile * sys->tape, work = 0;
    *rig = (bench_rig){.model = model, .device = lrnde_driver_c.open(model, 0, threads, why, sizeof why)};
    if (!rig->device) return cli_error(&lrnde_bench_tool, "%s", why);
#define LRNDE_X(name, doc) work = sys->name.work > work ? sys->name.work : work;
    LRNDE_SYSTEM_KERNELS(LRNDE_X)
#undef LRNDE_X
    lrnde_args *a = &rig->args;
    void *params = array(rig, model->n_params), **carry = arrays(rig, sys->n_carry, state),
         **cotangent = arrays(rig, sys->n_carry, state);
    bench_random(params, model->real_bytes, model->n_params, -0.05, 0.1);
    bench_random(carry[0], model->real_bytes, state, 0, 1);
    bench_random(cotangent[0], model->real_bytes, state, 0, 1e-3);
    *a = (lrnde_args){.s = {.t = 0.1, .h = 0.05, .atol = model->atol, .rtol = model->rtol}, .batch = batch, .tiles = tiles};
    a->workers = lrnde_driver_c.workers(rig->device, tiles);
    a->params = params;
    a->carry = (const void *const *)carry;
    a->next = arrays(rig, sys->n_carry, state);
    a->next_in = (const void *const *)a->next;
    a->k = arrays(rig, sys->n_k + sys->n_extra, state);
    a->tape = array(rig, tape);
    a->tape_in = a->tape;
    a->out = sys->fsal ? carry + sys->n_components : arrays(rig, sys->n_components, state);
    a->cot_next = (const void *const *)cotangent;
    a->cot_carry = arrays(rig, sys->n_carry, state);
    a->sums = array(rig, (int64_t)tiles * LRNDE_MAX_SUMS * 2);
    a->partial_stride = (size_t)(model->n_params + 15) / 16 * 16;
    a->partial = array(rig, a->workers * (int64_t)a->partial_stride);
    a->work_stride = (size_t)(work + 15) / 16 * 16;
    a->work = array(rig, a->workers * (int64_t)a->work_stride);
    return EXIT_DONE;
}

void bench_rig_close(bench_rig *rig)
{
    for (int i = 0; i < rig->n_blocks; i++) lrnde_driver_c.free(rig->device, rig->block[i]);
    if (rig->device) lrnde_driver_c.close(rig->device);
}

void bench_launch(void *kernel)
{
    const bench_kernel *k = kernel;
    double sums[LRNDE_MAX_SUMS];
    for (int i = 0; i < k->launches; i++) lrnde_driver_c.launch(k->rig->device, k->kernel, &k->rig->args, sums);
}
