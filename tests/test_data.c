/* test_data.c - data sets: the readers, the search path, and what they say about bad files. */
#include "cases.h"

#include "io/data.h"

#include <zlib.h>

/* Named here so that the archive's linker brings them along. */
extern const lrnde__reader lrnde__reader_idx, lrnde__reader_csv;
const lrnde__reader *const readers[] = {&lrnde__reader_idx, &lrnde__reader_csv};

/* ---- IDX: 2 training images of 2 x 2 pixels, 1 test image ---- */

static const unsigned char TRAIN_IMAGES[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 0, 51, 102, 153, 204, 255, 0, 1};
static const unsigned char TEST_IMAGES[] = {0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 255, 0, 0, 255};
static const unsigned char TRAIN_LABELS[] = {0, 0, 8, 1, 0, 0, 0, 2, 2, 0};
static const unsigned char TEST_LABELS[] = {0, 0, 8, 1, 0, 0, 0, 1, 1};

static const lrnde_option_desc IDX_OPTIONS[] = {{"1", "toy"}, {"x", "images"}, {"label", "labels"}};
static const lrnde_input_desc IDX_INPUTS[] = {{.name = "x", .size = 4}, {.name = "label", .size = 1, .label = 1, .classes = 3}};

static lrnde_model_desc idx_model(void)
{
    return (lrnde_model_desc){
        .name = "toy", .real_bytes = 4, .n_inputs = 2, .inputs = IDX_INPUTS, .data = {"idx", 3, IDX_OPTIONS}};
}

static void write_gz(const char *name, const void *bytes, unsigned n)
{
    gzFile to = gzopen(scratch_file(name), "wb");
    assert_int_equal(gzwrite(to, bytes, n), n);
    gzclose(to);
}

static void write_idx(void)
{
    write_gz("train-images-idx3-ubyte.gz", TRAIN_IMAGES, sizeof TRAIN_IMAGES);
    write_scratch("train-labels-idx1-ubyte", TRAIN_LABELS, sizeof TRAIN_LABELS);
    write_scratch("t10k-images-idx3-ubyte", TEST_IMAGES, sizeof TEST_IMAGES);
    write_gz("t10k-labels-idx1-ubyte.gz", TEST_LABELS, sizeof TEST_LABELS);
}

static void test_idx(void **state)
{
    (void)state;
    lrnde_model_desc model = idx_model();
    lrnde__places places = {.folder = scratch_folder()};
    lrnde__data data;
    lrnde_error e;
    float x[8];
    int32_t label[2];
    write_idx();
    assert_int_equal(lrnde__data_read(&data, &model, &places, &e), LRNDE_OK);
    assert_int_equal(data.train, 2);
    assert_int_equal(data.test, 1);
    lrnde__data_gather(&data, 0, (int64_t[]){2, 0}, 2, x);
    lrnde__data_gather(&data, 1, (int64_t[]){2, 0}, 2, label);
    for (int i = 0; i < 4; i++) assert_float_equal(x[i], TEST_IMAGES[16 + i] / 255.0, 1e-7);
    for (int i = 0; i < 4; i++) assert_float_equal(x[4 + i], TRAIN_IMAGES[16 + i] / 255.0, 1e-7);
    assert_int_equal(label[0], 1);
    assert_int_equal(label[1], 2);
    lrnde__data_free(&data);
}

static void idx_fails(lrnde_model_desc model, const char *expect)
{
    lrnde__places places = {.folder = scratch_folder()};
    lrnde__data data;
    lrnde_error e;
    assert_int_not_equal(lrnde__data_read(&data, &model, &places, &e), LRNDE_OK);
    assert_contains(e.text, expect);
    lrnde__data_free(&data);
    write_idx();
}

static void test_idx_errors(void **state)
{
    (void)state;
    lrnde_model_desc model = idx_model();
    char gz[256];
    unsigned char bad[32];
    write_idx();

    FILE *from = fopen(scratch_file("train-images-idx3-ubyte.gz"), "rb");
    size_t n = fread(gz, 1, sizeof gz, from);
    fclose(from);
    write_scratch("train-images-idx3-ubyte.gz", gz, n - 10);
    idx_fails(model, "train-images-idx3-ubyte.gz: the gzip file is truncated");

    write_scratch("t10k-images-idx3-ubyte", TEST_IMAGES, sizeof TEST_IMAGES - 1);
    idx_fails(model, "t10k-images-idx3-ubyte: truncated: 3 bytes of data where its header says 1 x 4");
    write_scratch("t10k-images-idx3-ubyte", TEST_IMAGES, 6);
    idx_fails(model, "t10k-images-idx3-ubyte: truncated inside its header");
    write_scratch("t10k-images-idx3-ubyte", TEST_LABELS, sizeof TEST_LABELS);
    idx_fails(model, "the magic number is 0x00000801, not 0x00000803");

    memcpy(bad, TRAIN_LABELS, sizeof TRAIN_LABELS);
    bad[9] = 7;
    write_scratch("train-labels-idx1-ubyte", bad, sizeof TRAIN_LABELS);
    idx_fails(model, "label 7 of training sample 1 is outside 0..2");
    bad[7] = 1;
    write_scratch("train-labels-idx1-ubyte", bad, sizeof TRAIN_LABELS - 1);
    idx_fails(model, "train-labels-idx1-ubyte: 1 samples where");

    unlink(scratch_file("train-labels-idx1-ubyte"));
    idx_fails(model, "train-labels-idx1-ubyte[.gz]: no such data file; searched /tmp/");

    lrnde_input_desc larger[] = {{.name = "x", .size = 9}, IDX_INPUTS[1]};
    model.inputs = larger;
    idx_fails(model, "4 numbers a sample for input 'x' of the model, which has 9");
    lrnde_input_desc unknown[] = {{.name = "z", .size = 4}, IDX_INPUTS[1]};
    model.inputs = unknown;
    idx_fails(model, "L.idx needs the option 'z'");
    model.data.reader = "idy";
    idx_fails(model, "no data reader 'idy'; the nearest is 'idx'");
}

static void test_search_path(void **state)
{
    (void)state;
    lrnde__places places = {0};
    lrnde_error e;
    char *path;
    setenv("LRNDE_DATA", "/nonexistent", 1);
    assert_int_equal(lrnde__data_find(&places, "no-such-set", "file", 1, &path, &e), LRNDE_ERR_FILE);
    assert_contains(e.text, "searched /nonexistent/no-such-set, data/no-such-set, /usr/share/datasets/no-such-set");
    setenv("LRNDE_DATA", scratch_folder(), 1);
    write_scratch("here.csv", "a\n1\n", 4);
    assert_int_equal(lrnde__data_find(&places, NULL, "here.csv", 1, &path, &e), LRNDE_OK);
    assert_string_equal(path, scratch_file("here.csv"));
    free(path);
    unsetenv("LRNDE_DATA");
    places.beside = scratch_folder();
    assert_int_equal(lrnde__data_find(&places, NULL, "here.csv", 1, &path, &e), LRNDE_OK);
    free(path);
}

/* ---- CSV ---- */

static const lrnde_option_desc CSV_OPTIONS[] = {{"1", "case.csv"},   {"id", "run"},         {"t", "t"},
                                                {"series.u", "x,y"}, {"context.c", "feed"}, {"label", "class"},
                                                {"split.test", "0"}};
static const lrnde_input_desc CSV_INPUTS[] = {
    {.name = "u", .size = 2, .series = 1}, {.name = "c", .size = 1}, {.name = "label", .size = 1, .label = 1, .classes = 3}};

static lrnde_model_desc csv_model(void)
{
    return (lrnde_model_desc){
        .name = "toy", .real_bytes = 8, .n_inputs = 3, .inputs = CSV_INPUTS, .data = {"csv", 7, CSV_OPTIONS}};
}

static lrnde_status read_csv(const lrnde_model_desc *model, const char *content, size_t size, lrnde__data *data, lrnde_error *e)
{
    lrnde__places places = {.folder = scratch_folder()};
    write_scratch("case.csv", content, size);
    return lrnde__data_read(data, model, &places, e);
}

static void test_csv(void **state)
{
    (void)state;
    static const char content[] =
        "feed,run,t,\"x\",y,class\r\n5,a,0,1,2,2\r\n5,a,0.5,3,4,2\r\n\"6\",b,0,-1,-2,0\r\n6,b,0.5,-3,-4e1,0\r\n";
    lrnde_model_desc model = csv_model();
    lrnde__data data;
    lrnde_error e;
    double u[4], c[2];
    int32_t label[2];
    assert_int_equal(read_csv(&model, content, sizeof content - 1, &data, &e), LRNDE_OK);
    assert_int_equal(data.train, 2);
    assert_int_equal(data.test, 0);
    assert_int_equal(data.n_times, 2);
    assert_true(data.times[0] == 0 && data.times[1] == 0.5);
    lrnde__data_gather(&data, 0, (int64_t[]){1}, 1, u);
    lrnde__data_gather(&data, 1, (int64_t[]){0, 1}, 2, c);
    lrnde__data_gather(&data, 2, (int64_t[]){0, 1}, 2, label);
    assert_true(u[0] == -1 && u[1] == -2 && u[2] == -3 && u[3] == -40);
    assert_true(c[0] == 5 && c[1] == 6);
    assert_true(label[0] == 2 && label[1] == 0);
    lrnde__data_free(&data);
}

/* Every sample is in exactly one split, and the split is the same every time. */
static void test_csv_split(void **state)
{
    (void)state;
    char content[4096] = "x\n";
    lrnde_option_desc options[] = {{"1", "case.csv"}, {"context.c", "x"}, {"split.test", "0.2"}};
    lrnde_input_desc input = {.name = "c", .size = 1};
    lrnde_model_desc model = {.name = "toy", .real_bytes = 8, .n_inputs = 1, .inputs = &input, .data = {"csv", 3, options}};
    lrnde__data data, again;
    lrnde_error e;
    int seen[50] = {0}, moved = 0;
    for (int i = 0; i < 50; i++) snprintf(content + strlen(content), 16, "%d\n", i);
    assert_int_equal(read_csv(&model, content, strlen(content), &data, &e), LRNDE_OK);
    assert_int_equal(read_csv(&model, content, strlen(content), &again, &e), LRNDE_OK);
    assert_int_equal(data.train, 40);
    assert_int_equal(data.test, 10);
    assert_memory_equal(data.fields[0].rows, again.fields[0].rows, 50 * sizeof(double));
    for (int i = 0; i < 50; i++) {
        int value = (int)((double *)data.fields[0].rows)[i];
        seen[value]++;
        moved += value != i;
    }
    for (int i = 0; i < 50; i++) assert_int_equal(seen[i], 1);
    assert_true(moved > 25);
    lrnde__data_free(&data);
    lrnde__data_free(&again);
}

static void csv_case(const test_case *c)
{
    lrnde_model_desc model = csv_model();
    lrnde__data data;
    lrnde_error e;
    assert_int_equal(read_csv(&model, c->content, c->size, &data, &e), LRNDE_ERR_FILE);
    assert_contains(e.text, "case.csv");
    assert_contains(e.text, c->expect);
    lrnde__data_free(&data);
}

static void test_csv_errors(void **state)
{
    (void)state;
    each_case("data", csv_case);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_idx), cmocka_unit_test(test_idx_errors), cmocka_unit_test(test_search_path),
        cmocka_unit_test(test_csv), cmocka_unit_test(test_csv_split),  cmocka_unit_test(test_csv_errors),
    };
    return cmocka_run_group_tests(tests, NULL, remove_scratch);
}
