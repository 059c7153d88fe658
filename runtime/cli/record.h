/*
 * record.h - what generated code was made from, so that it need not be made again while none of that has changed.
 *
 * A record is a file in the cache: the model's name, a hash of the generated text, the warnings, and of every file that
 * lrnde-gen said it read (--depfile) how the file system knows it: device, inode, size, times of change.  A file that changed as
 * late as the generator was begun may have been read before or after: then there is no record.
 */
#ifndef LRNDE_CLI_RECORD_H
#define LRNDE_CLI_RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

typedef struct record {
    char model[128]; /* name, as generated */
    uint64_t hash;   /* of the generated text */
} record;

/* Whether there is a record at `path` that still holds; puts it into *r, and its warnings on stderr. */
bool record_find(const char *path, record *r);

/* Writes one, of a generator that was begun at `begun` (CLOCK_REALTIME) and wrote `depfile`, if that is possible. */
void record_keep(const char *path, const record *r, const char *depfile, struct timespec begun);

#endif
