/* nearest.c - edit distance over a list of names. */
#include "io/nearest.h"

#include <string.h>

enum { LONGEST = 63 }; /* characters compared: names are shorter */

/* Levenshtein's: insertions, deletions and replacements that turn a into b, one row at a time. */
static size_t distance(const char *a, const char *b)
{
    size_t row[LONGEST + 1];
    size_t n = strnlen(b, LONGEST);
    for (size_t j = 0; j <= n; j++) row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < n; j++) {
            size_t replaced = diagonal + (a[i] != b[j]);
            size_t shorter = (row[j] < row[j + 1] ? row[j] : row[j + 1]) + 1;
            diagonal = row[j + 1];
            row[j + 1] = replaced < shorter ? replaced : shorter;
        }
    }
    return row[n];
}

const char *lrnde__nearest(const char *word, const void *names, size_t n, size_t stride)
{
    const char *best = NULL;
    size_t least = (size_t)-1;
    for (size_t i = 0; i < n; i++) {
        const char *name;
        memcpy(&name, (const char *)names + i * stride, sizeof name);
        size_t d = distance(word, name);
        if (d < least) {
            least = d;
            best = name;
        }
    }
    return best;
}
