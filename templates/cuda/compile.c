/* compile.c - see compile.h. */
#include "compile.h"

#include "io/file.h"
#include "io/hash.h"

#include <stdio.h>
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
    for (int i = 0; p->options && p->options[i]; i++) hash = lrnde__hash_text(hash, p->options[i]);
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

/* A program that is being compiled. */
typedef struct job {
    const lrnde__cuda_program *program;
    uint64_t key;
    char *path; /* NULL: there is no cache */
    lrnde__cuda_image *image;
} job;

/* Those of the cache; returns how many jobs are left, which come first. */
static int look_up(const char *library, const lrnde__cuda_program *programs, int n, lrnde__cuda_image *images, job *jobs)
{
    int left = 0;
    for (int i = 0; i < n; i++) {
        const lrnde__cuda_program *p = &programs[i];
        job j = {.program = p, .key = key_of(p, library), .image = &images[i]};
        j.path = lrnde__cuda_cache_path(p->name, j.key, "cubin");
        if (j.path && !lrnde__cuda_cache_load(j.path, j.key, j.image))
            free(j.path);
        else
            jobs[left++] = j;
    }
    return left;
}

static int make(const char *library, job *jobs, int n, char *why, size_t size)
{
    const lrnde__cuda_program **programs = calloc((size_t)n, sizeof *programs);
    lrnde__nvrtc_outcome *outcomes = calloc((size_t)n, sizeof *outcomes);
    int status = programs && outcomes ? 0 : -1;
    if (status) snprintf(why, size, "out of memory");
    for (int i = 0; i < n && !status; i++) programs[i] = jobs[i].program;
    if (!status) lrnde__nvrtc_compile_all(library, programs, n, outcomes);
    for (int i = 0; i < n && outcomes; i++) {
        lrnde__nvrtc_outcome *o = &outcomes[i];
        if (!o->status && o->image.bytes && jobs[i].path) lrnde__cuda_cache_store(jobs[i].path, jobs[i].key, &o->image);
        if (o->status && !status) {
            status = -1;
            snprintf(why, size, "%s", o->why);
            if (o->log) report(jobs[i].program, jobs[i].key, o->log, why, size);
        }
        *jobs[i].image = o->image;
        free(o->log);
    }
    free(outcomes);
    free(programs);
    return status;
}

int lrnde__cuda_compile(const lrnde__cuda_program *programs, int n, lrnde__cuda_image *images, char *why, size_t size)
{
    memset(images, 0, (size_t)n * sizeof *images);
    char *library = n ? lrnde__nvrtc_find(programs->driver, why, size) : NULL;
    job *jobs = calloc((size_t)n + 1, sizeof *jobs);
    int left = 0, status = n && !library ? -1 : 0;
    if (!jobs) {
        snprintf(why, size, "out of memory");
        status = -1;
    }
    if (!status) left = look_up(library, programs, n, images, jobs);
    if (left) status = make(library, jobs, left, why, size);
    for (int i = 0; i < n && status; i++) {
        free(images[i].bytes);
        images[i].bytes = NULL;
    }
    for (int i = 0; i < left; i++) free(jobs[i].path);
    free(jobs);
    free(library);
    return status;
}
