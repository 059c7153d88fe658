/* gpu.c - see gpu.h. */
#include "gpu.h"
#include "rig.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int bench_gpu_open(lrnde_solver **s, const char *file, const char *const *settings, int32_t many, int32_t few, int training,
                   lrnde_bench_result *result)
{
    const char *given = getenv("LRNDE_DEVICE");
    const lrnde_model_desc *model;
    lrnde_options options = LRNDE_OPTIONS;
    lrnde_error error;
    options.device = given ? given : "cuda";
    const int cpu = !strcmp(options.device, "cpu");
    options.batch = cpu ? few : many;
    options.training = training;
    *s = NULL;
    int code = bench_model(file, settings, &model);
    if (code) return code;
    lrnde_status status = lrnde_create(s, model, &options, &error);
    if (status && status != LRNDE_ERR_DEVICE) return cli_error(&lrnde_bench_tool, "%s", error.text);
    if (status)
        snprintf(result->uncounted, sizeof result->uncounted, "no GPU here (%.200s)", error.text);
    else if (cpu)
        snprintf(result->uncounted, sizeof result->uncounted, "on the CPU, in the place of a GPU, at a batch of %d", (int)few);
    return EXIT_DONE;
}

void bench_gpu_solve(void *solver)
{
    lrnde_solve(solver, NULL, 0, NULL);
}

void bench_gpu_result(lrnde_bench_result *result, const bench_time *ours, const char *reference, double reference_s)
{
    result->ours_s = ours->median;
    result->least_s = ours->least;
    result->spread = ours->spread;
    result->reference = reference;
    result->reference_s = result->reference_least_s = reference_s;
    result->threads = 1;
}

void bench_gpu_describe(lrnde_solver *s, lrnde__json *config)
{
    const lrnde_model_desc *model = lrnde_model(s);
    lrnde__json_string(config, "device", lrnde_device_name(s));
    lrnde__json_string(config, "model", model->name);
    lrnde__json_string(config, "precision", model->real_bytes == sizeof(float) ? "f32" : "f64");
    lrnde__json_string(config, "method", model->method);
    lrnde__json_number(config, "atol", model->atol);
    lrnde__json_number(config, "rtol", model->rtol);
}
