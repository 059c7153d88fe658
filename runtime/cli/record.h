/*
 * record.h - what generated code was made from, so that it need not be made again while none of that has changed.
 *
 * A record is a file in the cache: the model's name, a hash of the generated text, the warnings, and of every file that
 * lrnde-gen said it read (--depfile) how the file system knows it: device, inode, size, times of change.  A file that changed as
 * late as the generator was begun may have been read before or after: then there is no record.  Supposed is that the clock of a
 * file system is not behind this machine's.
 */
#ifndef LRNDE_CLI_RECORD_H
#define LRNDE_CLI_RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

typedef struct record {
    char model[128]; /* name, as generated */
    uint64_t hash;   /* of the generated text */
    char *warnings;  /* of the generator, lines; NULL: none that were not said; the caller frees them */
} record;

enum { RECORD_IDENTITY = 128 };

/* How the file system knows a file, as a word and a space; returns when it last changed, in ns, or INT64_MAX: there is none. */
int64_t record_identify(const char *path, char identity[static RECORD_IDENTITY]);

/* Whether there is a record at `path` that still holds; *r is as it was if not. */
bool record_find(const char *path, record *r);

/* Writes one, of a generator that was begun at `begun` (CLOCK_REALTIME) and wrote `depfile`, if that is possible. */
void record_keep(const char *path, const record *r, const char *depfile, struct timespec begun);

#endif
