/* file.c - see file.h. */
#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

lrnde_status lrnde__io_fail(lrnde_error *e, lrnde_status status, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    *e = (lrnde_error){.status = status, .t = NAN, .h = NAN, .stage = -1, .sample = -1};
    vsnprintf(e->text, sizeof e->text, format, list);
    va_end(list);
    return status;
}

char *lrnde__format(const char *format, ...)
{
    char *text;
    va_list list;
    va_start(list, format);
    int n = vasprintf(&text, format, list);
    va_end(list);
    return n < 0 ? NULL : text;
}

/* Reads to the end of a stream into a growing buffer.  Returns 0, or -1 if memory is exhausted. */
static int drain(gzFile from, char **text, size_t *size)
{
    size_t capacity = 1 << 16;
    char *buffer = malloc(capacity + 1);
    *size = 0;
    while (buffer) {
        int n = gzread(from, buffer + *size, (unsigned)(capacity - *size > 1 << 30 ? 1 << 30 : capacity - *size));
        if (n <= 0) break;
        *size += (size_t)n;
        if (*size < capacity) continue;
        capacity *= 2;
        char *larger = realloc(buffer, capacity + 1);
        if (!larger) free(buffer);
        buffer = larger;
    }
    if (!buffer) return -1;
    buffer[*size] = '\0';
    *text = buffer;
    return 0;
}

lrnde_status lrnde__file_read(const char *path, char **text, size_t *size, lrnde_error *e)
{
    errno = 0;
    gzFile from = gzopen(path, "rb");
    if (!from) return lrnde__io_fail(e, LRNDE_ERR_FILE, "%s: %s", path, strerror(errno ? errno : ENOMEM));
    if (drain(from, text, size)) {
        gzclose(from);
        return lrnde__io_fail(e, LRNDE_ERR_MEMORY, "%s: not enough memory to read it", path);
    }
    int zlib_status;
    const char *what = gzerror(from, &zlib_status);
    if (zlib_status == Z_OK) {
        gzclose(from);
        return LRNDE_OK;
    }
    if (zlib_status == Z_BUF_ERROR)
        lrnde__io_fail(e, LRNDE_ERR_FILE, "%s: the gzip file is truncated", path);
    else
        lrnde__io_fail(e, LRNDE_ERR_FILE, "%s: cannot be read: %s", path, zlib_status == Z_ERRNO ? strerror(errno) : what);
    gzclose(from);
    free(*text);
    *text = NULL;
    return e->status;
}

lrnde_status lrnde__make_folder(const char *path, lrnde_error *e)
{
    if (!*path || !mkdir(path, 0777) || errno == EEXIST) return LRNDE_OK;
    if (errno != ENOENT) return lrnde__io_fail(e, LRNDE_ERR_FILE, "%s: cannot create the folder: %s", path, strerror(errno));
    char *copy = strdup(path);
    if (!copy) return lrnde__io_fail(e, LRNDE_ERR_MEMORY, "%s: out of memory", path);
    lrnde_status status = lrnde__make_folder(dirname(copy), e);
    free(copy);
    if (status) return status;
    if (!mkdir(path, 0777) || errno == EEXIST) return LRNDE_OK;
    return lrnde__io_fail(e, LRNDE_ERR_FILE, "%s: cannot create the folder: %s", path, strerror(errno));
}

char *lrnde__cache_folder(lrnde_error *e)
{
    const char *cache = getenv("LRNDE_CACHE"), *home = getenv("HOME");
    char *path = cache && *cache ? strdup(cache) : lrnde__format("%s/.cache/lrnde", home && *home ? home : "/tmp");
    if (!path) lrnde__io_fail(e, LRNDE_ERR_MEMORY, "out of memory");
    if (path && lrnde__make_folder(path, e)) {
        free(path);
        return NULL;
    }
    return path;
}

lrnde_status lrnde__output_open(lrnde__output *o, const char *path, lrnde_error *e)
{
    *o = (lrnde__output){.path = strdup(path), .temporary = lrnde__format("%s.XXXXXX", path)};
    int file = o->path && o->temporary ? mkstemp(o->temporary) : -1;
    if (file >= 0) {
        mode_t mask = umask(0);
        umask(mask);
        fchmod(file, 0666 & ~mask);
        o->to = fdopen(file, "wb");
        if (o->to) return LRNDE_OK;
        close(file);
        unlink(o->temporary);
    }
    lrnde__io_fail(e, LRNDE_ERR_FILE, "%s: cannot be written: %s", path, strerror(errno));
    free(o->path);
    free(o->temporary);
    return e->status;
}

/* The rename itself is durable once the folder is synced.  Not every file system can, so a failure is no error. */
static void sync_folder(const char *path)
{
    char *copy = strdup(path);
    int folder = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY) : -1;
    if (folder >= 0) {
        fsync(folder);
        close(folder);
    }
    free(copy);
}

lrnde_status lrnde__output_close(lrnde__output *o, lrnde_error *e)
{
    lrnde_status status = LRNDE_OK;
    int failed = ferror(o->to) || fflush(o->to) || fsync(fileno(o->to));
    failed |= fclose(o->to) != 0;
    if (failed || rename(o->temporary, o->path)) {
        status = lrnde__io_fail(e, LRNDE_ERR_FILE, "%s: cannot be written: %s", o->path, strerror(errno));
        unlink(o->temporary);
    } else {
        sync_folder(o->path);
    }
    free(o->path);
    free(o->temporary);
    return status;
}
