/*
 * cases.h - what tests of errors share: files of tests/fail, and temporary files.
 *
 * A case is a file: its first line "expect: TEXT", the rest the input that must fail with TEXT in the message.
 */
#ifndef TESTS_CASES_H
#define TESTS_CASES_H

#include <dirent.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct test_case {
    char expect[256];
    char content[4096];
    size_t size;
} test_case;

/* Calls check for every case in tests/fail/<folder>; a folder without cases fails. */
static inline void each_case(const char *folder, void (*check)(const test_case *c))
{
    char path[512];
    struct dirent *entry;
    int n = 0;
    snprintf(path, sizeof path, "tests/fail/%s", folder);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    while ((entry = readdir(dir))) {
        if (*entry->d_name == '.') continue;
        test_case c = {0};
        snprintf(path, sizeof path, "tests/fail/%s/%s", folder, entry->d_name);
        FILE *from = fopen(path, "rb");
        assert_non_null(from);
        assert_int_equal(fscanf(from, "expect: %255[^\n]", c.expect), 1);
        fgetc(from);
        c.size = fread(c.content, 1, sizeof c.content - 1, from);
        fclose(from);
        check(&c);
        n++;
    }
    closedir(dir);
    assert_true(n > 0);
}

static inline void assert_contains(const char *text, const char *part)
{
    if (!strstr(text, part)) fail_msg("\"%s\" does not contain \"%s\"", text, part);
}

/* A folder of this run's own.  Its path stays valid; scratch_file's until the next call. */
static inline const char *scratch_folder(void)
{
    static char folder[64];
    if (!*folder) {
        strcpy(folder, "/tmp/lrnde-test-XXXXXX");
        assert_non_null(mkdtemp(folder));
    }
    return folder;
}

static inline const char *scratch_file(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", scratch_folder(), name);
    return path;
}

static inline const char *write_scratch(const char *name, const void *bytes, size_t n)
{
    const char *path = scratch_file(name);
    FILE *to = fopen(path, "wb");
    assert_non_null(to);
    assert_int_equal(fwrite(bytes, 1, n, to), n);
    fclose(to);
    return path;
}

/* Removes the folder and the files in it. */
static inline int remove_scratch(void **state)
{
    (void)state;
    DIR *dir = opendir(scratch_folder());
    struct dirent *entry;
    while (dir && (entry = readdir(dir))) unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir) closedir(dir);
    return rmdir(scratch_folder());
}

#endif
