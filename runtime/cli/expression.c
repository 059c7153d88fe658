/*
 * expression.c - evaluates an expression by recursive descent over dual numbers.
 *
 * A dual number carries the derivative by one component, the seed; the text is read once for every component, which for a
 * line of text costs less than building a tree would.
 */
#include "cli/expression.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct dual {
    double v, d;
} dual;

typedef struct parser {
    const char *p;
    const expression_state *state;
    int64_t seed;
    int depth;
    const char *error, *error_at; /* the first one */
} parser;

enum { DEEPEST = 200 }; /* nesting, so that no text can exhaust the stack */

static dual sum(parser *s);

static dual fail(parser *s, const char *at, const char *what)
{
    if (!s->error) {
        s->error = what;
        s->error_at = at;
    }
    return (dual){0, 0};
}

static int accept(parser *s, char c)
{
    while (isspace((unsigned char)*s->p)) s->p++;
    if (*s->p != c) return 0;
    s->p++;
    return 1;
}

static dual component(parser *s, int64_t i)
{
    return (dual){s->state->u[i], i == s->seed};
}

static dual indexed(parser *s, const char *start)
{
    char *end;
    long long index = strtoll(s->p, &end, 10);
    if (end == s->p) return fail(s, s->p, "expected an index");
    s->p = end;
    if (!accept(s, ']')) return fail(s, s->p, "expected ']'");
    if (index < 1 || index > s->state->n) return fail(s, start, "the index is outside the state");
    return component(s, index - 1);
}

static dual named(parser *s)
{
    const char *start = s->p;
    while (isalnum((unsigned char)*s->p) || *s->p == '_') s->p++;
    size_t length = (size_t)(s->p - start);
    if (length == 1 && *start == 'u' && accept(s, '[')) return indexed(s, start);
    for (int64_t i = 0; s->state->names && i < s->state->n; i++) {
        const char *name = s->state->names[i];
        if (strlen(name) == length && !strncmp(name, start, length)) return component(s, i);
    }
    return fail(s, start, "no component has this name");
}

static dual atom(parser *s)
{
    if (accept(s, '(')) {
        dual inner = sum(s);
        return accept(s, ')') ? inner : fail(s, s->p, "expected ')'");
    }
    if (isalpha((unsigned char)*s->p) || *s->p == '_') return named(s);
    if (!isdigit((unsigned char)*s->p) && *s->p != '.') return fail(s, s->p, "expected a number, u[i], a name or '('");
    char *end;
    double number = strtod(s->p, &end);
    s->p = end;
    return (dual){number, 0};
}

static dual raise(dual a, dual b)
{
    double v = pow(a.v, b.v);
    double by_base = a.d == 0 ? 0 : b.v * pow(a.v, b.v - 1) * a.d;
    double by_exponent = b.d == 0 ? 0 : v * log(a.v) * b.d;
    return (dual){v, by_base + by_exponent};
}

static dual signed_(parser *s)
{
    if (++s->depth > DEEPEST) return fail(s, s->p, "nested too deeply");
    dual r;
    if (accept(s, '-')) {
        dual a = signed_(s);
        r = (dual){-a.v, -a.d};
    } else if (accept(s, '+')) {
        r = signed_(s);
    } else {
        r = atom(s);
        if (accept(s, '^')) r = raise(r, signed_(s));
    }
    s->depth--;
    return r;
}

static dual product(parser *s)
{
    dual a = signed_(s);
    for (;;) {
        if (accept(s, '*')) {
            dual b = signed_(s);
            a = (dual){a.v * b.v, a.d * b.v + a.v * b.d};
        } else if (accept(s, '/')) {
            dual b = signed_(s);
            a = (dual){a.v / b.v, (a.d - a.v / b.v * b.d) / b.v};
        } else {
            return a;
        }
    }
}

static dual sum(parser *s)
{
    dual a = product(s);
    for (;;) {
        double sign = accept(s, '+') ? 1 : accept(s, '-') ? -1 : 0;
        if (sign == 0) return a;
        dual b = product(s);
        a = (dual){a.v + sign * b.v, a.d + sign * b.d};
    }
}

const char *expression_evaluate(const char *text, const expression_state *state, double *value, double *gradient, const char **at)
{
    for (int64_t i = 0; i < state->n; i++) {
        parser s = {.p = text, .state = state, .seed = i};
        dual r = sum(&s);
        if (!accept(&s, '\0')) fail(&s, s.p, "expected an operator");
        *at = s.error_at;
        if (s.error) return s.error;
        *value = r.v;
        gradient[i] = r.d;
    }
    return NULL;
}
