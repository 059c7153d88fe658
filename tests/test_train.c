/* test_train.c - schedules, batches, and whole training runs of a small model that lrnde-gen makes. */
#include "cases.h"

#include "cli/build.h"
#include "io/file.h"
#include "solve/solver.h"
#include "train/feed.h"
#include "train/loop.h"
#include "train/schedule.h"

#include <jansson.h>
#include <math.h>

extern const lrnde__reader lrnde__reader_csv;
const lrnde__reader *const readers[] = {&lrnde__reader_csv};

/* ---- schedules: the values at their ends, and the paper's exponential decay in the middle ---- */

static double at(lrnde_schedule_kind kind, double a, double b, int64_t step, int64_t steps)
{
    return lrnde__schedule_at(&(lrnde_schedule){kind, a, b}, step, steps);
}

static void test_schedules(void **state)
{
    (void)state;
    const double eps = 1e-14;
    assert_float_equal(at(LRNDE_CONSTANT, 3, 0, 17, 100), 3, 0);
    assert_float_equal(at(LRNDE_EXPONENTIAL, 2.5, 1, 7500, 7500), 1, eps);
    assert_float_equal(at(LRNDE_EXPONENTIAL, 2.5, 1, 3750, 7500), sqrt(2.5), eps);
    assert_float_equal(at(LRNDE_EXPONENTIAL, 2.5, 1, 1, 7500), 2.5 * exp(-log(2.5) / 7500), eps);
    assert_float_equal(at(LRNDE_EXPONENTIAL, 2, 2, 5, 10), 2, 0);
    assert_float_equal(at(LRNDE_LINEAR, 1, 3, 10, 10), 3, eps);
    assert_float_equal(at(LRNDE_LINEAR, 1, 3, 5, 10), 2, eps);
    assert_float_equal(at(LRNDE_COSINE, 0.003, 0.0001, 1, 100), 0.003, eps);
    assert_float_equal(at(LRNDE_COSINE, 0.003, 0.0001, 51, 100), 0.00155, eps);
    assert_float_equal(at(LRNDE_INVERSE, 0.01, 1e-5, 1000, 3000), 0.01 / 1.01, eps);
}

/* ---- a model: 20 samples of a decaying rotation, fitted by a linear layer ---- */

static const char MODEL[] =
    "local L = require 'lrnde'\n"
    "return L.ode { name = 'toy_spiral', precision = 'f64',\n"
    "  data = L.csv { 'spiral.csv', id = 'path', t = 't', series = { u = { 'x', 'y' } }, split = { test = 0.2 } },\n"
    "  state = { 'x', 'y' }, u0 = function(d) return d.u:first() end, dynamics = L.dense { 2, 2 },\n"
    "  saveat = 'data', output = function(u) return { u = u } end, loss = L.mse { 'u' },\n"
    "  solver = { method = 'tsit5', atol = 1e-6, rtol = 1e-6, tspan = 'data' }, sensitivity = 'discrete',\n"
    "  train = { optimizer = L.adam { lr = 1e-2 }, batch = 5, steps = 40 } }\n";

static const options_tool TOOL = {.program = "test_train"};
static const lrnde_model_desc *model;
static lrnde__data data;

static const lrnde_model_desc *build(const char *setting)
{
    const char *settings[] = {setting};
    const lrnde_model_desc *built;
    build_request request = {.model_file = scratch_file("toy_spiral.lua"), .device = "cpu", .set = {settings, setting ? 1 : 0}};
    assert_int_equal(build_model(&request, &TOOL, &built), EXIT_DONE);
    return built;
}

static int setup(void **state)
{
    (void)state;
    lrnde__places places = {.folder = scratch_folder()};
    lrnde_error e;
    FILE *to = fopen(scratch_file("spiral.csv"), "w");
    fputs("path,t,x,y\n", to);
    for (int path = 0; path < 20; path++)
        for (int k = 0; k < 5; k++) {
            double t = 0.3 * k, r = (1 + 0.05 * path) * exp(-0.3 * t), angle = 0.3 * path + 2 * t;
            fprintf(to, "%d,%.17g,%.17g,%.17g\n", path, t, r * cos(angle), r * sin(angle));
        }
    fclose(to);
    write_scratch("toy_spiral.lua", MODEL, sizeof MODEL - 1);
    setenv("LRNDE_CACHE", scratch_folder(), 1);
    model = build(NULL);
    return lrnde__data_read(&data, model, &places, &e);
}

static int teardown(void **state)
{
    lrnde__data_free(&data);
    return remove_scratch(state);
}

static lrnde__training training_in(char *out, const char *name)
{
    snprintf(out, 128, "%s", scratch_file(name));
    return (lrnde__training){.data = &data, .options = LRNDE_OPTIONS, .steps = 40, .batch = 5, .every = 10, .out = out};
}

static char *slurp(const char *folder, const char *file, size_t *size)
{
    char *path = lrnde__format("%s/%s", folder, file), *text;
    lrnde_error e;
    assert_int_equal(lrnde__file_read(path, &text, size, &e), LRNDE_OK);
    free(path);
    return text;
}

static void remove_run(const char *out)
{
    static const char *const files[] = {"last.safetensors", "best.safetensors", "log.jsonl", "nfe.svg", "config.json"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char *path = lrnde__format("%s/%s", out, files[i]);
        unlink(path);
        free(path);
    }
    rmdir(out);
}

/* Training prints its reports; keep them out of the test's output. */
static lrnde_status train(const lrnde__training *t, lrnde__outcome *outcome, lrnde_error *e)
{
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    FILE *sink = freopen("/dev/null", "w", stdout);
    assert_non_null(sink);
    lrnde_status status = lrnde__train(t, outcome, e);
    fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    return status;
}

/* Every batch is full, no sample is in two, and going round comes back to the same ones. */
static void test_feed(void **state)
{
    (void)state;
    lrnde_options options = LRNDE_OPTIONS;
    lrnde__feed f;
    lrnde_error e;
    int seen[20] = {0};
    double first[50], u[50];
    assert_int_equal(lrnde__feed_open(&f, &data, LRNDE__TRAIN, 5, &options, &e), LRNDE_OK);
    assert_int_equal(f.batches, 3);
    for (int i = 0; i < 16; i++) seen[f.order[i]]++;
    for (int i = 0; i < 20; i++) assert_int_equal(seen[i], i < 16);
    assert_int_equal(lrnde__feed_batch(&f, 1, &e), LRNDE_OK);
    assert_int_equal(lrnde_solve(f.solver, NULL, 0, NULL), LRNDE_OK);
    assert_int_equal(lrnde_get(f.solver, "u", first, sizeof first), LRNDE_OK);
    assert_int_equal(lrnde__feed_batch(&f, 4, &e), LRNDE_OK);
    assert_int_equal(lrnde_solve(f.solver, NULL, 0, NULL), LRNDE_OK);
    assert_int_equal(lrnde_get(f.solver, "u", u, sizeof u), LRNDE_OK);
    assert_memory_equal(u, first, sizeof u);
    lrnde__feed_close(&f);
    assert_int_equal(lrnde__feed_open(&f, &data, LRNDE__TRAIN, 17, &options, &e), LRNDE_ERR_ARGUMENT);
    assert_contains(e.text, "a batch of 17 is more than the 16 training samples of model toy_spiral");
    lrnde__feed_close(&f);
}

/* Batches have places of their own on the device while there is memory; then all share one.  They are what they are. */
static void test_places(void **state)
{
    (void)state;
    enum { BATCHES = 3 };
    lrnde_error e;
    double u[BATCHES][50], again[50];
    for (int32_t places = BATCHES; places > 0; places--) {
        lrnde_options options = LRNDE_OPTIONS;
        lrnde__feed f;
        options.training = 1;
        assert_int_equal(lrnde__feed_open(&f, &data, LRNDE__TRAIN, 5, &options, &e), LRNDE_OK);
        assert_int_equal(f.places, 1); /* the device is the host: one is enough */
        f.places = BATCHES;
        for (int i = 0; i < 3 * BATCHES; i++) {
            double *to = places == BATCHES && i < BATCHES ? u[i] : again;
            if (i == places) f.solver->options.memory_limit = lrnde_memory(f.solver);
            assert_int_equal(lrnde__feed_batch(&f, i, &e), LRNDE_OK);
            assert_int_equal(e.status, LRNDE_OK);
            assert_int_equal(lrnde_solve(f.solver, NULL, 0, NULL), LRNDE_OK);
            assert_int_equal(lrnde_get(f.solver, "u", to, sizeof again), LRNDE_OK);
            if (to == again) assert_memory_equal(again, u[i % BATCHES], sizeof again);
        }
        assert_int_equal(f.places, places == BATCHES ? BATCHES : 1);
        lrnde__feed_close(&f);
    }
    lrnde_options limited = LRNDE_OPTIONS;
    lrnde__feed f;
    limited.memory_limit = 1 << 30, limited.training = 1;
    assert_int_equal(lrnde__feed_open(&f, &data, LRNDE__TRAIN, 5, &limited, &e), LRNDE_OK);
    assert_int_equal(f.places, 1);
    lrnde__feed_close(&f);
}

/* Steps 1, 10, 20, .. and the last are in the log, each once, and the loss has fallen. */
static void test_run(void **state)
{
    (void)state;
    char out[128], *line, *rest;
    size_t size;
    lrnde__training t = training_in(out, "run");
    lrnde__outcome outcome;
    lrnde_error e;
    int64_t expected[] = {1, 10, 20, 30, 35};
    double losses[5];
    int n = 0;
    t.steps = 35;
    assert_int_equal(train(&t, &outcome, &e), LRNDE_OK);
    assert_int_equal(outcome.step, 35);
    assert_int_equal(outcome.test.samples, 4);
    char *log = rest = slurp(out, "log.jsonl", &size);
    while ((line = strsep(&rest, "\n")) && *line) {
        json_t *report = json_loads(line, 0, NULL);
        assert_true(n < 5 && json_integer_value(json_object_get(report, "step")) == expected[n]);
        losses[n++] = json_number_value(json_object_get(report, "loss"));
        assert_true(!json_object_get(report, "test_loss") == (n < 5));
        json_decref(report);
    }
    assert_int_equal(n, 5);
    assert_true(losses[4] < losses[0]);
    free(log);
    remove_run(out);
}

/* A run that is stopped and resumed leaves the very bytes of one that was not. */
static void test_resume(void **state)
{
    (void)state;
    char whole[128], parts[128];
    size_t n, m;
    lrnde__training t = training_in(whole, "whole");
    lrnde__outcome outcome;
    lrnde_error e;
    assert_int_equal(train(&t, &outcome, &e), LRNDE_OK);
    t = training_in(parts, "parts");
    t.steps = 17;
    assert_int_equal(train(&t, &outcome, &e), LRNDE_OK);
    t.steps = 40;
    t.resume = 1;
    assert_int_equal(train(&t, &outcome, &e), LRNDE_OK);
    char *a = slurp(whole, "last.safetensors", &n), *b = slurp(parts, "last.safetensors", &m);
    assert_int_equal(n, m);
    assert_memory_equal(a, b, n);
    free(a);
    free(b);

    t.options.seed = 1;
    assert_int_equal(train(&t, &outcome, &e), LRNDE_ERR_ARGUMENT);
    assert_contains(e.text, "the run had --seed 0, not 1: it cannot be resumed");
    remove_run(whole);
    remove_run(parts);
}

/* Asks for the end at its 200th question, which is in the middle of a step. */
static int cancel(void *user)
{
    int *asked = user;
    return ++*asked >= 200;
}

static void test_cancel(void **state)
{
    (void)state;
    char out[128];
    int asked = 0;
    size_t n, m;
    lrnde__training t = training_in(out, "cancelled");
    lrnde__outcome outcome;
    lrnde_error e;
    t.options.cancel = cancel;
    t.options.user = &asked;
    assert_int_equal(train(&t, &outcome, &e), LRNDE_ERR_CANCELLED);
    int64_t stopped = outcome.step;
    assert_true(stopped > 1 && stopped < 40);
    char *cancelled = slurp(out, "last.safetensors", &n);
    remove_run(out);
    t.options.cancel = NULL;
    t.steps = stopped;
    assert_int_equal(train(&t, &outcome, &e), LRNDE_OK);
    char *stopping = slurp(out, "last.safetensors", &m);
    /* they differ in the score of the best evaluation, which only the second has: compare parameters and slots */
    assert_memory_equal(cancelled + n - 18 * 8, stopping + m - 18 * 8, 18 * 8);
    free(cancelled);
    free(stopping);
    remove_run(out);
}

/* Parameters that explode: an error that says where, and a state on disk that does solve. */
static void test_failure(void **state)
{
    (void)state;
    char out[128], path[160];
    lrnde__training t = training_in(out, "failed");
    lrnde__outcome outcome;
    lrnde_error e;
    lrnde__data wild = data;
    wild.model = build("train.optimizer.lr=1e200");
    t.data = &wild;
    assert_int_equal(train(&t, &outcome, &e), LRNDE_ERR_NOT_FINITE);
    assert_int_equal(e.step, 2);
    snprintf(path, sizeof path, "%s/last.safetensors", out);
    t.weights = path;
    t.evaluate_only = 1;
    assert_int_equal(train(&t, &outcome, &e), LRNDE_OK);
    assert_true(isfinite(outcome.test.loss));
    remove_run(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schedules), cmocka_unit_test(test_feed),   cmocka_unit_test(test_places),
        cmocka_unit_test(test_run),       cmocka_unit_test(test_resume), cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_failure),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
