/* build.c - see build.h. */
#include "cli/build.h"
#include "cli/process.h"
#include "io/file.h"
#include "io/hash.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const FLAGS[] = {
    "-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off", "-std=c11", "-shared", "-fPIC"};
enum { N_FLAGS = sizeof FLAGS / sizeof *FLAGS, MOST_ARGUMENTS = 16 };

typedef struct build {
    const options_tool *tool;
    char *cache;    /* folder of shared objects */
    char *work;     /* temporary folder inside it */
    char *kernel_h; /* path */
    const char *compiler;
    char model[128]; /* name, as generated */
    char *library;   /* path */
} build;

static int internal(const build *b, const char *format, const char *detail)
{
    fprintf(stderr, "%s: internal error: ", b->tool->program);
    fprintf(stderr, format, detail);
    fputc('\n', stderr);
    return EXIT_INTERNAL;
}

/* ---- the hash that names a shared object ---- */

static uint64_t hash_file(uint64_t hash, const char *path)
{
    char *text;
    size_t size;
    lrnde_error e;
    if (lrnde__file_read(path, &text, &size, &e)) return hash;
    hash = lrnde__hash_bytes(hash, text, size);
    free(text);
    return hash;
}

/* What -march=native depends on. */
static uint64_t hash_cpu(uint64_t hash)
{
    char *line = NULL;
    size_t capacity = 0;
    FILE *cpu = fopen("/proc/cpuinfo", "r");
    while (cpu && getline(&line, &capacity, cpu) > 0) {
        if (!strncmp(line, "model name", 10) || !strncmp(line, "flags", 5)) hash = lrnde__hash_text(hash, line);
        if (!strcmp(line, "\n")) break;
    }
    if (cpu) fclose(cpu);
    free(line);
    return hash;
}

static uint64_t hash_ingredients(const build *b)
{
    char version[256], path[4096];
    uint64_t hash = LRNDE__HASH;
    for (const char *suffix = "ch"; *suffix; suffix++) {
        snprintf(path, sizeof path, "%s/%s.%c", b->work, b->model, *suffix);
        hash = hash_file(hash, path);
    }
    hash = hash_file(hash, b->kernel_h);
    for (int i = 0; i < N_FLAGS; i++) hash = lrnde__hash_text(hash, FLAGS[i]);
    process_run((char *[]){(char *)b->compiler, "--version", NULL}, version, sizeof version);
    return hash_cpu(lrnde__hash_text(hash, version));
}

/* ---- the steps ---- */

static int make_work_folder(build *b)
{
    lrnde_error e;
    if (!(b->cache = lrnde__cache_folder(&e))) return cli_error(b->tool, "%s", e.text);
    b->work = lrnde__format("%s/work.XXXXXX", b->cache);
    if (b->work && mkdtemp(b->work)) return EXIT_DONE;
    cli_error(b->tool, "%s: cannot be written: %s ($LRNDE_CACHE names another folder)", b->cache, strerror(errno));
    free(b->work);
    b->work = NULL;
    return EXIT_INPUT;
}

static int generate(build *b, const build_request *request)
{
    char *beside = process_find_above("lrnde-gen"), *given = getenv("LRNDE_GEN");
    char *generator = given && *given ? given : beside ? beside : "lrnde-gen";
    char **argv = calloc((size_t)(MOST_ARGUMENTS + 2 * request->set.n), sizeof *argv);
    int n = 0;
    if (!argv) abort();
    argv[n++] = generator;
    argv[n++] = "--out", argv[n++] = b->work;
    if (request->device && !strcmp(request->device, "cpu")) argv[n++] = "--target", argv[n++] = "c"; /* no texts for others */
    if (request->method) argv[n++] = "--method", argv[n++] = (char *)request->method;
    for (int64_t i = 0; i < request->set.n; i++) argv[n++] = "--set", argv[n++] = (char *)request->set.v[i];
    argv[n++] = (char *)request->model_file;
    int code = process_run(argv, NULL, 0);
    if (code < 0) code = internal(b, "cannot run %s ($LRNDE_GEN names it)", generator);
    free(argv);
    free(beside);
    return code;
}

/* The model's name is that of the one .c file. */
static int find_model_name(build *b)
{
    DIR *folder = opendir(b->work);
    struct dirent *entry;
    while (folder && (entry = readdir(folder))) {
        size_t n = strlen(entry->d_name);
        if (n > 2 && !strcmp(entry->d_name + n - 2, ".c"))
            snprintf(b->model, sizeof b->model, "%.*s", (int)(n - 2), entry->d_name);
    }
    if (folder) closedir(folder);
    return *b->model ? EXIT_DONE : internal(b, "%s", "lrnde-gen wrote no .c file");
}

static int compile(build *b)
{
    char *object = lrnde__format("%s/%s.so", b->work, b->model);
    char *source = lrnde__format("%s/%s.c", b->work, b->model);
    char *include = lrnde__format("-I%.*s", (int)(strrchr(b->kernel_h, '/') - b->kernel_h), b->kernel_h);
    char *argv[MOST_ARGUMENTS] = {(char *)b->compiler};
    int n = 1;
    for (int i = 0; i < N_FLAGS; i++) argv[n++] = (char *)FLAGS[i];
    argv[n++] = include, argv[n++] = "-o", argv[n++] = object, argv[n++] = source, argv[n++] = "-lm";
    int code = process_run(argv, NULL, 0) ? internal(b, "%s could not compile the generated code", b->compiler) : EXIT_DONE;
    if (!code && rename(object, b->library)) code = internal(b, "cannot write %s", b->library);
    free(object);
    free(source);
    free(include);
    return code;
}

static int load(const build *b, const lrnde_model_desc **model)
{
    char symbol[sizeof b->model + 8];
    void *library = dlopen(b->library, RTLD_NOW | RTLD_LOCAL);
    if (!library) return internal(b, "%s", dlerror());
    snprintf(symbol, sizeof symbol, "lrnde_%s", b->model);
    *model = dlsym(library, symbol);
    if (!*model) return internal(b, "%s", dlerror());
    if ((*model)->abi != LRNDE_ABI) return internal(b, "%s was made for another version of kernel.h", b->library);
    return EXIT_DONE;
}

static void remove_work_folder(const build *b)
{
    DIR *folder = opendir(b->work);
    struct dirent *entry;
    while (folder && (entry = readdir(folder))) unlinkat(dirfd(folder), entry->d_name, 0);
    if (folder) closedir(folder);
    rmdir(b->work);
}

int build_model(const build_request *request, const options_tool *tool, const lrnde_model_desc **model)
{
    const char *compiler = getenv("CC");
    build b = {.tool = tool, .compiler = compiler && *compiler ? compiler : "cc"};
    if (access(request->model_file, R_OK)) return cli_error(tool, "%s: %s", request->model_file, strerror(errno));
    b.kernel_h = process_find_above("runtime/kernel.h");
    if (!b.kernel_h) b.kernel_h = process_find_above("include/lrnde/kernel.h");

    int code = b.kernel_h ? make_work_folder(&b) : internal(&b, "%s", "kernel.h is neither in the source tree nor installed");
    if (!code) code = generate(&b, request);
    if (!code) code = find_model_name(&b);
    if (!code) {
        b.library = lrnde__format("%s/%s-%016llx.so", b.cache, b.model, (unsigned long long)hash_ingredients(&b));
        if (access(b.library, R_OK)) code = compile(&b);
    }
    if (!code) code = load(&b, model);
    if (b.work) remove_work_folder(&b);
    free(b.work);
    free(b.cache);
    free(b.kernel_h);
    free(b.library);
    return code;
}
