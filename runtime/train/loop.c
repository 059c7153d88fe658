/* loop.c - see loop.h. */
#include "train/loop.h"
#include "io/file.h"
#include "train/checkpoint.h"
#include "train/report.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The state is saved so often that a kill loses little, and so seldom that saving takes a hundredth of the time. */
static const double SAVE_EVERY_S = 0.1, SAVE_SHARE = 0.01;

typedef struct run {
    const lrnde__training *training;
    const lrnde_model_desc *model;
    lrnde__feed train, test;
    lrnde__reports reports;
    lrnde__state state;
    double saved_at, save_s; /* wall time of the last save, and what it took */
    lrnde__tensors good;     /* a state from which a step has succeeded */
    void *params;            /* on their way from the training to the test solver */
} run;

static char *in_folder(const run *r, const char *file)
{
    char *path = lrnde__format("%s/%s", r->training->out, file);
    if (!path) abort();
    return path;
}

static lrnde_status from_solver(const lrnde_solver *s, lrnde_error *e)
{
    *e = *lrnde_last_error(s);
    return e->status;
}

static lrnde_status write_last(const run *r, const lrnde__tensors *state, lrnde_error *e)
{
    char *path = in_folder(r, "last.safetensors");
    lrnde_status status = lrnde__tensors_write(state, path, e);
    free(path);
    return status;
}

static lrnde_status save_state(run *r, lrnde_error *e)
{
    lrnde__tensors now;
    double start = lrnde__seconds();
    lrnde_status status = lrnde__checkpoint_take(&now, r->train.solver, &r->state, e);
    if (!status) status = write_last(r, &now, e);
    lrnde__tensors_free(&now);
    r->saved_at = lrnde__seconds();
    r->save_s = r->saved_at - start;
    return status;
}

static lrnde_status save_best(run *r, const lrnde__evaluation *result, lrnde_error *e)
{
    double score = lrnde__evaluation_score(result, r->model);
    if (!(score > r->state.best)) return LRNDE_OK;
    char *path = in_folder(r, "best.safetensors");
    r->state.best = score;
    lrnde_status status = lrnde_save(r->train.solver, path) ? from_solver(r->train.solver, e) : LRNDE_OK;
    free(path);
    return status;
}

static lrnde_status evaluate(run *r, lrnde__evaluation *result, lrnde_error *e)
{
    size_t bytes = (size_t)r->model->n_params * (size_t)r->model->real_bytes;
    if (lrnde_get(r->train.solver, "params", r->params, bytes)) return from_solver(r->train.solver, e);
    if (lrnde_set(r->test.solver, "params", r->params, bytes)) return from_solver(r->test.solver, e);
    return lrnde__evaluate(&r->test, r->training->trajectories, result, e);
}

static int evaluates_after(const run *r, int64_t step)
{
    int64_t every = r->model->train.evaluate_every;
    return step == r->training->steps || (every > 0 && (step - 1) % every == 0);
}

/* An error estimate of order p falls by about 2^(p+1) when h is halved, unless it is rounding noise. */
static void check_rounding(run *r)
{
    lrnde_local_report whole, half;
    lrnde_stats stats;
    lrnde_solver *s = r->train.solver;
    lrnde_error e;
    double tspan[2];
    if (lrnde__feed_batch(&r->train, 0, &e) || lrnde_solve(s, NULL, 0, &stats)) return;
    if (lrnde_get(s, "tspan", tspan, sizeof tspan)) return;
    if (lrnde_local(s, tspan[0], stats.first_h, &whole) || lrnde_local(s, tspan[0], stats.first_h / 2, &half)) return;
    if (whole.E < 4 * half.E)
        fprintf(stderr, "note: tolerance below the rounding floor: E(h0) = %.3g, E(h0/2) = %.3g\n", whole.E, half.E);
}

/* A step from a state that may turn out bad: only when it has succeeded is the state before it known to be good. */
static lrnde_status step_from(run *r, int64_t step, int snapshot, lrnde_report *report, lrnde_error *e)
{
    lrnde__tensors before = {0};
    lrnde_status status = snapshot ? lrnde__checkpoint_take(&before, r->train.solver, &r->state, e) : LRNDE_OK;
    if (!status) status = lrnde__feed_batch(&r->train, step - 1, e);
    if (!status && lrnde_train_step(r->train.solver, report)) status = from_solver(r->train.solver, e);
    if (!status && snapshot) {
        lrnde__tensors_free(&r->good);
        r->good = before;
    } else {
        lrnde__tensors_free(&before);
    }
    return status;
}

static lrnde_status one_step(run *r, int64_t step, lrnde__outcome *outcome, lrnde_error *e)
{
    lrnde_report report;
    int evaluates = evaluates_after(r, step);
    int reports = evaluates || step == 1 || step % r->training->every == 0;
    double start = lrnde__seconds();
    if (step_from(r, step, reports, &report, e)) return e->status;
    double step_s = lrnde__seconds() - start;
    outcome->train_s += step_s;
    outcome->step = step;
    outcome->loss = report.loss;

    if (evaluates && (evaluate(r, &outcome->test, e) || save_best(r, &outcome->test, e))) return e->status;
    if (reports)
        lrnde__reports_step(&r->reports, &report, step_s, evaluates ? &outcome->test : NULL);
    else
        lrnde__reports_progress(&r->reports, &report, r->training->steps, step_s);
    double unsaved_s = lrnde__seconds() - r->saved_at;
    return unsaved_s > SAVE_EVERY_S && r->save_s < SAVE_SHARE * unsaved_s ? save_state(r, e) : LRNDE_OK;
}

/* What is left on disk: the state where the run stopped, but after a failed computation the last one known to be good. */
static lrnde_status save_outcome(run *r, lrnde_status status, lrnde_error *e)
{
    if (!status || status == LRNDE_ERR_CANCELLED) return save_state(r, e);
    return r->good.n_tensors ? write_last(r, &r->good, e) : LRNDE_OK;
}

static lrnde_status all_steps(run *r, lrnde__outcome *outcome, lrnde_error *e)
{
    lrnde_status status = LRNDE_OK;
    lrnde_error saving;
    int64_t done = lrnde_step(r->train.solver);
    if (!done && r->model->regularizer.sampling != LRNDE_REG_NONE) check_rounding(r);
    outcome->step = done;
    if (done >= r->training->steps) status = evaluate(r, &outcome->test, e);
    r->saved_at = lrnde__seconds();
    for (int64_t step = done + 1; step <= r->training->steps && !status; step++) {
        status = one_step(r, step, outcome, e);
        if (status) e->step = step;
    }
    if (!save_outcome(r, status, &saving)) return status;
    if (!status) *e = saving;
    return status ? status : saving.status;
}

void lrnde__outcome_json(const lrnde__outcome *outcome, const lrnde_model_desc *model, lrnde__json *j)
{
    lrnde__json_string(j, "device", outcome->device);
    lrnde__json_string(j, "precision", model->real_bytes == 4 ? "f32" : "f64");
    lrnde__json_string(j, "accumulate", model->accumulate_double ? "double" : "native");
    lrnde__json_integer(j, "threads", outcome->threads);
}

static lrnde_status write_config(const run *r, const lrnde__outcome *outcome, lrnde_error *e)
{
    lrnde__output o;
    lrnde__json j;
    char *path = in_folder(r, "config.json");
    lrnde_status status = lrnde__output_open(&o, path, e);
    free(path);
    if (status) return status;
    lrnde__json_begin(&j, o.to);
    lrnde__json_string(&j, "model", r->model->name);
    lrnde__json_string(&j, "method", r->model->method);
    lrnde__outcome_json(outcome, r->model, &j);
    lrnde__json_integer(&j, "seed", (int64_t)r->state.seed);
    lrnde__json_integer(&j, "batch", r->train.batch);
    lrnde__json_integer(&j, "steps", r->training->steps);
    lrnde__json_integer(&j, "train_samples", r->training->data->train);
    lrnde__json_string(&j, "version", r->model->version);
    lrnde__json_end(&j);
    return lrnde__output_close(&o, e);
}

static void introduce(const run *r, lrnde__outcome *outcome)
{
    const lrnde_solver *s = r->train.solver ? r->train.solver : r->test.solver;
    snprintf(outcome->device, sizeof outcome->device, "%s", lrnde_device_name(s));
    outcome->threads = lrnde_threads(s);
    if (r->training->json) return;
    const char *refusals = lrnde_device_refusals(s), *said = *refusals ? refusals : lrnde_device_note(s);
    printf("%s: %s, %s, %s accumulation, device %s%s%s%s, threads %d, batch %d\n", r->model->name, r->model->method,
           r->model->real_bytes == 4 ? "f32" : "f64", r->model->accumulate_double ? "double" : "native", outcome->device,
           *said ? " (" : "", said, *said ? ")" : "", outcome->threads, lrnde_batch(s));
}

static lrnde_status load_weights(lrnde_solver *s, const char *path, lrnde_error *e)
{
    return path && lrnde_load(s, path) ? from_solver(s, e) : LRNDE_OK;
}

/* A run begins in a folder that has another, which goes to the folder "previous" there: none is lost by starting twice. */
static lrnde_status put_away(const run *r, const char *last, lrnde_error *e)
{
    static const char *const files[] = {"last.safetensors", "best.safetensors", "log.jsonl", "nfe.svg", "config.json"};
    if (access(last, F_OK)) return LRNDE_OK;
    char *previous = in_folder(r, "previous");
    lrnde_status status = lrnde__make_folder(previous, e);
    for (size_t i = 0; !status && i < sizeof files / sizeof *files; i++) {
        char *from = in_folder(r, files[i]), *to = lrnde__format("%s/%s", previous, files[i]);
        if (!to) abort();
        unlink(to); /* what a run before lacked would look like this one's */
        if (rename(from, to) && errno != ENOENT)
            status = lrnde__io_fail(e, LRNDE_ERR_FILE, "%s: cannot be moved to %s: %s", from, to, strerror(errno));
        free(from);
        free(to);
    }
    if (!status)
        fprintf(stderr, "note: the run that was in %s is in %s now (--resume goes on with one)\n", r->training->out, previous);
    free(previous);
    return status;
}

/* Everything after the solvers exist: start, steps, and the files. */
static lrnde_status run_steps(run *r, lrnde__outcome *outcome, lrnde_error *e)
{
    const lrnde__training *t = r->training;
    char *last = in_folder(r, "last.safetensors"), *log = in_folder(r, "log.jsonl"), *plot = in_folder(r, "nfe.svg");
    lrnde_error drawing;
    lrnde_status status = load_weights(r->train.solver, t->weights, e);
    if (!status && t->resume) status = lrnde__checkpoint_load(r->train.solver, &r->state, last, e);
    if (!status) status = lrnde__make_folder(t->out, e);
    if (!status && !t->resume) status = put_away(r, last, e);
    if (!status) introduce(r, outcome);
    if (!status) status = write_config(r, outcome, e);
    if (!status)
        status = lrnde__reports_open(&r->reports, r->model, &t->options, t->log ? t->log : log, lrnde_step(r->train.solver),
                                     t->json, e);
    if (!status) {
        status = all_steps(r, outcome, e);
        if (lrnde__reports_plot(&r->reports, plot, &drawing) && !status) fprintf(stderr, "warning: %s\n", drawing.text);
    }
    lrnde_status closing = lrnde__reports_close(&r->reports, status ? &drawing : e);
    free(last);
    free(log);
    free(plot);
    return status ? status : closing;
}

static lrnde_status only_evaluate(run *r, lrnde__outcome *outcome, lrnde_error *e)
{
    char *last = in_folder(r, "last.safetensors");
    lrnde_status status = load_weights(r->test.solver, r->training->resume ? last : r->training->weights, e);
    free(last);
    if (!status) introduce(r, outcome);
    return status ? status : lrnde__evaluate(&r->test, r->training->trajectories, &outcome->test, e);
}

lrnde_status lrnde__train(const lrnde__training *training, lrnde__outcome *outcome, lrnde_error *e)
{
    const lrnde__data *data = training->data;
    int64_t test_batch = data->test && training->batch > data->test ? 0 : training->batch;
    lrnde_options options = training->options;
    run r = {.training = training, .model = data->model};
    *outcome = (lrnde__outcome){.loss = NAN};
    r.params = malloc((size_t)r.model->n_params * (size_t)r.model->real_bytes + 1);
    lrnde_status status = r.params ? LRNDE_OK : lrnde__io_fail(e, LRNDE_ERR_MEMORY, "out of memory");
    if (!status) status = lrnde__feed_open(&r.test, data, LRNDE__TEST, test_batch, &options, e);
    if (!status && training->evaluate_only) {
        status = only_evaluate(&r, outcome, e);
    } else if (!status) {
        options.training = 1;
        status = lrnde__feed_open(&r.train, data, LRNDE__TRAIN, training->batch, &options, e);
        r.state = (lrnde__state){.seed = options.seed, .batch = r.train.batch, .best = -INFINITY};
        if (!status) status = run_steps(&r, outcome, e);
    }
    lrnde__tensors_free(&r.good);
    lrnde__feed_close(&r.train);
    lrnde__feed_close(&r.test);
    free(r.params);
    return status;
}
