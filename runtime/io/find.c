/* find.c - where data files are: the search path. */
#include "io/data.h"
#include "io/file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_FOLDERS = 4 };

/* Folders that may hold the file, in the order they are tried. */
static int folders(const lrnde__places *places, const char *set, char *list[MOST_FOLDERS])
{
    const char *roots[MOST_FOLDERS], *home = getenv("LRNDE_DATA");
    int n = 0;
    if (places->folder) {
        list[0] = strdup(places->folder);
        return 1;
    }
    if (home && *home) roots[n++] = home;
    roots[n++] = "data";
    if (set)
        roots[n++] = "/usr/share/datasets";
    else if (places->beside)
        roots[n++] = places->beside;
    for (int i = 0; i < n; i++) list[i] = set ? lrnde__format("%s/%s", roots[i], set) : strdup(roots[i]);
    return n;
}

static char *try(const char *folder, const char *file, const char *suffix)
{
    char *path = lrnde__format("%s/%s%s", folder, file, suffix);
    if (path && !access(path, F_OK)) return path;
    free(path);
    return NULL;
}

lrnde_status lrnde__data_find(const lrnde__places *places, const char *set, const char *file, int gz, char **path, lrnde_error *e)
{
    char *list[MOST_FOLDERS], searched[sizeof e->text / 2] = "";
    int n = folders(places, set, list);
    *path = NULL;
    for (int i = 0; i < n; i++) {
        if (!*path) *path = try(list[i], file, "");
        if (!*path && gz) *path = try(list[i], file, ".gz");
        size_t length = strlen(searched);
        snprintf(searched + length, sizeof searched - length, "%s%s", i ? ", " : "", list[i]);
        free(list[i]);
    }
    if (*path) return LRNDE_OK;
    return lrnde__io_fail(e, LRNDE_ERR_FILE, "%s%s: no such data file; searched %s (--data DIR names the folder that holds it)",
                          file, gz ? "[.gz]" : "", searched);
}
