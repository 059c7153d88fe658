/* trajectory.c - see trajectory.h. */
#include "cli/trajectory.h"
#include "cli/tool.h"
#include "io/file.h"
#include "io/npy.h"
#include "io/plot.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_COMPONENTS = 16, T_DIGITS = 17 };

typedef struct component_name {
    char text[32];
} component_name;

static component_name name_of(const trajectory *j, int64_t i)
{
    component_name name;
    if (j->model->state_names)
        snprintf(name.text, sizeof name.text, "%s", j->model->state_names[i]);
    else
        snprintf(name.text, sizeof name.text, "u[%lld]", (long long)i + 1);
    return name;
}

lrnde_status trajectory_get(trajectory *j, lrnde_solver *s, const double *t, int64_t n)
{
    *j = (trajectory){.model = lrnde_model(s), .samples = lrnde_batch(s), .times = n, .state = lrnde_model(s)->state, .t = t};
    j->u = malloc((size_t)(j->samples * n * j->state) * sizeof *j->u);
    if (!j->u) abort();
    return tool_get(s, "u", j->u, j->samples * n * j->state);
}

void trajectory_print(const trajectory *j, FILE *to, const char *separator)
{
    int digits = tool_digits(j->model);
    fprintf(to, "%s%s", j->samples > 1 ? "sample" : "", j->samples > 1 ? separator : "");
    fputs("t", to);
    for (int64_t i = 0; i < j->state; i++) fprintf(to, "%s%s", separator, name_of(j, i).text);
    fputc('\n', to);
    for (int64_t row = 0; row < j->samples * j->times; row++) {
        if (j->samples > 1) fprintf(to, "%lld%s", (long long)(row / j->times), separator);
        fprintf(to, "%.*g", T_DIGITS, j->t[row % j->times]);
        for (int64_t i = 0; i < j->state; i++) fprintf(to, "%s%.*g", separator, digits, j->u[row * j->state + i]);
        fputc('\n', to);
    }
}

void trajectory_json(const trajectory *j, int64_t sample, lrnde__json *json)
{
    lrnde__json_numbers(json, "t", j->t, j->times);
    json->digits = tool_digits(j->model);
    lrnde__json_matrix(json, "u", j->u + sample * j->times * j->state, j->times, j->state);
}

/* Of the samples, (times, state) each. */
typedef struct moments {
    double *mean, *variance;
} moments;

/* One pass, without cancellation (Welford). */
static moments moments_of(const trajectory *j)
{
    int64_t n = j->times * j->state;
    moments m = {calloc((size_t)n, sizeof *m.mean), calloc((size_t)n, sizeof *m.variance)};
    if (!m.mean || !m.variance) abort();
    for (int64_t sample = 0; sample < j->samples; sample++)
        for (int64_t i = 0; i < n; i++) {
            double off = j->u[sample * n + i] - m.mean[i];
            m.mean[i] += off / (double)(sample + 1);
            m.variance[i] += off * (j->u[sample * n + i] - m.mean[i]);
        }
    for (int64_t i = 0; i < n; i++) m.variance[i] /= (double)(j->samples - 1);
    return m;
}

static void free_moments(moments *m)
{
    free(m->mean);
    free(m->variance);
}

void trajectory_print_moments(const trajectory *j, FILE *to)
{
    int digits = tool_digits(j->model);
    moments m = moments_of(j);
    fputs("t", to);
    for (int64_t i = 0; i < j->state; i++) fprintf(to, " mean(%s) var(%s)", name_of(j, i).text, name_of(j, i).text);
    fputc('\n', to);
    for (int64_t time = 0; time < j->times; time++) {
        fprintf(to, "%.*g", T_DIGITS, j->t[time]);
        for (int64_t i = time * j->state; i < (time + 1) * j->state; i++)
            fprintf(to, " %.*g %.*g", digits, m.mean[i], digits, m.variance[i]);
        fputc('\n', to);
    }
    free_moments(&m);
}

void trajectory_json_moments(const trajectory *j, lrnde__json *json)
{
    moments m = moments_of(j);
    lrnde__json_numbers(json, "t", j->t, j->times);
    lrnde__json_matrix(json, "mean", m.mean, j->times, j->state);
    lrnde__json_matrix(json, "variance", m.variance, j->times, j->state);
    free_moments(&m);
}

lrnde_status trajectory_write(const trajectory *j, const char *path, lrnde_error *e)
{
    const char *dot = strrchr(path, '.');
    if (dot && !strcmp(dot, ".npy")) {
        lrnde__npy all = {.rank = 3, .shape = {j->samples, j->times, j->state}, .v = j->u};
        lrnde__npy one = {.rank = 2, .shape = {j->times, j->state}, .v = j->u};
        return lrnde__npy_write(j->samples > 1 ? &all : &one, path, e);
    }
    lrnde__output o;
    if (lrnde__output_open(&o, path, e)) return e->status;
    trajectory_print(j, o.to, ",");
    return lrnde__output_close(&o, e);
}

static lrnde__curve curve(const trajectory *j, int64_t i, const char *title, const char *style)
{
    return (lrnde__curve){.title = title, .n = j->times, .x = j->t, .y = j->u + i, .stride = j->state, .style = style};
}

lrnde_status trajectory_plot(const trajectory *j, const trajectory *marks, const char *path, lrnde_error *e)
{
    lrnde__curve curves[2 * MOST_COMPONENTS];
    component_name names[MOST_COMPONENTS];
    char lines[MOST_COMPONENTS][32], points[MOST_COMPONENTS][64];
    int32_t n = (int32_t)(j->state < MOST_COMPONENTS ? j->state : MOST_COMPONENTS);
    for (int32_t i = 0; i < n; i++) {
        names[i] = name_of(j, i);
        snprintf(lines[i], sizeof lines[i], "lines linetype %d", (int)i + 1);
        snprintf(points[i], sizeof points[i], "points linetype %d pointtype 7 pointsize 0.4", (int)i + 1);
        curves[i] = curve(j, i, names[i].text, lines[i]);
        curves[n + i] = curve(marks, i, i ? "" : "ends of steps", points[i]);
    }
    return lrnde__plot(path, j->model->name, "t", curves, marks->times ? 2 * n : n, e);
}
