/* test_io.c - random numbers, JSON lines, safetensors, weights, NPY, plots. */
#include "cases.h"

#include "io/file.h"
#include "io/jsonl.h"
#include "io/npy.h"
#include "io/plot.h"
#include "io/normal.h"
#include "io/rng.h"
#include "io/weights.h"

#include <float.h>
#include <math.h>

/* ---- random numbers ---- */

/* The philox4x32-10 lines of Random123's published known answers. */
static void test_philox(void **state)
{
    (void)state;
    static const uint32_t known[][10] = {
        {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
        {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
        {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const uint32_t *k = known[i];
        philox4x32_ctr_t r = lrnde__random((uint64_t)k[5] << 32 | k[4], (lrnde__stream)k[3], k[2], (uint64_t)k[1] << 32 | k[0]);
        assert_memory_equal(r.v, k + 6, 4 * sizeof *k);
    }
}

static void test_uniform(void **state)
{
    (void)state;
    enum { N = 20000 };
    double sum = 0, squares = 0;
    for (uint64_t i = 0; i < N; i++) {
        double x = lrnde__uniform(7, LRNDE__STREAM_INIT, 3, i);
        assert_true(x >= 0 && x < 1);
        sum += x;
        squares += x * x;
    }
    /* five standard deviations of the mean of x and of x^2 */
    assert_true(fabs(sum / N - 0.5) < 5 * sqrt(1.0 / 12 / N));
    assert_true(fabs(squares / N - 1.0 / 3) < 5 * sqrt(4.0 / 45 / N));
    assert_true(lrnde__uniform(7, LRNDE__STREAM_INIT, 3, 0) != lrnde__uniform(8, LRNDE__STREAM_INIT, 3, 0));
    assert_true(lrnde__uniform(7, LRNDE__STREAM_INIT, 3, 0) != lrnde__uniform(7, LRNDE__STREAM_INIT, 4, 0));
}

/* ln and the circle against long double, in units of the last place (of 1 for the circle); the ends of their ranges too. */
static void test_normal(void **state)
{
    (void)state;
    enum { N = 200000 };
    double squares = 0, product = 0;
    for (int64_t i = 0; i < N; i++) {
        double u = lrnde__uniform(1, LRNDE__STREAM_NOISE, 0, (uint64_t)i),
               v = 1 - lrnde__uniform(1, LRNDE__STREAM_NOISE, 1, (uint64_t)i);
        double cosine, sine, w, z;
        lrnde__normal(u, v, &w, &z);
        squares += w * w + z * z, product += w * z;
        if (i <= 53) v = ldexp(1, -(int)i);
        if (i > 53 && i < 70) v = 1 - ldexp((double)(i - 53), -53);
        if (i < 64) u = (double)i / 64;
        long double angle = 2 * acosl(-1) * u, ln = logl(v);
        lrnde__circle(u, &cosine, &sine);
        assert_true(fabsl(cosine - cosl(angle)) < 2 * 0x1p-53 && fabsl(sine - sinl(angle)) < 2 * 0x1p-53);
        assert_true(fabsl(lrnde__ln(v) - ln) <= 2 * DBL_EPSILON * fabsl(ln));
    }
    assert_true(fabs(squares / (2 * N) - 1) < 5 * sqrt(2.0 / (2 * N)));
    assert_true(fabs(product / N) < 5 * sqrt(1.0 / N));
}

static void test_permutation(void **state)
{
    (void)state;
    enum { N = 1000 };
    int64_t order[N];
    int seen[N] = {0}, fixed = 0;
    lrnde__permutation(1, LRNDE__STREAM_SHUFFLE, 0, N, order);
    for (int i = 0; i < N; i++) {
        seen[order[i]]++;
        fixed += order[i] == i;
    }
    for (int i = 0; i < N; i++) assert_int_equal(seen[i], 1);
    assert_true(fixed < 10);
}

/* ---- JSON lines ---- */

static void test_json(void **state)
{
    (void)state;
    char *text;
    size_t size;
    lrnde__json j;
    FILE *to = open_memstream(&text, &size);
    lrnde__json_begin(&j, to);
    lrnde__json_string(&j, "a\"b", "line\n\\");
    lrnde__json_number(&j, "x", 0.1);
    lrnde__json_number(&j, "nan", NAN);
    lrnde__json_integer(&j, "n", -3);
    lrnde__json_matrix(&j, "m", (double[]){1, 2, 3, INFINITY}, 2, 2);
    lrnde__json_numbers(&j, "none", NULL, 0);
    lrnde__json_end(&j);
    fclose(to);
    assert_string_equal(text, "{\"a\\\"b\":\"line\\u000a\\\\\",\"x\":0.10000000000000001,\"nan\":null,\"n\":-3,"
                              "\"m\":[[1,2],[3,null]],\"none\":[]}\n");
    free(text);
}

/* ---- safetensors ---- */

/* A layer with time: weight (2, 2) and its time column are one tensor (2, 3). */
static const lrnde_param_desc LEAVES[] = {
    {.name = "weight", .offset = 0, .rows = 2, .cols = 2, .key = "weight", .key_col = 0, .key_cols = 3, .key_rank = 2},
    {.name = "time", .offset = 4, .rows = 2, .cols = 1, .key = "weight", .key_col = 2, .key_cols = 3, .key_rank = 2},
    {.name = "bias", .offset = 6, .rows = 1, .cols = 2, .key = "bias", .key_col = 0, .key_cols = 2, .key_rank = 1},
};
static const lrnde_model_desc TOY = {.name = "toy", .real_bytes = 8, .n_params = 8, .n_param_leaves = 3, .param_leaves = LEAVES};
static const double PARAMS[8] = {1, 2, 3, 4, 5, 6, 7, 8};

static void write_toy(const char *path)
{
    lrnde__tensors f = {0};
    lrnde_error e;
    assert_int_equal(lrnde__weights_add(&f, &TOY, "", PARAMS, &e), LRNDE_OK);
    assert_int_equal(lrnde__weights_add(&f, &TOY, "optimizer/0/", PARAMS, &e), LRNDE_OK);
    assert_int_equal(lrnde__tensors_add_string(&f, "step", "12", &e), LRNDE_OK);
    assert_int_equal(lrnde__tensors_write(&f, path, &e), LRNDE_OK);
    lrnde__tensors_free(&f);
}

static void test_weights(void **state)
{
    (void)state;
    const char *path = scratch_file("toy.safetensors");
    lrnde__tensors f;
    lrnde_error e;
    double params[8] = {0};
    float single[8] = {0};
    write_toy(path);
    assert_int_equal(lrnde__tensors_read(&f, path, &e), LRNDE_OK);

    const lrnde__tensor *weight = lrnde__tensors_find(&f, "weight");
    static const double merged[] = {1, 2, 5, 3, 4, 6};
    assert_int_equal(weight->rank, 2);
    assert_int_equal(weight->shape[1], 3);
    assert_memory_equal(weight->data, merged, sizeof merged);
    assert_string_equal(lrnde__tensors_string(&f, "step"), "12");
    assert_null(lrnde__tensors_string(&f, "seed"));

    assert_int_equal(lrnde__weights_extract(&f, path, &TOY, "optimizer/0/", params, &e), LRNDE_OK);
    assert_memory_equal(params, PARAMS, sizeof PARAMS);
    lrnde_model_desc f32 = TOY;
    f32.real_bytes = 4;
    assert_int_equal(lrnde__weights_extract(&f, path, &f32, "", single, &e), LRNDE_OK);
    for (int i = 0; i < 8; i++) assert_true(single[i] == (float)PARAMS[i]);
    lrnde__tensors_free(&f);
}

/* Whatever the number of bytes that are left of a file: an error, and no access outside of it. */
static void test_truncated(void **state)
{
    (void)state;
    char bytes[4096];
    lrnde__tensors f;
    lrnde_error e;
    write_toy(scratch_file("whole.safetensors"));
    FILE *from = fopen(scratch_file("whole.safetensors"), "rb");
    size_t size = fread(bytes, 1, sizeof bytes, from);
    fclose(from);
    for (size_t n = 0; n < size; n++) {
        const char *path = write_scratch("part.safetensors", bytes, n);
        assert_int_equal(lrnde__tensors_read(&f, path, &e), LRNDE_ERR_FILE);
        assert_contains(e.text, n > 8 ? "truncated" : "not a safetensors file");
        lrnde__tensors_free(&f);
    }
}

/* The case is a header; 64 bytes of data follow it. */
static void checkpoint_case(const test_case *c)
{
    char bytes[sizeof c->content + 72] = {0};
    uint64_t length = c->size;
    lrnde__tensors f;
    lrnde_error e;
    double params[8];
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, c->content, c->size);
    const char *path = write_scratch("case.safetensors", bytes, c->size + 72);
    lrnde_status status = lrnde__tensors_read(&f, path, &e);
    if (!status) status = lrnde__weights_extract(&f, path, &TOY, "", params, &e);
    assert_int_equal(status, LRNDE_ERR_FILE);
    assert_contains(e.text, "case.safetensors: ");
    assert_contains(e.text, c->expect);
    lrnde__tensors_free(&f);
}

static void test_checkpoint_errors(void **state)
{
    (void)state;
    each_case("checkpoint", checkpoint_case);
}

/* A file that cannot be written leaves nothing behind, and the old one as it was. */
static void test_atomic(void **state)
{
    (void)state;
    lrnde__output o;
    lrnde_error e;
    char *text;
    size_t size;
    const char *path = write_scratch("kept", "old", 3);
    assert_int_equal(lrnde__output_open(&o, path, &e), LRNDE_OK);
    fputs("new", o.to);
    fflush(o.to);
    assert_int_equal(lrnde__file_read(path, &text, &size, &e), LRNDE_OK);
    assert_string_equal(text, "old");
    free(text);
    assert_int_equal(lrnde__output_close(&o, &e), LRNDE_OK);
    assert_int_equal(lrnde__file_read(path, &text, &size, &e), LRNDE_OK);
    assert_string_equal(text, "new");
    free(text);
    assert_int_equal(lrnde__output_open(&o, "/nonexistent/file", &e), LRNDE_ERR_FILE);
    assert_contains(e.text, "/nonexistent/file: cannot be written: No such file");
}

/* ---- NPY, plots ---- */

static void test_npy(void **state)
{
    (void)state;
    const char *path = scratch_file("array.npy");
    double v[] = {1, -2.5, 3e300, 4, 5, 6};
    lrnde__npy a = {.rank = 2, .shape = {3, 2}, .v = v}, b;
    lrnde_error e;
    assert_int_equal(lrnde__npy_write(&a, path, &e), LRNDE_OK);
    assert_int_equal(lrnde__npy_read(&b, path, &e), LRNDE_OK);
    assert_int_equal(b.rank, 2);
    assert_int_equal(b.shape[0], 3);
    assert_memory_equal(b.v, v, sizeof v);
    free(b.v);
    write_scratch("array.npy", "not it", 6);
    assert_int_equal(lrnde__npy_read(&b, path, &e), LRNDE_ERR_FILE);
    assert_contains(e.text, "not a .npy file");
}

static void test_plot(void **state)
{
    (void)state;
    double x[] = {0, 1, 2}, y[] = {1, NAN, 3};
    lrnde__curve curve = {.title = "it's", .n = 3, .x = x, .y = y, .stride = 1};
    lrnde_error e;
    char *text, *path = getenv("PATH");
    size_t size;
    char *saved = strdup(path);
    assert_int_equal(lrnde__plot(scratch_file("plot.svg"), "a title", "t", &curve, 1, &e), LRNDE_OK);
    assert_int_equal(lrnde__file_read(scratch_file("plot.svg"), &text, &size, &e), LRNDE_OK);
    assert_contains(text, "<svg");
    free(text);
    setenv("PATH", "/nonexistent", 1);
    assert_int_equal(lrnde__plot(scratch_file("plot.svg"), "a title", "t", &curve, 1, &e), LRNDE_ERR_FILE);
    assert_contains(e.text, "gnuplot is not installed");
    setenv("PATH", saved, 1);
    free(saved);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_philox),      cmocka_unit_test(test_uniform), cmocka_unit_test(test_normal),
        cmocka_unit_test(test_permutation), cmocka_unit_test(test_json),    cmocka_unit_test(test_weights),
        cmocka_unit_test(test_truncated),   cmocka_unit_test(test_atomic),  cmocka_unit_test(test_checkpoint_errors),
        cmocka_unit_test(test_npy),         cmocka_unit_test(test_plot),
    };
    return cmocka_run_group_tests(tests, NULL, remove_scratch);
}
