/* record.c - see record.h. */
#include "cli/record.h"
#include "io/file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Lines of a record: the first, then "identity path" for every file, then "# warning", and the last. */
#define FIRST "lrnde 1 "
#define LAST  "end"

/* By less than this the time of a file is before its change: the clock's ticks, or seconds where they are all that is kept. */
static const int64_t TICK = 20000000, SECONDS = 2000000000, SECOND = 1000000000; /* ns */

static int64_t nanoseconds(struct timespec t)
{
    return (int64_t)t.tv_sec * SECOND + t.tv_nsec;
}

int64_t record_identify(const char *path, char identity[static RECORD_IDENTITY])
{
    struct stat s;
    if (stat(path, &s)) return INT64_MAX;
    snprintf(identity, RECORD_IDENTITY, "%jx,%jx,%jd,%" PRId64 ",%" PRId64 " ", (uintmax_t)s.st_dev, (uintmax_t)s.st_ino,
             (intmax_t)s.st_size, nanoseconds(s.st_mtim), nanoseconds(s.st_ctim));
    return nanoseconds(s.st_ctim);
}

static bool still_holds(const char *line)
{
    char identity[RECORD_IDENTITY];
    const size_t n = strcspn(line, " ") + 1;
    return line[n - 1] && record_identify(line + n, identity) < INT64_MAX && !strncmp(line, identity, n);
}

bool record_find(const char *path, record *r)
{
    char *text, *rest;
    size_t size;
    lrnde_error e;
    record found = {0};
    if (lrnde__file_read(path, &text, &size, &e)) return false;
    const char *line = strtok_r(text, "\n", &rest);
    bool holds = line && sscanf(line, FIRST "%127s %" SCNx64, found.model, &found.hash) == 2, ended = false;
    while (holds && !ended && (line = strtok_r(NULL, "\n", &rest))) {
        if (*line == '#') {
            char *more = lrnde__format("%s%s\n", found.warnings ? found.warnings : "", line + 2);
            free(found.warnings);
            found.warnings = more;
        } else {
            ended = !strcmp(line, LAST);
            holds = ended || still_holds(line);
        }
    }
    free(text);
    holds = holds && ended;
    if (holds)
        *r = found;
    else
        free(found.warnings);
    return holds;
}

/* A prerequisite of the rule, as lrnde-gen has it on a line of its own, becomes the path it spells. */
static void unescape(char *line)
{
    const size_t n = strlen(line);
    if (n > 2 && !strcmp(line + n - 2, " \\")) line[n - 2] = '\0';
    char *to = line;
    for (const char *from = line; *from; from++) {
        if ((*from == '\\' && from[1] && strchr(" #:", from[1])) || (*from == '$' && from[1] == '$')) from++;
        *to++ = *from;
    }
    *to = '\0';
}

void record_keep(const char *path, const record *r, const char *depfile, struct timespec begun)
{
    char *text, *rest, identity[RECORD_IDENTITY];
    size_t size;
    lrnde_error e;
    lrnde__output o;
    if (lrnde__file_read(depfile, &text, &size, &e)) return;
    char *lines = NULL;
    size_t length;
    FILE *to = open_memstream(&lines, &length);
    bool known = to;
    for (char *line = strtok_r(text, "\n", &rest); known && line; line = strtok_r(NULL, "\n", &rest)) {
        if (*line == '#') fprintf(to, "%s\n", line);
        if (*line != ' ') continue; /* other rules */
        line += strspn(line, " ");
        unescape(line);
        const int64_t changed = record_identify(line, identity);
        known = changed < nanoseconds(begun) - (changed % SECOND ? TICK : SECONDS);
        fprintf(to, "%s%s\n", identity, line);
    }
    if (to) known = !fclose(to) && known;
    if (known && !lrnde__output_open(&o, path, &e)) {
        fprintf(o.to, FIRST "%s %" PRIx64 "\n%s" LAST "\n", r->model, r->hash, lines);
        lrnde__output_close(&o, &e);
    }
    free(lines);
    free(text);
}
