/*
 * past.c - steps that remember others: a method whose step is made of what came before it, and the one that takes its first
 * steps.
 *
 * What they remember is in the carry, where nobody but the kernels knows it.  Here are only times and lengths of the steps.
 */
#include "solve/solver.h"

const lrnde_system_desc *lrnde__method(const lrnde_system_desc *sys, const lrnde__past *past)
{
    return past->steps < sys->n_start ? sys->start : sys;
}

void lrnde__tell_past(lrnde_args *a, const lrnde__past *past)
{
    a->s.h_1 = past->h[0];
    a->s.h_2 = past->h[1];
}

lrnde__past lrnde__past_after(const lrnde__past *past, double t, double h)
{
    int32_t steps = past->steps < LRNDE_PAST ? past->steps + 1 : LRNDE_PAST;
    return (lrnde__past){.steps = steps, .t = {t, past->t[0]}, .h = {h, past->h[0]}};
}
