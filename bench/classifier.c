/* classifier.c - see classifier.h. */
#include "classifier.h"
#include "cli/bench.h"
#include "cli/tool.h"
#include "io/rng.h"

#include <stdlib.h>

void bench_classifier_see(lrnde_solver *s, int32_t batch)
{
    enum { PIXELS = 784 };
    int64_t n = (int64_t)batch * PIXELS;
    double *pixels = malloc((size_t)n * sizeof *pixels);
    int32_t *labels = malloc((size_t)batch * sizeof *labels);
    if (!pixels || !labels) abort();
    for (int64_t i = 0; i < n; i++) pixels[i] = (float)lrnde__uniform(0, LRNDE__STREAM_INIT, 0, (uint64_t)i);
    for (int i = 0; i < batch; i++) labels[i] = i % BENCH_CLASSES;
    tool_set(s, "x", pixels, n);
    lrnde_set(s, "label", labels, (size_t)batch * sizeof *labels);
    free(pixels);
    free(labels);
}

int bench_classifier(lrnde_solver **s, const lrnde_model_desc *model, int32_t batch, int threads, int training)
{
    lrnde_options options = {.size = sizeof options, .device = "cpu"};
    lrnde_error error;
    options.threads = threads;
    options.batch = batch;
    options.training = training;
    int code = lrnde_create(s, model, &options, &error) ? cli_error(&lrnde_bench_tool, "%s", error.text) : EXIT_DONE;
    if (!code) bench_classifier_see(*s, batch);
    return code;
}
