/* compile.c - see compile.h. */
#include "compile.h"

#include "io/file.h"
#include "io/hash.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static uint64_t key_of(const lrnde__cuda_program *p, const char *library)
{
    struct stat s = {0};
    stat(library, &s);
    const int64_t numbers[] = {p->capability, p->driver, (int64_t)s.st_size, (int64_t)s.st_mtim.tv_sec,
                               (int64_t)s.st_mtim.tv_nsec};
    uint64_t hash = lrnde__hash_text(lrnde__hash_text(LRNDE__HASH, p->text), p->name);
    for (int i = 0; lrnde__nvrtc_options[i]; i++) hash = lrnde__hash_text(hash, lrnde__nvrtc_options[i]);
    return lrnde__hash_bytes(lrnde__hash_text(hash, library), numbers, sizeof numbers);
}

/* Line `number`, from 1, of a text, without the space around it. */
static void line_of(const char *text, long number, const char **line, int *length)
{
    while (--number > 0 && (text = strchr(text, '\n'))) text++;
    *line = text ? text + strspn(text, " \t") : "";
    *length = (int)strcspn(*line, "\n");
}

/* The log's first error, "NAME.cu(12): error: what", and line 12. */
static void explain(const lrnde__cuda_program *p, const char *log, const char *path, char *why, size_t size)
{
    const char *error = strstr(log, "): error"), *from = error, *line = "";
    int length = 0;
    while (from && from > log && from[-1] != '\n') from--;
    if (!error) from = log;
    const char *number = strchr(from, '(');
    if (error && number) line_of(p->text, strtol(number + 1, NULL, 10), &line, &length);
    snprintf(why, size, "%.*s: %.*s%s%s", (int)strcspn(from, "\n"), from, length, line, path ? "; all of it: " : "",
             path ? path : "");
}

static void save(const char *path, const char *text)
{
    lrnde__output o;
    lrnde_error e;
    if (!path || lrnde__output_open(&o, path, &e)) return;
    fputs(text, o.to);
    lrnde__output_close(&o, &e);
}

static void report(const lrnde__cuda_program *p, uint64_t key, const char *log, char *why, size_t size)
{
    char *log_path = lrnde__cuda_cache_path(p->name, key, "log"), *text_path = lrnde__cuda_cache_path(p->name, key, "cu");
    save(log_path, log);
    save(text_path, p->text);
    explain(p, log, log_path, why, size);
    free(log_path);
    free(text_path);
}

int lrnde__cuda_compile(const lrnde__cuda_program *p, lrnde__cuda_image *image, char *why, size_t size)
{
    char *library = lrnde__nvrtc_find(p->driver, why, size), *log = NULL;
    if (!library) return -1;
    uint64_t key = key_of(p, library);
    char *path = lrnde__cuda_cache_path(p->name, key, "cubin");
    int status = path ? lrnde__cuda_cache_load(path, key, image) : -1;
    if (status) {
        status = lrnde__nvrtc_compile(library, p, image, &log, why, size);
        if (!status && path) lrnde__cuda_cache_store(path, key, image);
        if (status && log) report(p, key, log, why, size);
    }
    free(log);
    free(path);
    free(library);
    return status;
}
