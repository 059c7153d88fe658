/* report.c - see report.h. */
#include "train/report.h"
#include "io/file.h"
#include "io/plot.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Calls visit for every object of the log; none if there is no log yet. */
static void each_report(const char *path, void (*visit)(void *to, const char *line, json_t *report), void *to)
{
    FILE *log = fopen(path, "r");
    char *line = NULL;
    size_t capacity = 0;
    while (log && getline(&line, &capacity, log) > 0) {
        json_t *report = json_loads(line, 0, NULL);
        if (json_is_object(report)) visit(to, line, report);
        json_decref(report);
    }
    free(line);
    if (log) fclose(log);
}

typedef struct kept {
    FILE *to;
    int64_t done;
} kept;

static void keep(void *to, const char *line, json_t *report)
{
    const kept *k = to;
    if (json_integer_value(json_object_get(report, "step")) <= k->done) fputs(line, k->to);
}

lrnde_status lrnde__reports_open(lrnde__reports *r, const lrnde_model_desc *model, const lrnde_options *options, const char *path,
                                 int64_t done, int json, lrnde_error *e)
{
    double epsilon = model->real_bytes == 4 ? (double)FLT_EPSILON : DBL_EPSILON;
    double atol = options->atol > 0 ? options->atol : model->atol, rtol = options->rtol > 0 ? options->rtol : model->rtol;
    lrnde__output o;
    *r = (lrnde__reports){.model = model, .json = json, .path = strdup(path), .terminal = isatty(STDERR_FILENO)};
    r->floor = epsilon / (atol + rtol);
    if (!r->path) return lrnde__io_fail(e, LRNDE_ERR_MEMORY, "%s: out of memory", path);
    if (lrnde__output_open(&o, path, e)) return e->status;
    each_report(path, keep, &(kept){o.to, done});
    if (lrnde__output_close(&o, e)) return e->status;
    r->log = fopen(path, "a");
    return r->log ? LRNDE_OK : lrnde__io_fail(e, LRNDE_ERR_FILE, "%s: cannot be written: %s", path, strerror(errno));
}

lrnde_status lrnde__reports_close(lrnde__reports *r, lrnde_error *e)
{
    lrnde_status status = LRNDE_OK;
    int failed = r->log && ferror(r->log);
    if (r->log && fclose(r->log)) failed = 1;
    if (failed) status = lrnde__io_fail(e, LRNDE_ERR_FILE, "%s: cannot be written", r->path);
    free(r->path);
    *r = (lrnde__reports){0};
    return status;
}

void lrnde__storage_json(const lrnde_storage *storage, lrnde__json *j)
{
    lrnde__json_string(j, "store", lrnde_store_text(storage->store));
    if (storage->checkpoints) lrnde__json_integer(j, "checkpoints", storage->checkpoints);
    lrnde__json_integer(j, "recomputed", storage->recomputed);
    lrnde__json_integer(j, "sweep_steps", storage->sweep_steps);
    lrnde__json_integer(j, "memory", (int64_t)storage->peak);
}

void lrnde__storage_note(const lrnde_storage *storage)
{
    if (!storage->reduced) return;
    fprintf(stderr, "note: memory limit: for the gradient is kept: %s", lrnde_store_text(storage->store));
    if (storage->checkpoints) fprintf(stderr, ", %lld", (long long)storage->checkpoints);
    fprintf(stderr, "; steps taken again: %lld\n", (long long)storage->recomputed);
}

static int regularized(const lrnde__reports *r)
{
    return r->model->regularizer.sampling != LRNDE_REG_NONE;
}

static void write_json(const lrnde__reports *r, FILE *to, const lrnde_report *report, double step_s,
                       const lrnde__evaluation *test)
{
    lrnde__json j;
    char key[64];
    int several = r->model->regularizer.n_terms > 1;
    lrnde__json_begin(&j, to);
    lrnde__json_integer(&j, "step", report->step);
    lrnde__json_number(&j, "loss", report->loss);
    for (int32_t i = 0; i < r->model->n_metrics; i++) {
        snprintf(key, sizeof key, "train_%s", r->model->metrics[i].name);
        lrnde__json_number(&j, key, report->metrics[i]);
    }
    if (regularized(r)) {
        lrnde__json_number(&j, "reg", report->reg);
        lrnde__json_number(&j, "w_reg", report->w_reg);
        for (int32_t i = 0; several && i < r->model->regularizer.n_terms; i++) {
            snprintf(key, sizeof key, "reg_%s", r->model->regularizer.terms[i].name);
            lrnde__json_number(&j, key, report->reg_terms[i]);
            snprintf(key, sizeof key, "w_reg_%s", r->model->regularizer.terms[i].name);
            lrnde__json_number(&j, key, report->w_terms[i]);
        }
        lrnde__json_number(&j, "reg_share", report->w_reg * report->reg / report->loss);
        lrnde__json_number(&j, "t_reg", report->t_reg);
        lrnde__json_number(&j, "E", report->E);
        lrnde__json_integer(&j, "nfe_local", report->forward.nfe_local);
    }
    lrnde__json_integer(&j, "nfe", report->forward.nfe);
    if (r->model->forward->n_noise) lrnde__json_integer(&j, "nfe_diffusion", report->forward.nfe_diffusion);
    lrnde__json_integer(&j, "accepted", report->forward.accepted);
    lrnde__json_integer(&j, "rejected", report->forward.rejected);
    if (r->model->adjoint) {
        lrnde__json_integer(&j, "adjoint_nfe", report->adjoint.nfe);
        lrnde__json_integer(&j, "adjoint_accepted", report->adjoint.accepted);
        lrnde__json_integer(&j, "adjoint_rejected", report->adjoint.rejected);
    }
    if (r->model->sensitivity.state) lrnde__json_number(&j, "adjoint_miss", report->adjoint.miss);
    lrnde__json_number(&j, "lr", report->lr);
    lrnde__json_number(&j, "grad_norm", report->grad_norm);
    lrnde__storage_json(&report->storage, &j);
    lrnde__json_number(&j, "step_s", step_s);
    if (test) lrnde__evaluation_json(test, r->model, &j);
    lrnde__json_end(&j);
}

static void write_text(const lrnde__reports *r, const lrnde_report *report, double step_s, const lrnde__evaluation *test)
{
    printf("step %lld  loss %.5g", (long long)report->step, report->loss);
    for (int32_t i = 0; i < r->model->n_metrics; i++) printf("  %s %.4f", r->model->metrics[i].name, report->metrics[i]);
    for (int32_t i = 0; r->model->regularizer.n_terms > 1 && i < r->model->regularizer.n_terms; i++)
        printf("  R_%s %.3g", r->model->regularizer.terms[i].name, report->reg_terms[i]);
    if (regularized(r))
        printf("  R %.3g  wR/loss %.3g  E %.3g", report->reg, report->w_reg * report->reg / report->loss, report->E);
    printf("  nfe %lld  %.3g s", (long long)report->forward.nfe, step_s);
    if (test) {
        printf("  |  test loss %.5g", test->loss);
        for (int32_t i = 0; i < r->model->n_metrics; i++) printf("  %s %.4f", r->model->metrics[i].name, test->metrics[i]);
        printf("  nfe %.1f", test->nfe);
    }
    putchar('\n');
    fflush(stdout);
}

static void clear_progress(const lrnde__reports *r)
{
    if (r->terminal) fputs("\r\033[K", stderr);
}

void lrnde__reports_step(lrnde__reports *r, const lrnde_report *report, double step_s, const lrnde__evaluation *test)
{
    clear_progress(r);
    write_json(r, r->log, report, step_s, test);
    if (r->json)
        write_json(r, stdout, report, step_s, test);
    else
        write_text(r, report, step_s, test);
    if (report->storage.reduced && !r->storage_said++) lrnde__storage_note(&report->storage);
    double floor = r->floor * fabs(report->h_reg); /* stages of size |u| rounded, times h, over the scale */
    if (regularized(r) && report->E < floor && !r->floor_said++)
        fprintf(stderr,
                "note: at step %lld E = %.3g is below the rounding floor %.3g: the local error estimate is mostly noise\n",
                (long long)report->step, report->E, floor);
}

void lrnde__reports_progress(const lrnde__reports *r, const lrnde_report *report, int64_t steps, double step_s)
{
    if (!r->terminal) return;
    clear_progress(r);
    fprintf(stderr, "step %lld/%lld  loss %.5g  nfe %lld  %.3g s/step  %.0f s left", (long long)report->step, (long long)steps,
            report->loss, (long long)report->forward.nfe, step_s, step_s * (double)(steps - report->step));
}

/* ---- the picture ---- */

enum { N_CURVES = 2 };
static const char *const CURVES[N_CURVES] = {"nfe", "test_nfe"};

typedef struct points {
    int64_t n[N_CURVES];
    double *x[N_CURVES], *y[N_CURVES];
} points;

static void collect(void *to, const char *line, json_t *report)
{
    (void)line;
    points *p = to;
    for (int i = 0; i < N_CURVES; i++) {
        json_t *value = json_object_get(report, CURVES[i]);
        if (!json_is_number(value)) continue;
        double *x = realloc(p->x[i], (size_t)(p->n[i] + 1) * sizeof *x);
        double *y = realloc(p->y[i], (size_t)(p->n[i] + 1) * sizeof *y);
        if (x) p->x[i] = x;
        if (y) p->y[i] = y;
        if (!x || !y) continue;
        x[p->n[i]] = json_number_value(json_object_get(report, "step"));
        y[p->n[i]++] = json_number_value(value);
    }
}

lrnde_status lrnde__reports_plot(const lrnde__reports *r, const char *path, lrnde_error *e)
{
    points p = {0};
    lrnde__curve curves[N_CURVES];
    each_report(r->path, collect, &p);
    for (int i = 0; i < N_CURVES; i++)
        curves[i] = (lrnde__curve){.title = CURVES[i], .n = p.n[i], .x = p.x[i], .y = p.y[i], .stride = 1};
    lrnde_status status = lrnde__plot(path, r->model->name, "training step", curves, p.n[1] ? 2 : 1, e);
    for (int i = 0; i < N_CURVES; i++) {
        free(p.x[i]);
        free(p.y[i]);
    }
    return status;
}
