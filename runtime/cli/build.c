/* build.c - see build.h. */
#include "cli/build.h"
#include "cli/process.h"
#include "cli/record.h"
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
    char *work;     /* temporary folder inside it, NULL while nothing was generated */
    char **command; /* that runs lrnde-gen; the first word, its path or name, is ours to free */
    char *kernel_h; /* path */
    const char *compiler;
    record made;
    char *library; /* path */
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

static uint64_t hash_generated(const build *b)
{
    char path[4096];
    uint64_t hash = LRNDE__HASH;
    for (const char *suffix = "ch"; *suffix; suffix++) {
        snprintf(path, sizeof path, "%s/%s.%c", b->work, b->made.model, *suffix);
        hash = hash_file(hash, path);
    }
    return hash;
}

static uint64_t hash_ingredients(const build *b)
{
    char version[256];
    uint64_t hash = hash_file(b->made.hash, b->kernel_h);
    for (int i = 0; i < N_FLAGS; i++) hash = lrnde__hash_text(hash, FLAGS[i]);
    process_run((char *[]){(char *)b->compiler, "--version", NULL}, version, sizeof version);
    return hash_cpu(lrnde__hash_text(hash, version));
}

/* ---- the steps ---- */

enum { OUT = 2, DEPFILE = 4, N_OWN = 5 }; /* lrnde-gen --out ... --depfile ..., and what it is asked for */

static void write_command(build *b, const build_request *request)
{
    char *beside = process_find_above("lrnde-gen"), *given = getenv("LRNDE_GEN");
    char **argv = calloc((size_t)(MOST_ARGUMENTS + 2 * request->set.n), sizeof *argv);
    int n = N_OWN;
    if (!argv) abort();
    argv[0] = lrnde__format("%s", given && *given ? given : beside ? beside : "lrnde-gen");
    argv[OUT - 1] = "--out", argv[DEPFILE - 1] = "--depfile";
    if (request->device && !strcmp(request->device, "cpu")) argv[n++] = "--target", argv[n++] = "c"; /* no texts for others */
    if (request->method) argv[n++] = "--method", argv[n++] = (char *)request->method;
    for (int64_t i = 0; i < request->set.n; i++) argv[n++] = "--set", argv[n++] = (char *)request->set.v[i];
    argv[n++] = (char *)request->model_file;
    b->command = argv;
    free(beside);
}

/* Where the record of this command is, given here and to the program that it is now. */
static char *record_path(const build *b)
{
    const char *home = getenv("LRNDE_HOME");
    char here[4096], identity[RECORD_IDENTITY] = "", *program = process_find(b->command[0]);
    uint64_t hash = lrnde__hash_text(LRNDE__HASH, getcwd(here, sizeof here) ? here : "");
    if (program) record_identify(program, identity);
    hash = lrnde__hash_text(lrnde__hash_text(hash, home ? home : ""), program ? program : "");
    hash = lrnde__hash_text(hash, identity);
    free(program);
    for (char **word = b->command + N_OWN; *word; word++) hash = lrnde__hash_text(hash, *word);
    return lrnde__format("%s/%016llx.record", b->cache, (unsigned long long)hash);
}

static int make_work_folder(build *b)
{
    b->work = lrnde__format("%s/work.XXXXXX", b->cache);
    if (b->work && mkdtemp(b->work)) return EXIT_DONE;
    cli_error(b->tool, "%s: cannot be written: %s ($LRNDE_CACHE names another folder)", b->cache, strerror(errno));
    free(b->work);
    b->work = NULL;
    return EXIT_INPUT;
}

/* The model's name is that of the one .c file. */
static int find_model_name(build *b)
{
    *b->made.model = '\0';
    DIR *folder = opendir(b->work);
    struct dirent *entry;
    while (folder && (entry = readdir(folder))) {
        size_t n = strlen(entry->d_name);
        if (n > 2 && !strcmp(entry->d_name + n - 2, ".c"))
            snprintf(b->made.model, sizeof b->made.model, "%.*s", (int)(n - 2), entry->d_name);
    }
    if (folder) closedir(folder);
    return *b->made.model ? EXIT_DONE : internal(b, "%s", "lrnde-gen wrote no .c file");
}

/* Generates into the work folder; keeps a record of it at `path`. */
static int generate(build *b, const char *path)
{
    struct timespec begun;
    int code = make_work_folder(b);
    if (code) return code;
    char *depfile = lrnde__format("%s/depfile", b->work);
    b->command[OUT] = b->work, b->command[DEPFILE] = depfile;
    clock_gettime(CLOCK_REALTIME, &begun);
    code = process_run(b->command, NULL, 0);
    if (code < 0) code = internal(b, "cannot run %s ($LRNDE_GEN names it)", b->command[0]);
    if (!code) code = find_model_name(b);
    if (!code) {
        b->made.hash = hash_generated(b);
        free(b->made.warnings); /* the generator has said them */
        b->made.warnings = NULL;
        record_keep(path, &b->made, depfile, begun);
    }
    free(depfile);
    return code;
}

/* Where the shared object is to be; whether it is. */
static bool find_library(build *b)
{
    free(b->library);
    b->library = lrnde__format("%s/%s-%016llx.so", b->cache, b->made.model, (unsigned long long)hash_ingredients(b));
    return !access(b->library, R_OK);
}

static int compile(build *b)
{
    char *object = lrnde__format("%s/%s.so", b->work, b->made.model);
    char *source = lrnde__format("%s/%s.c", b->work, b->made.model);
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
    char symbol[sizeof b->made.model + 8];
    void *library = dlopen(b->library, RTLD_NOW | RTLD_LOCAL);
    if (!library) return internal(b, "%s", dlerror());
    snprintf(symbol, sizeof symbol, "lrnde_%s", b->made.model);
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
    lrnde_error e;
    build b = {.tool = tool, .compiler = compiler && *compiler ? compiler : "cc"};
    if (access(request->model_file, R_OK)) return cli_error(tool, "%s: %s", request->model_file, strerror(errno));
    if (!(b.cache = lrnde__cache_folder(&e))) return cli_error(tool, "%s", e.text);
    b.kernel_h = process_find_above("runtime/kernel.h");
    if (!b.kernel_h) b.kernel_h = process_find_above("include/lrnde/kernel.h");
    write_command(&b, request);

    char *path = record_path(&b);
    int code = b.kernel_h ? EXIT_DONE : internal(&b, "%s", "kernel.h is neither in the source tree nor installed");
    if (!code && !record_find(path, &b.made)) code = generate(&b, path);
    bool there = !code && find_library(&b);
    if (!code && !there && !b.work) {
        code = generate(&b, path);
        there = !code && find_library(&b);
    }
    if (!code && !there) code = compile(&b);
    if (!code && b.made.warnings) fputs(b.made.warnings, stderr);
    if (!code) code = load(&b, model);
    if (b.work) remove_work_folder(&b);
    free(path);
    free(b.made.warnings);
    free(b.work);
    free(b.cache);
    free(b.command[0]);
    free(b.command);
    free(b.kernel_h);
    free(b.library);
    return code;
}
