/* classifier.h - solvers of the shipped classifiers of images, models/mnist_node.lua and fashion_node.lua, that see noise. */
#ifndef LRNDE_BENCH_CLASSIFIER_H
#define LRNDE_BENCH_CLASSIFIER_H

#include "lrnde.h"

enum { BENCH_BATCH = 512, BENCH_CLASSES = 10 };

/* Images, always the same, in the model's precision those of single precision, and labels. */
void bench_classifier_see(lrnde_solver *s, int32_t batch);

/* On the CPU, the parameters as the solver drew them.  threads 0: all.  Returns an exit code. */
int bench_classifier(lrnde_solver **s, const lrnde_model_desc *model, int32_t batch, int threads, int training);

#endif
