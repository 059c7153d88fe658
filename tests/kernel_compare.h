/*
 * kernel_compare.h - the kernels of a model, launched through a driver on the inputs that `lrnde-gen --eval all` drew, against
 * what that printed: |difference| <= 64 eps sum|terms|, eps of the model's precision.  One thread and two must give the same
 * bits, but for sums over the batch that meet in a parameter gradient.
 */
#ifndef TESTS_KERNEL_COMPARE_H
#define TESTS_KERNEL_COMPARE_H

#include "kernel_launch.h"

#include "cli/build.h"
#include "cli/process.h"

#include <float.h>
#include <jansson.h>

enum { MOST_SETTINGS = 4, MOST_FAILURES = 20 };

static const double ULPS = 64;

/* What is built: a model file, and what overrides it. */
typedef struct variant {
    const char *file, *method; /* method: NULL for the model's */
    const char *settings[MOST_SETTINGS];
} variant;

/* What is compared, for messages, and what came out. */
typedef struct comparison {
    const variant *what;
    const lrnde_driver *driver;
    const char *kernel;
    int batch, copies, threads; /* copies: of each sample that is evaluated, or 0; threads: 0: one, and two */
    double eps, worst;          /* worst: largest |difference| / (eps terms) */
    int failures;
} comparison;

/* ---- comparing ---- */

static inline void report(comparison *c, const char *field, int64_t i, double got, double expected, double ratio)
{
    if (c->failures++ >= MOST_FAILURES) return;
    print_error("%s %s", c->what->file, c->what->method ? c->what->method : "");
    for (int s = 0; s < MOST_SETTINGS && c->what->settings[s]; s++) print_error(" %s", c->what->settings[s]);
    print_error(", batch %d, %d threads: %s: %s[%lld] is %.17g, not %.17g: %.3g eps of its terms\n", c->batch, c->threads,
                c->kernel, field, (long long)i, got, expected, ratio);
}

static inline void compare(comparison *c, const char *field, int64_t i, double got, double expected, double terms)
{
    double difference = fabs(got - expected), ratio = difference > 0 ? difference / (c->eps * terms) : 0;
    if (ratio > c->worst) c->worst = ratio;
    if (!(difference <= ULPS * c->eps * terms)) report(c, field, i, got, expected, ratio);
}

static inline double *numbers(const json_t *list, double added)
{
    double *x = malloc((json_array_size(list) + 1) * sizeof *x);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *number = json_array_get(list, i);
        x[i] = json_is_number(number) ? json_number_value(number) + added : NAN;
    }
    return x;
}

static inline int64_t size_of(const json_t *value)
{
    const json_t *dims = json_object_get(value, "dims");
    int64_t n = 1;
    for (size_t i = 0; i < json_array_size(dims); i++) n *= json_integer_value(json_array_get(dims, i));
    return n;
}

static inline bool is_per_sample(const json_t *value)
{
    return !strcmp(json_string_value(json_object_get(value, "kind")), "sample");
}

/* Per-sample outputs, which must be in every lane, and shared ones. */
static inline void compare_array(comparison *c, launch *l, const char *field, const double *expected, const double *terms)
{
    const launch_array *array = launch_find(l, field, false, 0);
    double *got = launch_fetch(l, array);
    for (int64_t lane = 0; lane < launch_lanes(l, array); lane++) {
        int64_t sample = launch_sample(l, lane);
        for (int64_t i = 0; i < array->size; i++) {
            int64_t at = sample * array->size + i;
            compare(c, field, at, got[lane * array->size + i], expected[at], terms[at]);
        }
    }
    free(got);
}

/* The gradient the workers hold together: that of the leaves in `outputs`, on top of the 1 each worker began with. */
static inline void compare_gradient(comparison *c, launch *l, const json_t *outputs)
{
    const int64_t n = l->kernel->partial;
    void *sum = launch_alloc(l, n, 0);
    l->driver->add(l->device, sum, l->args.partial, l->args.workers, l->args.partial_stride, n);
    double *expected = malloc((size_t)(n + 1) * sizeof *expected), *terms = malloc((size_t)(n + 1) * sizeof *terms);
    for (int64_t i = 0; i < n; i++) expected[i] = terms[i] = l->args.workers;
    const char *field;
    json_t *value;
    json_object_foreach((json_t *)outputs, field, value)
    {
        if (strncmp(field, "grad.", 5)) continue;
        int64_t offset = launch_leaf_offset(l, field + 5);
        double *x = numbers(json_object_get(value, "values"), 0), *t = numbers(json_object_get(value, "terms"), 0);
        assert_true(offset + size_of(value) <= n);
        for (int64_t i = 0; i < size_of(value); i++) expected[offset + i] += x[i], terms[offset + i] += t[i];
        free(x);
        free(t);
    }
    double *got = malloc((size_t)(n + 1) * sizeof *got);
    launch_take(l, sum, got, n);
    for (int64_t i = 0; i < n; i++) compare(c, "grad", i, got[i], expected[i], terms[i]);
    free(expected), free(terms), free(got);
}

static inline void compare_outputs(comparison *c, launch *l, const json_t *outputs)
{
    const char *field;
    json_t *value;
    char base[64];
    json_object_foreach((json_t *)outputs, field, value)
    {
        if (!strncmp(field, "grad.", 5)) continue;
        int index = launch_split(field, base);
        double added = strcmp(base, "cot_constants") ? 0 : 1;
        double *x = numbers(json_object_get(value, "values"), added), *terms = numbers(json_object_get(value, "terms"), added);
        if (!strcmp(base, "sums"))
            compare(c, field, 0, l->total[index], *x, *terms);
        else
            compare_array(c, l, field, x, terms);
        free(x);
        free(terms);
    }
    if (!l->kernel->shared) compare_gradient(c, l, outputs);
}

/* Bits: of per-sample outputs always, of sums where no sum over the batch goes into them. */
static inline void compare_threads(comparison *c, launch *one, launch *two)
{
    for (int i = 0; i < one->n_arrays; i++) {
        const launch_array *a = &one->arrays[i], *b = launch_find(two, a->field, false, 0);
        double *x = launch_fetch(one, a), *y = launch_fetch(two, b);
        for (int64_t at = 0; a->per_sample && at < launch_lanes(one, a) * a->size; at++)
            if (memcmp(&x[at], &y[at], sizeof *x)) report(c, a->field, at, y[at], x[at], INFINITY);
        free(x), free(y);
    }
    if (!one->kernel->shared && memcmp(one->total, two->total, sizeof one->total))
        report(c, "sums", 0, two->total[0], one->total[0], INFINITY);
}

/* ---- launching ---- */

/* The kernel of that name, "adjoint_step" being the adjoint system's step, and its system; NULL: the model lacks it. */
static inline const lrnde_kernel *find_kernel(const lrnde_model_desc *m, const char *name, const lrnde_system_desc **system)
{
    lrnde_named_system systems[LRNDE_MOST_SYSTEMS];
    for (int32_t i = lrnde_systems(m, systems); i-- > 0;) {
        const lrnde_system_desc *s = *system = systems[i].system;
        const size_t prefix = strlen(systems[i].prefix);
        if (strncmp(name, systems[i].prefix, prefix)) continue;
#define LRNDE_X(kernel, doc)                                                                                                     \
    if (s->kernel.name && !strcmp(s->kernel.name, name + prefix)) return &s->kernel;
        LRNDE_SYSTEM_KERNELS(LRNDE_X)
#undef LRNDE_X
    }
    *system = m->forward;
#define LRNDE_X(kernel, doc)                                                                                                     \
    if (m->kernel.name && !strcmp(m->kernel.name, name)) return &m->kernel;
    LRNDE_MODEL_KERNELS(LRNDE_X)
#undef LRNDE_X
    return NULL;
}

static inline int count_kernels(const lrnde_model_desc *m)
{
    int n = 0;
    lrnde_named_system systems[LRNDE_MOST_SYSTEMS];
    for (int32_t i = lrnde_systems(m, systems); i-- > 0;) {
        const lrnde_system_desc *s = systems[i].system;
#define LRNDE_X(name, doc) n += s->name.tile || s->name.shared;
        LRNDE_SYSTEM_KERNELS(LRNDE_X)
#undef LRNDE_X
    }
#define LRNDE_X(name, doc) n += m->name.tile || m->name.shared;
    LRNDE_MODEL_KERNELS(LRNDE_X)
#undef LRNDE_X
    return n;
}

/* The kernel on so many threads, as a line of --eval has it. */
static inline void launch_line(comparison *c, launch *l, const json_t *line, const lrnde_model_desc *m)
{
    const lrnde_system_desc *system;
    const lrnde_kernel *kernel = find_kernel(m, c->kernel, &system);
    const char *field;
    json_t *value;
    if (!kernel) fail_msg("%s: the descriptor has no kernel '%s'", c->what->file, c->kernel);
    launch_begin(l, m, system, kernel, c->driver, c->batch, c->threads);
    if (c->copies) l->copies = c->copies;
    json_object_foreach(json_object_get(line, "inputs"), field, value)
    {
        double *x = numbers(json_object_get(value, "values"), 0);
        launch_set(l, field, is_per_sample(value), size_of(value), x);
        free(x);
    }
    json_object_foreach(json_object_get(line, "outputs"), field, value)
    {
        bool array = strncmp(field, "sums[", 5) && strncmp(field, "grad.", 5);
        if (array) launch_find(l, field, is_per_sample(value), size_of(value));
    }
    launch_run(l);
    compare_outputs(c, l, json_object_get(line, "outputs"));
}

/* One line of --eval: the kernel on one thread and on two, or on as many as there are to be. */
static inline void check_kernel(comparison *c, const lrnde_model_desc *m, const json_t *line)
{
    static launch launches[2];
    const int given = c->threads, n = given ? 1 : 2;
    c->kernel = json_string_value(json_object_get(line, "kernel"));
    for (int i = 0; i < n; i++) {
        if (!given) c->threads = i + 1;
        launch_line(c, &launches[i], line, m);
    }
    c->threads = given;
    if (!given) compare_threads(c, &launches[0], &launches[1]);
    for (int i = 0; i < n; i++) launch_end(&launches[i]);
}

static inline int occurrences(const char *text, const char *word)
{
    int n = 0;
    for (; (text = strstr(text, word)); text += strlen(word)) n++;
    return n;
}

/* device: what is going to run it, NULL: any. */
static inline void build_variant(const variant *v, const char *device, const options_tool *tool, const lrnde_model_desc **m)
{
    build_request request = {
        .model_file = v->file, .method = v->method, .device = device, .set = {.v = (const char **)v->settings}};
    while (request.set.n < MOST_SETTINGS && v->settings[request.set.n]) request.set.n++;
    assert_int_equal(build_model(&request, tool, m), EXIT_DONE);
}

static inline double eps_of(const lrnde_model_desc *m)
{
    return m->real_bytes == sizeof(float) ? FLT_EPSILON : DBL_EPSILON;
}

/* What lrnde-gen says of the variant with these options. */
static inline FILE *open_generator(const variant *v, const char *options)
{
    static char command[4096];
    char *generator = process_find_above("lrnde-gen");
    assert_non_null(generator);
    int n = snprintf(command, sizeof command, "%s %s", generator, options);
    if (v->method) n += snprintf(command + n, sizeof command - (size_t)n, " --method %s", v->method);
    for (int i = 0; i < MOST_SETTINGS && v->settings[i]; i++)
        n += snprintf(command + n, sizeof command - (size_t)n, " --set %s", v->settings[i]);
    snprintf(command + n, sizeof command - (size_t)n, " %s", v->file);
    free(generator);
    FILE *from = popen(command, "r");
    assert_non_null(from);
    return from;
}

static inline FILE *open_eval(const variant *v, int batch, int copies)
{
    char options[96];
    snprintf(options, sizeof options, "--eval all --seed %d --batch %d --copies %d", batch, batch, copies);
    return open_generator(v, options);
}

/* Every kernel of the model, launched with c->batch samples; how many there are. */
static inline int check_batch(comparison *c, const lrnde_model_desc *m)
{
    int kernels = 0;
    const int copies = c->copies ? c->copies : 1;
    FILE *from = open_eval(c->what, c->batch / copies, copies);
    char *text = NULL;
    size_t room = 0;
    for (ssize_t length; (length = getline(&text, &room, from)) > 0; kernels++) {
        json_t *line = json_loadb(text, (size_t)length, 0, NULL);
        assert_non_null(line);
        check_kernel(c, m, line);
        json_decref(line);
    }
    free(text);
    assert_int_equal(pclose(from), 0);
    return kernels;
}

#endif
