/*
 * test_nvrtc.c - every model's CUDA text compiles for real GPUs, of three generations, into the resources it was planned for:
 * registers, without spills while there are any left, and the shared memory that every device has.  It needs NVRTC but no GPU;
 * where there is no NVRTC it says so and skips.
 */
#include "kernel_compare.h"
#include "registries.h"

#include <dlfcn.h>
#include <time.h>
#include <unistd.h>

enum {
    MOST_REGISTERS = 255,    /* of a thread, */
    REGISTERS = 65536,       /* and of a multiprocessor */
    MOST_SHARED = 226 << 10, /* bytes that a block may have: the system takes one of 227 KiB */
    MOST_ENTRIES = 128,
    MOST_SPILLED = 1280, /* bytes of a thread: dop853 in f64, transposed with its dense output, needs more than there are */
    SPILLED_SHARE = 4    /* or a quarter of what a thread has in arrays: 28 equations of so many stages have kilobytes of them */
};

static const options_tool TOOL = {.program = "test_nvrtc"};
static const int ARCHITECTURES[] = {80, 90, 100};

/* ---- NVRTC: what is used of it, declared here, for its header need not be installed ---- */

#define NVRTC_FUNCTIONS(X)                                                                                                       \
    X(int, nvrtcVersion, (int *major, int *minor))                                                                               \
    X(int, nvrtcGetNumSupportedArchs, (int *n))                                                                                  \
    X(int, nvrtcGetSupportedArchs, (int *list))                                                                                  \
    X(int, nvrtcCreateProgram,                                                                                                   \
      (void **program, const char *text, const char *name, int n, const char *const *headers, const char *const *names))         \
    X(int, nvrtcCompileProgram, (void *program, int n, const char *const *options))                                              \
    X(int, nvrtcGetProgramLogSize, (void *program, size_t *size))                                                                \
    X(int, nvrtcGetProgramLog, (void *program, char *log))                                                                       \
    X(int, nvrtcGetCUBINSize, (void *program, size_t *size))                                                                     \
    X(int, nvrtcDestroyProgram, (void **program))

#define X(type, name, arguments) static type(*name) arguments;
NVRTC_FUNCTIONS(X)
#undef X

static bool have_nvrtc(void)
{
    static const char *const names[] = {"libnvrtc.so.13",
                                        "libnvrtc.so.12",
                                        "libnvrtc.so.11.2",
                                        "libnvrtc.so",
                                        "/usr/local/cuda/lib64/libnvrtc.so",
                                        "/usr/local/cuda/lib/libnvrtc.so"};
    const char *given = getenv("LRNDE_NVRTC");
    void *library = given ? dlopen(given, RTLD_NOW) : NULL;
    for (size_t i = 0; !library && i < sizeof names / sizeof *names; i++) library = dlopen(names[i], RTLD_NOW);
    if (!library) return false;
#define X(type, name, arguments)                                                                                                 \
    {                                                                                                                            \
        void *symbol = dlsym(library, #name);                                                                                    \
        assert_non_null(symbol);                                                                                                 \
        memcpy(&name, &symbol, sizeof symbol);                                                                                   \
    }
    NVRTC_FUNCTIONS(X)
#undef X
    return true;
}

static bool is_supported(int architecture)
{
    int n, list[256];
    assert_int_equal(nvrtcGetNumSupportedArchs(&n), 0);
    assert_true(n <= 256);
    assert_int_equal(nvrtcGetSupportedArchs(list), 0);
    while (n > 0 && list[n - 1] != architecture) n--;
    return n > 0;
}

/* ---- resources, as the assembler reports them in the log ---- */

typedef struct resources {
    int kernels, registers, arrays, spilled, shared; /* the most of any kernel or function; bytes */
} resources;

static int most(int a, int b)
{
    return a > b ? a : b;
}

/* The number before a word of a line of the log, 0 without it. */
static int number_before(const char *line, const char *word)
{
    const char *end = strchr(line, '\n'), *at = strstr(line, word);
    if (!at || (end && at > end)) return 0;
    while (at > line && at[-1] == ' ') at--;
    while (at > line && at[-1] >= '0' && at[-1] <= '9') at--;
    return atoi(at);
}

/* What lrnde-gen --explain plans for an entry point (templates/cuda/explain.lua). */
typedef struct planned {
    char name[128];
    int threads, shared, asked, registers, blocks; /* shared memory: of its own arrays, and what a launch asks for */
} planned;

typedef struct plan {
    planned entry[MOST_ENTRIES];
    int n;
} plan;

static plan read_plan(const variant *v)
{
    plan p = {.n = 0};
    char line[512];
    FILE *from = open_generator(v, "--explain --target cuda");
    while (fgets(line, sizeof line, from)) {
        planned *e = &p.entry[p.n];
        p.n += sscanf(line, "  %127s %d %d %d %d %d%c", e->name, &e->threads, &e->shared, &e->asked, &e->registers, &e->blocks,
                      line) == 7;
        assert_true(p.n < MOST_ENTRIES);
    }
    assert_int_equal(pclose(from), 0);
    return p;
}

/* The assembler's line about an entry point against the plan: shared memory to the byte, registers at most. */
static void check_entry(const plan *p, const char *entry, const char *line)
{
    int i = 0;
    const size_t n = strcspn(entry, "'");
    while (i < p->n && (strncmp(p->entry[i].name, entry, n) || p->entry[i].name[n])) i++;
    if (i == p->n) fail_msg("--explain does not know %.*s", (int)n, entry);
    const planned *e = &p->entry[i];
    const int registers = number_before(line, "registers,"), shared = number_before(line, "bytes smem");
    if (registers > e->registers || shared != e->shared || (registers + 7) / 8 * 8 * e->threads * e->blocks > REGISTERS ||
        e->shared + e->asked > MOST_SHARED)
        fail_msg("%s has %d registers and %d bytes of shared memory; the plan: %d and %d", e->name, registers, shared,
                 e->registers, e->shared);
}

static resources read_log(const char *log, const plan *p)
{
    static const char compiling[] = "ptxas info    : Compiling entry function '";
    const char *entry = NULL;
    resources r = {0};
    for (const char *line = log; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        if (!strncmp(line, compiling, strlen(compiling))) entry = line + strlen(compiling), r.kernels++;
        r.arrays = most(r.arrays, number_before(line, "bytes stack frame"));
        r.spilled = most(r.spilled, number_before(line, "bytes spill stores"));
        if (number_before(line, "registers,")) check_entry(p, entry, line);
        r.registers = most(r.registers, number_before(line, "registers,"));
        r.shared = most(r.shared, number_before(line, "bytes smem"));
    }
    return r;
}

static void check_text(const char *file, const lrnde_text *text, const plan *p, int architecture)
{
    char option[64];
    void *program;
    size_t size;
    snprintf(option, sizeof option, "--gpu-architecture=sm_%d", architecture);
    const char *options[] = {option, "--std=c++14", "--fmad=false", "--ptxas-options=-v"};
    clock_t start = clock();
    assert_int_equal(nvrtcCreateProgram(&program, text->text, file, 0, NULL, NULL), 0);
    int failed = nvrtcCompileProgram(program, 4, options);
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    assert_int_equal(nvrtcGetProgramLogSize(program, &size), 0);
    char *log = malloc(size);
    assert_int_equal(nvrtcGetProgramLog(program, log), 0);
    if (failed) fail_msg("%s, sm_%d:\n%s", file, architecture, log);
    if (strstr(log, "warning")) fail_msg("%s, sm_%d:\n%s", file, architecture, log);
    assert_int_equal(nvrtcGetCUBINSize(program, &size), 0);
    assert_true(size > 0);
    nvrtcDestroyProgram(&program);

    const resources r = read_log(log, p);
    free(log);
    print_message("           %-28s sm_%-3d %2d kernels, at most %3d registers, %d bytes spilled, %d shared; %.1f s\n", file,
                  architecture, r.kernels, r.registers, r.spilled, r.shared, seconds);
    const int clusters = occurrences(text->text, "__global__ void __cluster_dims__");
    assert_int_equal(r.kernels, occurrences(text->text, "extern \"C\" __global__") - (architecture < 90 ? clusters : 0));
    assert_true(!clusters == !text->own[0]);
    assert_true(r.registers > 0);
    assert_true(r.spilled == 0 || (r.registers == MOST_REGISTERS && r.spilled <= most(MOST_SPILLED, r.arrays / SPILLED_SHARE)));
    assert_true(r.shared <= 48 << 10);
}

/* Ways back that are integrated, and steps that remember others, are the kernels of no model as it stands. */
static void check_adjoints(void)
{
    static const variant adjoints[] = {
        {"models/lotka_volterra.lua", NULL, {"sensitivity=interpolating"}},
        {"models/spiral.lua", NULL, {"sensitivity=backsolve"}},
        {"models/fashion_node.lua", NULL, {"sensitivity=gauss"}},
        {"models/spiral.lua", "vcab3", {"sensitivity=discrete"}},
    };
    for (size_t i = 0; i < sizeof adjoints / sizeof *adjoints; i++) {
        const lrnde_model_desc *m;
        build_variant(&adjoints[i], NULL, &TOOL, &m);
        const plan p = read_plan(&adjoints[i]);
        if (is_supported(90)) check_text(adjoints[i].settings[0], &m->texts[0], &p, 90);
    }
}

static void check_folder(const char *folder, int n_architectures)
{
    names models = lua_files(folder);
    for (int i = 0; i < models.n; i++) {
        const lrnde_model_desc *m;
        const variant v = {models.path[i], NULL, {NULL}};
        build_variant(&v, NULL, &TOOL, &m);
        assert_int_equal(m->n_texts, 1);
        const plan p = read_plan(&v);
        for (int a = 0; a < n_architectures; a++)
            if (is_supported(ARCHITECTURES[a])) check_text(models.path[i], &m->texts[0], &p, ARCHITECTURES[a]);
    }
}

static void models_compile(void **state)
{
    (void)state;
    int major, minor;
    if (!have_nvrtc()) {
        print_message("           skipped: there is no NVRTC here ($LRNDE_NVRTC names one; Debian: libnvrtc11.2, non-free)\n");
        skip();
    }
    assert_int_equal(nvrtcVersion(&major, &minor), 0);
    print_message("           NVRTC %d.%d\n", major, minor);
    check_adjoints();
    check_folder("models", 3);
    check_folder("tests/models", 1);
}

int main(void)
{
    setenv("CC", "tests/quick_cc.sh", 1);
    const struct CMUnitTest tests[] = {cmocka_unit_test(models_compile)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
