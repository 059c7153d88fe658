/* fast_math.h - elementwise loops as a C programmer gets them from gcc -O3 -ffast-math and the C library's vector functions. */
#ifndef LRNDE_BENCH_FAST_MATH_H
#define LRNDE_BENCH_FAST_MATH_H

/* x (rows, cols): x += bias and, with activate, tanh of it; bias has an entry a row or, with by_column, a column. */
void bench_add_bias(float *x, const float *bias, int rows, int cols, int by_column, int activate);

#endif
