/* fast_math.c - see fast_math.h.  Compiled with -ffast-math (Makefile), which is what makes tanhf a vector function here. */
#include "fast_math.h"

#include <math.h>
#include <stddef.h>

#ifndef __FAST_MATH__
#error "a peer without vectorised functions is no peer"
#endif

void bench_add_bias(float *x, const float *bias, int rows, int cols, int by_column, int activate)
{
    for (int i = 0; i < rows; i++) {
        float *restrict row = x + (size_t)i * (size_t)cols;
        if (by_column && activate)
            for (int j = 0; j < cols; j++) row[j] = tanhf(row[j] + bias[j]);
        else if (by_column)
            for (int j = 0; j < cols; j++) row[j] += bias[j];
        else if (activate)
            for (int j = 0; j < cols; j++) row[j] = tanhf(row[j] + bias[i]);
        else
            for (int j = 0; j < cols; j++) row[j] += bias[i];
    }
}
