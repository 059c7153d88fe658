/* classifier.c - see classifier.h. */
#include "classifier.h"
#include "cli/bench.h"
#include "rig.h"

int bench_classifier(lrnde_solver **s, const lrnde_model_desc *model, int threads, int training)
{
    enum { PIXELS = 784 };
    static float pixels[BENCH_BATCH * PIXELS];
    int32_t labels[BENCH_BATCH];
    lrnde_options options = {.size = sizeof options, .device = "cpu"};
    lrnde_error error;
    options.threads = threads;
    options.batch = BENCH_BATCH;
    options.training = training;
    if (lrnde_create(s, model, &options, &error)) return cli_error(&lrnde_bench_tool, "%s", error.text);
    bench_random(pixels, sizeof *pixels, BENCH_BATCH * PIXELS, 0, 1);
    for (int i = 0; i < BENCH_BATCH; i++) labels[i] = i % BENCH_CLASSES;
    lrnde_set(*s, "x", pixels, sizeof pixels);
    lrnde_set(*s, "label", labels, sizeof labels);
    return EXIT_DONE;
}
