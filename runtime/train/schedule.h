/*
 * schedule.h - values that change over a training run: the learning rate, the coefficient of a regularizer.
 *
 * Steps count from 1 to `steps`, the length the model declares; a run that stops earlier follows the same curve.
 *   constant     a
 *   exponential  a exp(-k step), k = log(a/b) / steps: b at the last step, a one step before the first
 *   linear       a + (b - a) step / steps
 *   cosine       b + (a - b) (1 + cos(pi (step - 1) / steps)) / 2: a at the first step
 *   inverse      a / (1 + b step)
 */
#ifndef LRNDE_TRAIN_SCHEDULE_H
#define LRNDE_TRAIN_SCHEDULE_H

#include "kernel.h"

double lrnde__schedule_at(const lrnde_schedule *s, int64_t step, int64_t steps);

#endif
