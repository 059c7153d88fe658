/* solve.c - lrnde-solve: builds a model, solves it, shows the trajectory, a gradient of it, or one local step. */
#include "cli/build.h"
#include "cli/gradient.h"
#include "cli/input.h"
#include "cli/options.h"
#include "cli/tool.h"
#include "cli/trajectory.h"
#include "io/file.h"
#include "train/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct solve_options {
#define OPTION OPTIONS_STRUCT_FIELD
#include "cli/solve.def"
#undef OPTION
    option_texts operands;
} solve_options;

#define OPTIONS_OF solve_options
static const option_desc TABLE[] = {
#define OPTION OPTIONS_TABLE_ROW
#include "cli/solve.def"
#undef OPTION
};

static const options_tool TOOL = {
    .program = "lrnde-solve",
    .usage = "[options] MODEL.lua",
    .doc = "Solves the model's differential equation and prints t and the state, or plots them.",
    .options = TABLE,
    .n_options = sizeof TABLE / sizeof *TABLE,
    .operands = offsetof(solve_options, operands),
    .min_operands = 1,
    .max_operands = 1,
};

enum { PLOT_INTERVALS = 200, MOST_TIMES = 10000000, MOST_TRAJECTORIES = 1000000000 };

static double *reals(int64_t n)
{
    double *v = calloc((size_t)n + 1, sizeof *v);
    if (!v) abort();
    return v;
}

/* Is the model solved many times, for its moments? */
static int many(const solve_options *o)
{
    return o->trajectories > 0;
}

static int failed(const lrnde_solver *s)
{
    return tool_failure(&TOOL, lrnde_last_error(s));
}

/* ---- save times ---- */

/* t0, t0 + dt, .. and t1. */
static option_reals every(double t0, double t1, double dt)
{
    double intervals = fabs((t1 - t0) / dt);
    int64_t whole = (int64_t)floor(intervals * (1 + 1e-12));
    int64_t n = whole + 1 + ((double)whole < intervals * (1 - 1e-12));
    option_reals times = {reals(n), n};
    for (int64_t i = 0; i < n; i++) times.v[i] = t0 + (double)i * copysign(dt, t1 - t0);
    times.v[n - 1] = t1;
    return times;
}

static option_reals copy_times(const double *t, int64_t n)
{
    option_reals times = {reals(n), n};
    memcpy(times.v, t, (size_t)n * sizeof *t);
    return times;
}

/* What was asked for, else what fits what was asked for, else the model's.  A gradient needs the end among them. */
static int save_times(const solve_options *o, lrnde_solver *s, option_reals *times)
{
    const lrnde_model_desc *model = lrnde_model(s);
    double tspan[2];
    if (lrnde_get(s, "tspan", tspan, sizeof tspan)) return failed(s);
    if (o->mesh.n) tspan[0] = o->mesh.v[0], tspan[1] = o->mesh.v[o->mesh.n - 1];
    if (o->saveat.n == 1 && !(o->saveat.v[0] > 0)) return cli_error(&TOOL, "--saveat: an interval must be positive");
    if (o->saveat.n == 1 && fabs(tspan[1] - tspan[0]) / o->saveat.v[0] > MOST_TIMES)
        return cli_error(&TOOL, "--saveat: more than %d times", MOST_TIMES);
    if (o->saveat.n == 1)
        *times = every(tspan[0], tspan[1], o->saveat.v[0]);
    else if (o->saveat.n)
        *times = copy_times(o->saveat.v, o->saveat.n);
    else if (o->mesh.n)
        *times = copy_times(o->mesh.v, o->mesh.n);
    else if (o->plot)
        *times = every(tspan[0], tspan[1], fabs(tspan[1] - tspan[0]) / PLOT_INTERVALS);
    else if (model->n_saveat && tspan[0] == model->t0 && tspan[1] == model->t1)
        *times = copy_times(model->saveat, model->n_saveat);
    else
        *times = copy_times(&tspan[1], 1);
    if (o->gradient && times->v[times->n - 1] != tspan[1]) {
        double *longer = realloc(times->v, (size_t)(times->n + 1) * sizeof *longer);
        if (!longer) abort();
        longer[times->n] = tspan[1];
        *times = (option_reals){longer, times->n + 1};
    }
    return EXIT_DONE;
}

/* ---- showing ---- */

/* The ends of the accepted steps, for --mesh to repeat them; the caller frees them.  Only a solve that can be differentiated
 * keeps them. */
static option_reals mesh_of(lrnde_solver *s)
{
    lrnde_array array;
    if (lrnde_array_find(s, "mesh", &array) || !array.can_get) return (option_reals){0};
    option_reals mesh = {reals(array.dims[0]), array.dims[0]};
    if (lrnde_get(s, "mesh", mesh.v, array.bytes)) mesh.n = 0;
    return mesh;
}

static void show_mesh(lrnde__json *json, lrnde_solver *s)
{
    option_reals mesh = mesh_of(s);
    if (mesh.n) lrnde__json_numbers(json, "mesh", mesh.v, mesh.n);
    free(mesh.v);
}

static void show_json(const solve_options *o, lrnde_solver *s, const trajectory *j, const lrnde_stats *stats, const gradient *g)
{
    lrnde_storage storage = lrnde_storage_of(s);
    for (int64_t sample = 0; sample < (many(o) ? 1 : j->samples); sample++) {
        lrnde__json json;
        lrnde__json_begin(&json, stdout);
        if (many(o))
            lrnde__json_integer(&json, "trajectories", o->trajectories);
        else if (j->samples > 1)
            lrnde__json_integer(&json, "sample", sample);
        lrnde__json_integer(&json, "accepted", stats->accepted);
        lrnde__json_integer(&json, "rejected", stats->rejected);
        lrnde__json_integer(&json, "nfe", stats->nfe);
        lrnde__json_integer(&json, "rhs_calls", stats->rhs_calls);
        if (stats->nfe_diffusion) lrnde__json_integer(&json, "nfe_diffusion", stats->nfe_diffusion);
        lrnde__json_integer(&json, "nfe_dense", stats->nfe_dense);
        lrnde__json_number(&json, "first_h", stats->first_h);
        if (o->stats) show_mesh(&json, s);
        if (o->stats) lrnde__storage_json(&storage, &json);
        if (g->params) lrnde__json_number(&json, "value", g->value);
        if (many(o))
            trajectory_json_moments(j, &json);
        else
            trajectory_json(j, sample, &json);
        if (g->params) gradient_json(g, s, &json);
        lrnde__json_end(&json);
    }
}

static void show_numbers(const char *name, const double *v, int64_t n, int digits)
{
    printf("%s", name);
    for (int64_t i = 0; v && i < n; i++) printf(" %.*g", digits, v[i]);
    putchar('\n');
}

static void show_text(const solve_options *o, const lrnde_solver *s, const trajectory *j, const lrnde_stats *stats,
                      const gradient *g)
{
    int digits = tool_digits(j->model);
    if (many(o))
        trajectory_print_moments(j, stdout);
    else if (!o->output)
        trajectory_print(j, stdout, " ");
    if (o->stats)
        printf("accepted %lld\nrejected %lld\nnfe %lld\nfirst h %.17g\nmemory %zu\n", (long long)stats->accepted,
               (long long)stats->rejected, (long long)stats->nfe, stats->first_h, lrnde_storage_of(s).peak);
    if (o->stats && stats->nfe_diffusion) printf("nfe_diffusion %lld\n", (long long)stats->nfe_diffusion);
    if (!g->params) return;
    show_numbers("value", &g->value, 1, digits);
    show_numbers("grad_u0", g->u0, j->state, digits);
    show_numbers("grad_params", g->params, j->model->n_params, digits);
}

/* ---- what can be asked for ---- */

static lrnde_status solve_at(const solve_options *o, lrnde_solver *s, const option_reals *times, lrnde_stats *stats)
{
    size_t n = (size_t)times->n;
    return o->mesh.n ? lrnde_solve_mesh(s, o->mesh.v, (size_t)o->mesh.n, times->v, n, stats) : lrnde_solve(s, times->v, n, stats);
}

/* Draws a trajectory with marks at the ends of its steps, where the same solve is saved once more. */
static int draw(const solve_options *o, lrnde_solver *s, const trajectory *j)
{
    option_reals mesh = mesh_of(s);
    trajectory marks = {0};
    lrnde_error e = {0};
    int code = EXIT_DONE;
    if (mesh.n && (solve_at(o, s, &mesh, NULL) || trajectory_get(&marks, s, mesh.v, mesh.n))) code = failed(s);
    if (!code && trajectory_plot(j, &marks, o->plot, &e)) fprintf(stderr, "%s: warning: %s\n", TOOL.program, e.text);
    free(marks.u);
    free(mesh.v);
    return code;
}

static int show_trajectory(const solve_options *o, lrnde_solver *s)
{
    option_reals times = {0};
    trajectory j = {0};
    gradient g = {0};
    lrnde_stats stats;
    lrnde_error e = {0};
    int code = save_times(o, s, &times);
    if (!code && solve_at(o, s, &times, &stats)) code = failed(s);
    if (!code && trajectory_get(&j, s, times.v, times.n)) code = failed(s);
    if (!code && o->gradient) code = gradient_take(&g, &TOOL, o->gradient, s, &j);
    if (!code && o->output && trajectory_write(&j, o->output, &e)) code = tool_failure(&TOOL, &e);
    lrnde_storage storage = lrnde_storage_of(s);
    if (!code && o->json) show_json(o, s, &j, &stats, &g);
    if (!code && !o->json) show_text(o, s, &j, &stats, &g);
    if (!code) lrnde__storage_note(&storage);
    if (!code && o->plot) code = draw(o, s, &j);
    free(times.v);
    free(j.u);
    gradient_free(&g);
    return code;
}

static int show_local_step(const solve_options *o, lrnde_solver *s)
{
    const lrnde_model_desc *model = lrnde_model(s);
    lrnde_local_report r;
    char key[64];
    double *grad = reals(model->n_params);
    int code = lrnde_local(s, o->local_step, isnan(o->h) ? 0 : o->h, &r) ? failed(s) : EXIT_DONE;
    if (!code && model->n_params && tool_get(s, "grad/params", grad, model->n_params)) code = failed(s);
    if (!code && o->json) {
        lrnde__json json;
        lrnde__json_begin(&json, stdout);
        lrnde__json_number(&json, "reg", r.reg);
        lrnde__json_number(&json, "E", r.E);
        for (int32_t i = 0; i < model->regularizer.n_terms; i++) {
            snprintf(key, sizeof key, "reg_%s", model->regularizer.terms[i].name);
            lrnde__json_number(&json, key, r.terms[i]);
        }
        lrnde__json_number(&json, "t", r.t);
        lrnde__json_number(&json, "h", r.h);
        lrnde__json_integer(&json, "nfe_local", r.nfe_local);
        if (o->stats) show_mesh(&json, s);
        json.digits = tool_digits(model);
        lrnde__json_numbers(&json, "grad_params", grad, model->n_params);
        lrnde__json_end(&json);
    } else if (!code) {
        printf("reg %.17g\nE %.17g\n", r.reg, r.E);
        for (int32_t i = 0; i < model->regularizer.n_terms; i++)
            printf("reg_%s %.17g\n", model->regularizer.terms[i].name, r.terms[i]);
        printf("t %.17g\nh %.17g\nnfe_local %lld\n", r.t, r.h, (long long)r.nfe_local);
        show_numbers("grad_params", grad, model->n_params, tool_digits(model));
    }
    free(grad);
    return code;
}

/* A tolerance of zero is one too, and not the model's: so they are set and not options of the solver. */
static int set_tolerance(const solve_options *o, lrnde_solver *s)
{
    double tolerance[2];
    if (lrnde_get(s, "tolerance", tolerance, sizeof tolerance)) return failed(s);
    if (!isnan(o->atol)) tolerance[0] = o->atol;
    if (!isnan(o->rtol)) tolerance[1] = o->rtol;
    return lrnde_set(s, "tolerance", tolerance, sizeof tolerance) ? failed(s) : EXIT_DONE;
}

/* The samples to solve: rows of --input, --u0, or neither; of --trajectories, one of them again and again. */
static int read_samples(const solve_options *o, input_rows *in)
{
    lrnde_error e = {0};
    *in = (input_rows){.rows = 1};
    if (o->input && input_read(in, o->input, &e)) return tool_failure(&TOOL, &e);
    if (o->u0.n) *in = (input_rows){1, o->u0.n, copy_times(o->u0.v, o->u0.n).v};
    if (!many(o)) return EXIT_DONE;
    if (in->rows > 1) return cli_error(&TOOL, "--trajectories: %s has %lld samples, not one", o->input, (long long)in->rows);
    in->rows = o->trajectories;
    if (!in->v) return EXIT_DONE; /* the model's own u0 */
    double *rows = reals(in->rows * in->cols);
    for (int64_t i = 0; i < in->rows; i++) memcpy(rows + i * in->cols, in->v, (size_t)in->cols * sizeof *rows);
    free(in->v);
    in->v = rows;
    return EXIT_DONE;
}

/* Everything the command line says about the solver's arrays. */
static int set_arrays(const solve_options *o, lrnde_solver *s, const input_rows *in)
{
    lrnde_error e = {0};
    if (o->weights && lrnde_load(s, o->weights)) return failed(s);
    if (o->params.n && tool_set(s, "params", o->params.v, o->params.n)) return failed(s);
    if (set_tolerance(o, s)) return EXIT_INPUT;
    return in->v && input_set(in, s, o->input ? o->input : "--u0", &e) ? tool_failure(&TOOL, &e) : EXIT_DONE;
}

static int ends_in(const char *path, const char *a, const char *b)
{
    const char *dot = path ? strrchr(path, '.') : a;
    return dot && (!strcmp(dot, a) || !strcmp(dot, b));
}

static int check(const solve_options *o)
{
    if (o->tspan.n && (o->tspan.n != 2 || o->tspan.v[0] == o->tspan.v[1]))
        return cli_error(&TOOL, "--tspan takes two different numbers: t0,t1");
    if (o->atol < 0 || o->rtol < 0) return cli_error(&TOOL, "--atol and --rtol must not be negative");
    if (!ends_in(o->output, ".csv", ".npy"))
        return cli_error(&TOOL, "--output: '%s' ends neither in .csv nor in .npy", o->output);
    if (!ends_in(o->plot, ".svg", ".png")) return cli_error(&TOOL, "--plot: '%s' ends neither in .svg nor in .png", o->plot);
    if (o->mesh.n == 1) return cli_error(&TOOL, "--mesh takes at least two times");
    if (many(o) && (o->trajectories < 2 || o->trajectories > MOST_TRAJECTORIES))
        return cli_error(&TOOL, "--trajectories takes 2 to %d", MOST_TRAJECTORIES);
    if (o->u0.n && o->input) return cli_error(&TOOL, "--u0 and --input both give initial states");
    int fixed = !isnan(o->h) && isnan(o->local_step);
    if (fixed && o->h <= 0) return cli_error(&TOOL, "--h: the length of fixed steps is positive");
    if (!isnan(o->local_step) && (o->mesh.n || o->saveat.n || o->gradient || o->output || o->plot))
        return cli_error(&TOOL, "--local-step shows that step alone: not with --mesh, --saveat, --gradient, --output or --plot");
    if (many(o) && o->plot) return cli_error(&TOOL, "--plot shows one trajectory: not with --trajectories");
    if (fixed && o->mesh.n) return cli_error(&TOOL, "--mesh and --h both give the steps");
    return EXIT_DONE;
}

/* What the command line must give for this model. */
static int check_model(const solve_options *o, const lrnde_model_desc *model)
{
    if (o->params.n && o->params.n != model->n_params)
        return cli_error(&TOOL, "--params: %lld numbers, %s has %lld", (long long)o->params.n, model->name,
                         (long long)model->n_params);
    if (many(o) && !model->forward->n_noise) return cli_error(&TOOL, "--trajectories: %s is not stochastic", model->name);
    if (!model->u0 && o->u0.n)
        return cli_error(&TOOL, "--u0: %s computes its initial state%s", model->name,
                         model->n_inputs ? " from data; --input gives them" : "");
    if (!model->u0 && model->n_inputs && !o->input)
        return cli_error(&TOOL, "%s computes its initial state from data; --input gives them", model->name);
    if (o->u0.n && o->u0.n != model->state)
        return cli_error(&TOOL, "--u0: %lld numbers, the state of %s has %lld", (long long)o->u0.n, model->name,
                         (long long)model->state);
    if (model->tspan_data && !o->tspan.n && !o->mesh.n)
        return cli_error(&TOOL, "%s is solved over the times of its data; --tspan gives others", model->name);
    return EXIT_DONE;
}

/* Before all others, so that they may add to it: --sensitivity discrete --set sensitivity.store=state. */
static void set_first(option_texts *set, const char *text)
{
    cli_append(set, text);
    memmove(set->v + 1, set->v, (size_t)(set->n - 1) * sizeof *set->v);
    set->v[0] = text;
}

static int run(solve_options *o)
{
    const lrnde_model_desc *model;
    build_request request = {.model_file = o->operands.v[0], .method = o->method, .device = o->device};
    lrnde_options options = TOOL_SOLVER_OPTIONS(o);
    lrnde_solver *s = NULL;
    input_rows in = {.rows = 1};
    lrnde_error e = {0};
    char *sensitivity = o->sensitivity ? lrnde__format("sensitivity=%s", o->sensitivity) : NULL;
    int code = check(o);
    if (sensitivity) set_first(&o->set, sensitivity);
    request.set = o->set;
    if (!code) code = build_model(&request, &TOOL, &model);
    if (!code) code = check_model(o, model);
    if (!code) code = read_samples(o, &in);
    if (!code) {
        options.batch = (int32_t)in.rows;
        const int differentiated = o->gradient || !isnan(o->local_step);
        options.training = differentiated || o->plot;
        if (!isnan(o->h) && isnan(o->local_step)) options.h = o->h;
        if (o->tspan.n) options.t0 = o->tspan.v[0], options.t1 = o->tspan.v[1];
        if (differentiated && in.rows > 1) code = cli_error(&TOOL, "--gradient and --local-step take one sample");
    }
    tool_catch_interrupt();
    if (!code && lrnde_create(&s, model, &options, &e)) code = tool_failure(&TOOL, &e);
    if (s) tool_introduce(&TOOL, s);
    if (!code) code = set_arrays(o, s, &in);
    if (!code) code = isnan(o->local_step) ? show_trajectory(o, s) : show_local_step(o, s);
    lrnde_destroy(s);
    free(in.v);
    free(sensitivity);
    return code;
}

int main(int argc, char **argv)
{
    solve_options options;
    tool_wait_briefly(argv);
    int code = cli_parse(&TOOL, &options, argc, argv);
    if (code != OPTIONS_RUN) return code;
    code = run(&options);
    cli_free(&TOOL, &options);
    return code;
}
