/*
 * registries.h - the files of a folder, for suites that run over whatever is there: models, methods, optimizers.
 */
#ifndef TESTS_REGISTRIES_H
#define TESTS_REGISTRIES_H

#include <dirent.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <cmocka.h>

enum { MOST_FILES = 64 };

typedef struct names {
    char path[MOST_FILES][300];
    int n;
} names;

static inline int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* The .lua files of a folder, sorted. */
static inline names lua_files(const char *folder)
{
    names list = {.n = 0};
    struct dirent *entry;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    while ((entry = readdir(dir))) {
        size_t n = strlen(entry->d_name);
        if (n < 5 || strcmp(entry->d_name + n - 4, ".lua")) continue;
        assert_true(list.n < MOST_FILES);
        snprintf(list.path[list.n++], sizeof list.path[0], "%s/%s", folder, entry->d_name);
    }
    closedir(dir);
    assert_true(list.n > 0);
    qsort(list.path, (size_t)list.n, sizeof list.path[0], by_name);
    return list;
}

/* "tableaus/bs3.lua" -> "key=bs3". */
static inline const char *setting(char text[static 300], const char *key, const char *path)
{
    const char *bare = strrchr(path, '/') + 1;
    snprintf(text, 300, "%s=%.*s", key, (int)(strlen(bare) - 4), bare);
    return text;
}

#endif
