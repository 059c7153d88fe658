/* gradient.c - see gradient.h. */
#include "cli/gradient.h"
#include "cli/expression.h"
#include "cli/tool.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double *reals(int64_t n)
{
    double *v = calloc((size_t)n + 1, sizeof *v);
    if (!v) abort();
    return v;
}

/* cot (times, state): zero but at the last save time, where it is the expression's derivative. */
static int cotangent(gradient *g, const options_tool *tool, const char *expression, const trajectory *j, double *cot)
{
    int64_t last = (j->times - 1) * j->state;
    expression_state state = {.u = j->u + last, .names = j->model->state_names, .n = j->state};
    const char *at, *wrong = expression_evaluate(expression, &state, &g->value, cot + last, &at);
    return wrong ? cli_error(tool, "--gradient: %s at '%s'", wrong, at) : EXIT_DONE;
}

static int all_finite(const double *v, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(v[i])) return 0;
    return 1;
}

int gradient_take(gradient *g, const options_tool *tool, const char *expression, lrnde_solver *s, const trajectory *j)
{
    int64_t n = j->times * j->state, n_params = j->model->n_params;
    double *cot = reals(n);
    lrnde_array array;
    lrnde_status status = LRNDE_OK;
    int code = cotangent(g, tool, expression, j, cot);
    if (!code) status = tool_gradient(s, "u", cot, n);
    if (!code && !status) {
        g->params = reals(n_params);
        if (n_params) status = tool_get(s, "grad/params", g->params, n_params);
    }
    if (!code && !status && !lrnde_array_find(s, "grad/u0", &array)) {
        g->u0 = reals(j->state);
        status = tool_get(s, "grad/u0", g->u0, j->state);
    }
    free(cot);
    if (status) return tool_failure(tool, lrnde_last_error(s));
    if (code || (all_finite(g->params, n_params) && all_finite(g->u0, g->u0 ? j->state : 0))) return code;
    return tool_failure(tool, &(lrnde_error){.status = LRNDE_ERR_NOT_FINITE, .sample = -1, .text = "the gradient is not finite"});
}

/* By a data input of one sample; labels have none. */
static void input_json(lrnde_solver *s, const lrnde_input_desc *input, lrnde__json *json)
{
    char name[sizeof((lrnde_array *)0)->name];
    lrnde_array array;
    snprintf(name, sizeof name, "grad/%s", input->name);
    if (lrnde_array_find(s, name, &array)) return;
    double *grad = reals(input->size);
    name[strlen("grad")] = '_';
    if (!tool_get(s, array.name, grad, input->size)) lrnde__json_numbers(json, name, grad, input->size);
    free(grad);
}

void gradient_json(const gradient *g, lrnde_solver *s, lrnde__json *json)
{
    const lrnde_model_desc *model = lrnde_model(s);
    if (g->u0) lrnde__json_numbers(json, "grad_u0", g->u0, model->state);
    lrnde__json_numbers(json, "grad_params", g->params, model->n_params);
    for (int32_t i = 0; i < model->n_inputs; i++) input_json(s, &model->inputs[i], json);
}

void gradient_free(gradient *g)
{
    free(g->u0);
    free(g->params);
    *g = (gradient){0};
}
