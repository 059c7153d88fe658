/* tool.c - see tool.h. */
#include "cli/tool.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal)
{
    (void)signal;
    interrupted = 1;
}

static int cancelled(void *user)
{
    (void)user;
    return interrupted;
}

static void warn(void *user, const char *line)
{
    (void)user;
    fprintf(stderr, "warning: %s\n", line);
}

void tool_wait_briefly(char **argv)
{
    if (getenv("GOMP_SPINCOUNT") || getenv("OMP_WAIT_POLICY")) return;
    setenv("GOMP_SPINCOUNT", "1000", 1);
    execv("/proc/self/exe", argv); /* where it cannot, the program goes on as it is */
}

void tool_catch_interrupt(void)
{
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = SA_RESTART | SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

lrnde_options tool_solver_options(const char *device, int64_t threads, int64_t memory_limit, double time_limit_s, int64_t seed,
                                  double adjoint_atol, double adjoint_rtol)
{
    lrnde_options o = LRNDE_OPTIONS;
    o.device = device;
    if (threads > 0) o.threads = (int32_t)threads;
    if (memory_limit > 0) o.memory_limit = (size_t)memory_limit;
    if (!isnan(time_limit_s)) o.time_limit_s = time_limit_s;
    if (seed > 0) o.seed = (uint64_t)seed;
    if (!isnan(adjoint_atol)) o.adjoint_atol = adjoint_atol;
    if (!isnan(adjoint_rtol)) o.adjoint_rtol = adjoint_rtol;
    o.cancel = cancelled;
    o.warn = warn;
    return o;
}

/* n numbers in the model's precision; the caller frees them. */
static void *to_reals(const lrnde_model_desc *model, const double *values, int64_t n)
{
    void *reals = malloc((size_t)n * (size_t)model->real_bytes + 1);
    if (!reals) abort();
    for (int64_t i = 0; i < n; i++)
        if (model->real_bytes == 4)
            ((float *)reals)[i] = (float)values[i];
        else
            ((double *)reals)[i] = values[i];
    return reals;
}

lrnde_status tool_get(lrnde_solver *s, const char *name, double *values, int64_t n)
{
    const lrnde_model_desc *model = lrnde_model(s);
    size_t bytes = (size_t)n * (size_t)model->real_bytes;
    void *reals = malloc(bytes + 1);
    if (!reals) abort();
    lrnde_status status = lrnde_get(s, name, reals, bytes);
    for (int64_t i = 0; i < n && !status; i++)
        values[i] = model->real_bytes == 4 ? (double)((float *)reals)[i] : ((double *)reals)[i];
    free(reals);
    return status;
}

lrnde_status tool_set(lrnde_solver *s, const char *name, const double *values, int64_t n)
{
    void *reals = to_reals(lrnde_model(s), values, n);
    lrnde_status status = lrnde_set(s, name, reals, (size_t)n * (size_t)lrnde_model(s)->real_bytes);
    free(reals);
    return status;
}

lrnde_status tool_gradient(lrnde_solver *s, const char *name, const double *cot, int64_t n)
{
    void *reals = to_reals(lrnde_model(s), cot, n);
    lrnde_status status = lrnde_gradient(s, name, reals, (size_t)n * (size_t)lrnde_model(s)->real_bytes);
    free(reals);
    return status;
}

void tool_introduce(const options_tool *tool, const lrnde_solver *s)
{
    const char *refusals = lrnde_device_refusals(s), *said = *refusals ? refusals : lrnde_device_note(s);
    if (*said && isatty(STDERR_FILENO)) fprintf(stderr, "%s: on %s (%s)\n", tool->program, lrnde_device_name(s), said);
}

static int exit_code(lrnde_status status)
{
    switch (status) {
    case LRNDE_OK: return EXIT_DONE;
    case LRNDE_ERR_ARGUMENT:
    case LRNDE_ERR_UNSUPPORTED:
    case LRNDE_ERR_DEVICE:
    case LRNDE_ERR_FILE: return EXIT_INPUT;
    case LRNDE_ERR_ORDER: return EXIT_INTERNAL;
    case LRNDE_ERR_MEMORY:
    case LRNDE_ERR_STEP_LIMIT:
    case LRNDE_ERR_STEP_SIZE:
    case LRNDE_ERR_NOT_FINITE:
    case LRNDE_ERR_INACCURATE:
    case LRNDE_ERR_TIME_LIMIT: return EXIT_COMPUTATION;
    case LRNDE_ERR_CANCELLED: return EXIT_INTERRUPTED;
    }
    return EXIT_INTERNAL;
}

int tool_failure(const options_tool *tool, const lrnde_error *e)
{
    int code = exit_code(e->status);
    if (strstr(e->text, ": error: "))
        fputs(e->text, stderr); /* file:line: error: ... */
    else
        fprintf(stderr, "%s: %s%s", tool->program, code == EXIT_INTERRUPTED ? "" : "error: ", e->text);
    if (code == EXIT_COMPUTATION) {
        if (e->stage > 0) fprintf(stderr, ", stage %d", e->stage);
        if (e->sample >= 0) fprintf(stderr, ", sample %lld", (long long)e->sample);
        if (*e->layer)
            fprintf(stderr, ", layer %s", e->layer);
        else if (*e->component)
            fprintf(stderr, ", component %s", e->component);
        if (e->step > 0) fprintf(stderr, ", training step %lld", (long long)e->step);
    }
    fputc('\n', stderr);
    return code;
}
