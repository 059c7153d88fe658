/* test_cli.c - command lines and the expressions of --gradient. */
#include "cases.h"

#include "cli/expression.h"
#include "cli/options.h"

#include <math.h>

/* ---- options ---- */

#define TEST_OPTIONS(OPTION)                                                                                                     \
    OPTION(REALS, u0, "u0", 0, "a,b", "")                                                                                        \
    OPTION(REAL, atol, "atol", 0, "X", "")                                                                                       \
    OPTION(INTEGER, seed, "seed", 's', "N", "")                                                                                  \
    OPTION(TEXT, out, "out", 'o', "DIR", "")                                                                                     \
    OPTION(TEXTS, set, "set", 0, "K=V", "")                                                                                      \
    OPTION(FLAG, json, "json", 0, NULL, "")

typedef struct values {
    TEST_OPTIONS(OPTIONS_STRUCT_FIELD)
    option_texts operands;
} values;

#define OPTIONS_OF values
static const option_desc TABLE[] = {TEST_OPTIONS(OPTIONS_TABLE_ROW)};

static const options_tool TOOL = {
    "tool", "[options] MODEL.lua", "A test.", TABLE, sizeof TABLE / sizeof *TABLE, offsetof(values, operands), 1, 1};

static int parse(values *v, const char *line)
{
    static char copy[256];
    char *argv[32] = {"tool"}, *rest = copy;
    int argc = 1;
    snprintf(copy, sizeof copy, "%s", line);
    while (rest && argc < 32) argv[argc++] = strsep(&rest, " ");
    return cli_parse(&TOOL, v, argc, argv);
}

static void test_options(void **state)
{
    (void)state;
    values v;
    assert_int_equal(parse(&v, "--u0 1,-2.5e3 --atol=1e-8 -s 3 --set a.b=1 m.lua --set c=2 --json"), OPTIONS_RUN);
    assert_true(v.u0.n == 2 && v.u0.v[0] == 1 && v.u0.v[1] == -2500);
    assert_true(v.atol == 1e-8 && v.seed == 3 && v.json);
    assert_null(v.out);
    assert_true(v.set.n == 2);
    assert_string_equal(v.set.v[0], "a.b=1");
    assert_string_equal(v.set.v[1], "c=2");
    assert_string_equal(v.operands.v[0], "m.lua");
    cli_free(&TOOL, &v);

    assert_int_equal(parse(&v, "-- -odd.lua"), OPTIONS_RUN);
    assert_true(v.u0.n == 0 && isnan(v.atol) && v.seed == -1 && !v.json);
    assert_string_equal(v.operands.v[0], "-odd.lua");
    cli_free(&TOOL, &v);
}

/* Runs with stderr in a file and returns what was written there. */
static void option_case(const test_case *c)
{
    values v;
    char line[256], text[512] = "";
    FILE *to = tmpfile();
    int saved = dup(STDERR_FILENO);
    assert_int_equal(sscanf(c->content, "%255[^\n]", line), 1);
    dup2(fileno(to), STDERR_FILENO);
    int code = parse(&v, line);
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(to);
    assert_true(fread(text, 1, sizeof text - 1, to) > 0);
    fclose(to);
    assert_int_equal(code, EXIT_INPUT);
    assert_contains(text, "tool: error: ");
    assert_contains(text, c->expect);
}

static void test_option_errors(void **state)
{
    (void)state;
    each_case("options", option_case);
}

/* ---- expressions ---- */

static const char *const NAMES[] = {"x", "speed_1"};

static double value_of(const char *text, double gradient[2])
{
    const double u[] = {0.7, -1.3};
    const expression_state s = {u, NAMES, 2};
    const char *at;
    double value;
    const char *wrong = expression_evaluate(text, &s, &value, gradient, &at);
    if (wrong) fail_msg("%s: %s at '%s'", text, wrong, at);
    return value;
}

static void test_expression_values(void **state)
{
    (void)state;
    const double a = 0.7, b = -1.3;
    double g[2];
    assert_float_equal(value_of("u[1]+u[2]", g), a + b, 1e-15);
    assert_true(g[0] == 1 && g[1] == 1);
    assert_float_equal(value_of(" 2 * x ^ 2 - speed_1 / 4", g), 2 * a * a - b / 4, 1e-15);
    assert_float_equal(g[0], 4 * a, 1e-15);
    assert_float_equal(g[1], -0.25, 1e-15);
    assert_float_equal(value_of("-x^2", g), -a * a, 1e-15);
    assert_float_equal(value_of("2^3^2", g), 512, 0);
    assert_float_equal(value_of("2^-1", g), 0.5, 0);
    assert_float_equal(value_of("8/4/2-1-1", g), -1, 0);
    assert_float_equal(value_of("1e-3*(x-(1))", g), 1e-3 * (a - 1), 1e-17);
}

/* The derivative against central differences, for every rule at once. */
static void test_expression_gradient(void **state)
{
    (void)state;
    static const char text[] = "(x^2 + 3)^x / (2 - u[2]*x) - (u[2] - 1)^2 + -u[2]^3";
    const double h = 1e-6;
    double u[] = {0.7, -1.3}, g[2], unused[2];
    const char *at;
    const expression_state s = {u, NAMES, 2};
    double value, above, below;
    assert_null(expression_evaluate(text, &s, &value, g, &at));
    for (int i = 0; i < 2; i++) {
        double saved = u[i];
        u[i] = saved + h;
        assert_null(expression_evaluate(text, &s, &above, unused, &at));
        u[i] = saved - h;
        assert_null(expression_evaluate(text, &s, &below, unused, &at));
        u[i] = saved;
        assert_float_equal(g[i], (above - below) / (2 * h), 1e-8);
    }
}

static void test_expression_errors(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expect, *at;
    } cases[] = {
        {"u[3]", "the index is outside the state", "u[3]"},
        {"u[0]", "the index is outside the state", "u[0]"},
        {"u[x]", "expected an index", "x]"},
        {"u[1", "expected ']'", ""},
        {"1 + y", "no component has this name", "y"},
        {"(1", "expected ')'", ""},
        {"1 2", "expected an operator", "2"},
        {"1 +", "expected a number, u[i], a name or '('", ""},
        {"", "expected a number, u[i], a name or '('", ""},
        {"u", "no component has this name", "u"},
    };
    double u[] = {1, 2}, g[2], value;
    const expression_state s = {u, NAMES, 2};
    char deep[2000];
    const char *at;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *wrong = expression_evaluate(cases[i].text, &s, &value, g, &at);
        assert_non_null(wrong);
        assert_string_equal(wrong, cases[i].expect);
        assert_string_equal(at, cases[i].at);
    }
    memset(deep, '(', sizeof deep);
    deep[sizeof deep - 1] = '\0';
    assert_string_equal(expression_evaluate(deep, &s, &value, g, &at), "nested too deeply");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options),           cmocka_unit_test(test_option_errors),
        cmocka_unit_test(test_expression_values), cmocka_unit_test(test_expression_gradient),
        cmocka_unit_test(test_expression_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
