/*
 * error.c - what a solver says: statuses as text, the one way to fail (every failing function returns what lrnde__fail
 * returns), lines for the log.
 */
#include "solve/solver.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

const char *lrnde_status_text(lrnde_status status)
{
    static const char *const text[] = {
#define LRNDE_X(name, text) text,
        LRNDE_STATUSES(LRNDE_X)
#undef LRNDE_X
    };
    size_t i = (size_t)status;
    return i < sizeof text / sizeof *text ? text[i] : "unknown status";
}

const lrnde_error *lrnde_last_error(const lrnde_solver *s)
{
    return &s->error;
}

static lrnde_status fail(lrnde_solver *s, lrnde_status status, double t, double h, const char *format, va_list values)
{
    s->error = (lrnde_error){.status = status, .t = t, .h = h, .stage = -1, .sample = -1};
    vsnprintf(s->error.text, sizeof s->error.text, format, values);
    return status;
}

lrnde_status lrnde__fail(lrnde_solver *s, lrnde_status status, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    fail(s, status, NAN, NAN, format, values);
    va_end(values);
    return status;
}

lrnde_status lrnde__fail_at(lrnde_solver *s, lrnde_status status, double t, double h, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    fail(s, status, t, h, format, values);
    va_end(values);
    return status;
}

lrnde_status lrnde__wait(lrnde_solver *s)
{
    const char *failure = s->driver->sync(s->device);
    return failure ? lrnde__fail(s, LRNDE_ERR_DEVICE, "%s failed: %s", s->driver->name, failure) : LRNDE_OK;
}

static void tell(const lrnde_solver *s, void (*callback)(void *user, const char *line), const char *format, va_list values)
{
    char line[256];
    if (!callback) return;
    vsnprintf(line, sizeof line, format, values);
    callback(s->options.user, line);
}

void lrnde__log(const lrnde_solver *s, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    tell(s, s->options.log, format, values);
    va_end(values);
}

void lrnde__warn(const lrnde_solver *s, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    tell(s, s->options.warn, format, values);
    va_end(values);
}
