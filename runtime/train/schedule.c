/* schedule.c - see schedule.h for the formulas. */
#include "train/schedule.h"

#include <math.h>

double lrnde__schedule_at(const lrnde_schedule *s, int64_t step, int64_t steps)
{
    double position = (double)step / (double)steps;
    switch (s->kind) {
    case LRNDE_CONSTANT: return s->a;
    case LRNDE_EXPONENTIAL: return s->a * exp(-log(s->a / s->b) * position);
    case LRNDE_LINEAR: return s->a + (s->b - s->a) * position;
    case LRNDE_COSINE: return s->b + (s->a - s->b) * (1 + cos(acos(-1) * (double)(step - 1) / (double)steps)) / 2;
    case LRNDE_INVERSE: return s->a / (1 + s->b * (double)step);
    }
    return NAN;
}
