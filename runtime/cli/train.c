/* train.c - lrnde-train: builds a model, reads its data, trains it. */
#include "cli/build.h"
#include "cli/options.h"
#include "cli/tool.h"
#include "io/data.h"
#include "io/file.h"
#include "train/loop.h"

#include <libgen.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct train_options {
#define OPTION OPTIONS_STRUCT_FIELD
#include "cli/train.def"
#undef OPTION
    option_texts operands;
} train_options;

#define OPTIONS_OF train_options
static const option_desc TABLE[] = {
#define OPTION OPTIONS_TABLE_ROW
#include "cli/train.def"
#undef OPTION
};

static const options_tool TOOL = {
    .program = "lrnde-train",
    .usage = "[options] MODEL.lua",
    .doc = "Trains a model: forward solve, adjoint, one regularized local step, optimizer.",
    .options = TABLE,
    .n_options = sizeof TABLE / sizeof *TABLE,
    .operands = offsetof(train_options, operands),
    .min_operands = 1,
    .max_operands = 1,
};

enum { REPORT_EVERY = 10 };

static void summarize_json(const lrnde_model_desc *model, const lrnde__outcome *outcome, uint64_t seed)
{
    lrnde__json j;
    lrnde__json_begin(&j, stdout);
    lrnde__json_string(&j, "event", "summary");
    lrnde__json_string(&j, "model", model->name);
    lrnde__json_integer(&j, "seed", (int64_t)seed);
    lrnde__json_integer(&j, "step", outcome->step);
    lrnde__json_number(&j, "loss", outcome->loss);
    lrnde__evaluation_json(&outcome->test, model, &j);
    lrnde__json_integer(&j, "test_samples", outcome->test.samples);
    lrnde__json_number(&j, "train_s", outcome->train_s);
    lrnde__outcome_json(outcome, model, &j);
    lrnde__json_end(&j);
}

static void summarize_text(const lrnde_model_desc *model, const lrnde__outcome *outcome)
{
    printf("tested on %lld samples", (long long)outcome->test.samples);
    if (outcome->test.trajectories > 1) printf(", the mean of %lld trajectories", (long long)outcome->test.trajectories);
    printf(": loss %.5g", outcome->test.loss);
    for (int32_t i = 0; i < model->n_metrics; i++) printf("  %s %.4f", model->metrics[i].name, outcome->test.metrics[i]);
    printf("  nfe %.1f  predict %.3g s a batch  trained %.1f s\n", outcome->test.nfe, outcome->test.predict_s, outcome->train_s);
}

/* One run with one seed, its files in `out`. */
static int train(const train_options *o, const lrnde__data *data, int64_t seed, const char *out)
{
    const lrnde_model_desc *model = data->model;
    lrnde_options solver = TOOL_SOLVER_OPTIONS(o);
    solver.seed = (uint64_t)seed;
    lrnde__training training = {
        .data = data,
        .options = solver,
        .steps = o->steps >= 0 ? o->steps : model->train.steps,
        .batch = o->batch >= 0 ? o->batch : model->train.batch,
        .trajectories = o->trajectories >= 0 ? o->trajectories : model->train.evaluate_trajectories,
        .every = o->every > 0 ? o->every : REPORT_EVERY,
        .out = out,
        .log = o->log,
        .weights = o->weights,
        .resume = o->resume,
        .json = o->json,
        .evaluate_only = o->eval,
    };
    lrnde__outcome outcome;
    lrnde_error e = {0};
    lrnde_status status = lrnde__train(&training, &outcome, &e);
    if (status == LRNDE_ERR_CANCELLED && !o->eval) {
        fprintf(stderr, "%s: interrupted after step %lld; --resume goes on from %s/last.safetensors\n", TOOL.program,
                (long long)outcome.step, out);
        return EXIT_INTERRUPTED;
    }
    if (status) return tool_failure(&TOOL, &e);
    if (o->json)
        summarize_json(model, &outcome, solver.seed);
    else
        summarize_text(model, &outcome);
    return EXIT_DONE;
}

static int train_seeds(const train_options *o, const lrnde__data *data)
{
    int code = EXIT_DONE;
    char *out = o->out ? strdup(o->out) : lrnde__format("runs/%s", data->model->name);
    if (!o->seeds.n) code = train(o, data, o->seed > 0 ? o->seed : 0, out);
    for (int64_t i = 0; i < o->seeds.n && !code; i++) {
        int64_t seed = (int64_t)o->seeds.v[i];
        char *folder = lrnde__format("%s/seed-%lld", out, (long long)seed);
        code = train(o, data, seed, folder);
        free(folder);
    }
    free(out);
    return code;
}

static int check(const train_options *o)
{
    for (int64_t i = 0; i < o->seeds.n; i++)
        if (o->seeds.v[i] < 0 || o->seeds.v[i] != floor(o->seeds.v[i]))
            return cli_error(&TOOL, "--seeds: whole numbers, 0 or more");
    if (o->resume && o->weights) return cli_error(&TOOL, "--resume and --weights both say where to start");
    if (o->seeds.n && o->log) return cli_error(&TOOL, "--seeds writes a log for each run, --log is for one");
    return EXIT_DONE;
}

static int run(const train_options *o)
{
    const lrnde_model_desc *model;
    const char *file = o->operands.v[0];
    build_request request = {.model_file = file, .method = o->method, .device = o->device, .set = o->set};
    int code = check(o);
    if (!code) code = build_model(&request, &TOOL, &model);
    if (code) return code;
    if (o->trajectories > 1 && !model->forward->n_noise)
        return cli_error(&TOOL, "--trajectories: %s is not stochastic", model->name);
    if (!model->n_loss) return cli_error(&TOOL, "%s: the model has no loss: there is nothing to train", file);

    lrnde__data data;
    lrnde_error e;
    char *copy = strdup(file);
    lrnde__places places = {.folder = o->data, .beside = dirname(copy)};
    tool_catch_interrupt();
    if (o->eval && !o->weights && !o->resume)
        fputs("note: --eval tests parameters as drawn: trained ones come by --weights FILE, or by --resume from --out\n", stderr);
    code = lrnde__data_read(&data, model, &places, &e) ? tool_failure(&TOOL, &e) : train_seeds(o, &data);
    lrnde__data_free(&data);
    free(copy);
    return code;
}

int main(int argc, char **argv)
{
    train_options options;
    tool_wait_briefly(argv);
    int code = cli_parse(&TOOL, &options, argc, argv);
    if (code != OPTIONS_RUN) return code;
    code = run(&options);
    cli_free(&TOOL, &options);
    return code;
}
