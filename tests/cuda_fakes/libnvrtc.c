/*
 * libnvrtc.c - stands in for NVIDIA's compiler.  What it makes is the text itself; a line with #error is an error, reported
 * as the real one reports it.  The environment says
 *   FAKE_NVRTC_VERSION  major version (13)          FAKE_NVRTC_NEWEST  latest of 80, 90, 100 it compiles for
 *   FAKE_NVRTC_PROCESS  the only process it works in: others it ends
 *   FAKE_NVRTC_JOURNAL  a file to note in that it was loaded and with which architecture it was run
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct program {
    char *text, name[128], log[1024], target[64];
} * program;

static int setting(const char *name, int otherwise)
{
    const char *text = getenv(name);
    return text ? atoi(text) : otherwise;
}

static void note(const char *what)
{
    const char *path = getenv("FAKE_NVRTC_JOURNAL");
    FILE *to = path ? fopen(path, "a") : NULL;
    if (!to) return;
    fprintf(to, "%s\n", what);
    fclose(to);
}

__attribute__((constructor)) static void loaded(void)
{
    note("loaded");
}

int nvrtcVersion(int *major, int *minor)
{
    *major = setting("FAKE_NVRTC_VERSION", 13);
    *minor = 0;
    return 0;
}

const char *nvrtcGetErrorString(int error)
{
    return error == 6 ? "NVRTC_ERROR_COMPILATION" : "NVRTC_ERROR_INTERNAL_ERROR";
}

static int archs(int *list)
{
    static const int all[] = {80, 90, 100};
    int n = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all && all[i] <= setting("FAKE_NVRTC_NEWEST", 100); i++, n++)
        if (list) list[n] = all[i];
    return n;
}

int nvrtcGetNumSupportedArchs(int *n)
{
    *n = archs(NULL);
    return 0;
}

int nvrtcGetSupportedArchs(int *list)
{
    archs(list);
    return 0;
}

int nvrtcCreateProgram(program *p, const char *text, const char *name, int n, const char *const *headers,
                       const char *const *names)
{
    (void)n, (void)headers, (void)names;
    *p = calloc(1, sizeof **p);
    (*p)->text = strdup(text);
    snprintf((*p)->name, sizeof(*p)->name, "%s", name);
    return 0;
}

int nvrtcDestroyProgram(program *p)
{
    free((*p)->text);
    free(*p);
    return 0;
}

int nvrtcCompileProgram(program p, int n, const char *const *options)
{
    for (int i = 0; i < n; i++)
        if (!strncmp(options[i], "--gpu-architecture=", 19)) snprintf(p->target, sizeof p->target, "%s", options[i] + 19);
    note(p->target);
    if (setting("FAKE_NVRTC_PROCESS", getpid()) != getpid()) kill(getpid(), SIGKILL);
    const char *error = strstr(p->text, "#error");
    if (!error) return 0;
    int line = 1;
    for (const char *c = p->text; c < error; c++) line += *c == '\n';
    int length = (int)strcspn(error, "\n") % 256;
    snprintf(p->log, sizeof p->log,
             "%s(1): warning #1-D: last line of file ends without a newline\n\n%s(%d): error: #error directive: %.*s\n\n"
             "1 error detected in the compilation of \"%s\".\n",
             p->name, p->name, line, length - 7, error + 7, p->name);
    return 6;
}

int nvrtcGetProgramLogSize(program p, size_t *size)
{
    *size = strlen(p->log) + 1;
    return 0;
}

int nvrtcGetProgramLog(program p, char *log)
{
    strcpy(log, p->log);
    return 0;
}

static int make(program p, const char *kind, char *image)
{
    return image ? sprintf(image, "FAKE CUBIN %s %s\n%s", kind, p->target, p->text)
                 : snprintf(NULL, 0, "FAKE CUBIN %s %s\n%s", kind, p->target, p->text);
}

int nvrtcGetCUBINSize(program p, size_t *size)
{
    *size = (size_t)make(p, "cubin", NULL) + 1;
    return 0;
}

int nvrtcGetCUBIN(program p, char *cubin)
{
    make(p, "cubin", cubin);
    return 0;
}

int nvrtcGetPTXSize(program p, size_t *size)
{
    *size = (size_t)make(p, "PTX", NULL) + 1;
    return 0;
}

int nvrtcGetPTX(program p, char *ptx)
{
    make(p, "PTX", ptx);
    return 0;
}
