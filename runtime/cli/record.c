/* record.c - see record.h. */
#include "cli/record.h"
#include "io/file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Lines of a record: the first, then "identity path" for every file, then "# warning". */
#define FIRST "lrnde 1 "
enum { LONGEST_IDENTITY = 128, TICK = 20000000 /* ns: by less than this the clock of files is late */ };

static int64_t nanoseconds(struct timespec t)
{
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* How the file system knows a file, ending with a space; returns when it last changed, or INT64_MAX if there is none. */
static int64_t identify(const char *path, char identity[static LONGEST_IDENTITY])
{
    struct stat s;
    if (stat(path, &s)) return INT64_MAX;
    const int64_t modified = nanoseconds(s.st_mtim), changed = nanoseconds(s.st_ctim);
    snprintf(identity, LONGEST_IDENTITY, "%jx,%jx,%jd,%" PRId64 ",%" PRId64 " ", (uintmax_t)s.st_dev, (uintmax_t)s.st_ino,
             (intmax_t)s.st_size, modified, changed);
    return modified > changed ? modified : changed;
}

static bool still_holds(const char *line)
{
    char identity[LONGEST_IDENTITY];
    const size_t n = strcspn(line, " ") + 1;
    return line[n - 1] && identify(line + n, identity) < INT64_MAX && !strncmp(line, identity, n);
}

bool record_find(const char *path, record *r)
{
    char *text, *rest;
    size_t size;
    lrnde_error e;
    if (lrnde__file_read(path, &text, &size, &e)) return false;
    const char *line = strtok_r(text, "\n", &rest);
    bool holds = line && sscanf(line, FIRST "%127s %" SCNx64, r->model, &r->hash) == 2;
    while (holds && (line = strtok_r(NULL, "\n", &rest))) {
        if (*line == '#')
            fprintf(stderr, "%s\n", line + 2);
        else
            holds = still_holds(line);
    }
    free(text);
    return holds;
}

/* A prerequisite of the rule, as lrnde-gen has it on a line of its own, becomes the path it spells. */
static void unescape(char *line)
{
    const size_t n = strlen(line);
    if (n > 2 && !strcmp(line + n - 2, " \\")) line[n - 2] = '\0';
    char *to = line;
    for (const char *from = line; *from; from++) {
        if ((*from == '\\' && (from[1] == ' ' || from[1] == '#')) || (*from == '$' && from[1] == '$')) from++;
        *to++ = *from;
    }
    *to = '\0';
}

void record_keep(const char *path, const record *r, const char *depfile, struct timespec begun)
{
    char *text, *rest, identity[LONGEST_IDENTITY];
    size_t size;
    lrnde_error e;
    lrnde__output o;
    if (lrnde__file_read(depfile, &text, &size, &e)) return;
    char *lines = NULL;
    size_t length;
    FILE *to = open_memstream(&lines, &length);
    bool known = to;
    strtok_r(text, "\n", &rest); /* what the rule is for */
    for (char *line; known && (line = strtok_r(NULL, "\n", &rest));) {
        if (*line == '#') {
            fprintf(to, "%s\n", line);
            continue;
        }
        line += strspn(line, " ");
        unescape(line);
        known = identify(line, identity) < nanoseconds(begun) - TICK;
        fprintf(to, "%s%s\n", identity, line);
    }
    if (to) known = !fclose(to) && known;
    if (known && !lrnde__output_open(&o, path, &e)) {
        fprintf(o.to, FIRST "%s %" PRIx64 "\n%s", r->model, r->hash, lines);
        lrnde__output_close(&o, &e);
    }
    free(lines);
    free(text);
}
