/* classifier.h - solvers of the 784-100-784 classifier, models/mnist_node.lua, that see images of noise. */
#ifndef LRNDE_BENCH_CLASSIFIER_H
#define LRNDE_BENCH_CLASSIFIER_H

#include "lrnde.h"

enum { BENCH_BATCH = 512, BENCH_CLASSES = 10 };

/* The parameters are as the solver drew them, the images always the same.  threads 0: all.  Returns an exit code. */
int bench_classifier(lrnde_solver **s, const lrnde_model_desc *model, int threads, int training);

#endif
