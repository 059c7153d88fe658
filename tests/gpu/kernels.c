/*
 * kernels.c - every kernel of every model on the GPU against the reference evaluator: what test_cuda asks of the text in
 * simulation.  make check-gpu runs it.  LRNDE_DEVICE=cpu has the C kernels do it, where there is no GPU.
 */
#include "kernel_compare.h"
#include "registries.h"

extern const lrnde_driver lrnde_driver_c, lrnde_driver_cuda;

static const options_tool TOOL = {.program = "kernels"};

/* A driver whose device, opened once for a model, is there for all launches of its kernels. */
static lrnde_driver driver;
static lrnde_device *opened;

static lrnde_device *open_again(const lrnde_model_desc *model, int32_t ordinal, int32_t threads, char *why, size_t size)
{
    (void)model, (void)ordinal, (void)threads, (void)why, (void)size;
    return opened;
}

static void leave_open(lrnde_device *device)
{
    (void)device;
}

static const lrnde_driver *chosen(void)
{
    const char *given = getenv("LRNDE_DEVICE");
    return given && !strcmp(given, "cpu") ? &lrnde_driver_c : &lrnde_driver_cuda;
}

/* Those of test_cuda that say more than others; the large ones have as many copies of few samples. */
static const struct {
    int batch, copies;
} BATCHES[] = {{1, 1}, {7, 1}, {512, 64}, {513, 57}};

static void check_model(const char *file)
{
    const variant v = {file, NULL, {NULL}};
    const lrnde_model_desc *m;
    char why[256];
    build_variant(&v, NULL, &TOOL, &m);
    driver = *chosen();
    opened = driver.open(m, 0, 2, why, sizeof why);
    if (!opened) fail_msg("%s: %s", file, why);
    void (*close)(lrnde_device *) = driver.close;
    driver.open = open_again, driver.close = leave_open;
    comparison c = {.what = &v, .driver = &driver, .eps = eps_of(m)};
    for (size_t i = 0; i < sizeof BATCHES / sizeof *BATCHES; i++) {
        c.batch = BATCHES[i].batch, c.copies = BATCHES[i].copies;
        assert_int_equal(check_batch(&c, m), count_kernels(m));
    }
    close(opened);
    print_message("           %-28s %-8s %d kernels, worst %.1f eps\n", v.file, m->method, count_kernels(m), c.worst);
    if (c.failures) fail_msg("%s: %d numbers are wrong", v.file, c.failures);
}

static void check_folder(const char *folder)
{
    names models = lua_files(folder);
    for (int i = 0; i < models.n; i++) check_model(models.path[i]);
}

static void shipped_models(void **state)
{
    (void)state;
    check_folder("models");
}

static void test_models(void **state)
{
    (void)state;
    check_folder("tests/models");
}

/* Where no device opens it says why, and passes. */
int main(void)
{
    const variant v = {"models/lotka_volterra.lua", NULL, {NULL}};
    const lrnde_model_desc *m;
    char why[256];
    setenv("CC", "tests/quick_cc.sh", 1);
    build_variant(&v, NULL, &TOOL, &m);
    lrnde_device *device = chosen()->open(m, 0, 1, why, sizeof why);
    if (!device) {
        print_message("skipped: %s\n", why);
        return 0;
    }
    chosen()->close(device);
    const struct CMUnitTest tests[] = {cmocka_unit_test(shipped_models), cmocka_unit_test(test_models)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
