/* course.c - see course.h. */
#include "course.h"

#include <string.h>

/* The tables of a course: all of 8 bytes an entry, those that are written first, or given and written.  X(name, type, entries) */
#define WRITTEN(X)                                                                                                               \
    X(t, double *, steps)                                                                                                        \
    X(h, double *, steps)                                                                                                        \
    X(sums, double *, steps *(size_t)sys->n_sums)                                                                                \
    X(pieces.length, double *, pieces)                                                                                           \
    X(pieces.future, int64_t *, pieces)                                                                                          \
    X(pieces.used, int64_t *, pieces)                                                                                            \
    X(pieces.spare, int64_t *, pieces)
#define READ(X)                                                                                                                  \
    X(carry, void *const *, (slots + !c->ring) * (size_t)sys->n_carry)                                                           \
    X(k, void *const *, slots *(size_t)(sys->n_k + sys->n_extra))                                                                \
    X(tape, void *const *, c->tape ? slots : 0)                                                                                  \
    X(path_t, const double *, path)                                                                                              \
    X(path_h, const double *, path)                                                                                              \
    X(path_carry, void *const *, path ? (path + 1) * (size_t)desc->forward->n_carry : 0)                                         \
    X(path_k, void *const *, path *(size_t)(desc->forward->n_k + desc->forward->n_extra))                                        \
    X(noise, void *const *, c->noise ? slots *(size_t)sys->n_noise : 0)                                                          \
    X(piece, void *const *, pieces)                                                                                              \
    X(integrals, void *const *, c->integrals ? (size_t)desc->sensitivity.n_integrals : 0)

enum { ENTRY = 8 };

/* Of a stochastic system. */
static size_t pieces_of(const lrnde_course *c)
{
    return c->noise ? (size_t)c->pieces.count : 0;
}

/* Steps that a launch accepts at most. */
static size_t steps_of(const lrnde_course *c)
{
    return c->ring ? (size_t)c->most : (size_t)c->slots;
}

size_t lrnde__cuda_course_bytes(const lrnde_model_desc *desc, const lrnde_system_desc *sys, const lrnde_course *c,
                                size_t *written)
{
    size_t slots = (size_t)c->slots, steps = steps_of(c), path = (size_t)c->path, bytes = sizeof *c;
    const size_t pieces = pieces_of(c);
#define LRNDE_X(name, type, entries) bytes += ENTRY * (entries);
    WRITTEN(LRNDE_X)
    *written = bytes;
    READ(LRNDE_X)
#undef LRNDE_X
    return bytes;
}

void lrnde__cuda_course_put(const lrnde_model_desc *desc, const lrnde_system_desc *sys, const lrnde_course *c, char *host,
                            CUdeviceptr device)
{
    size_t slots = (size_t)c->slots, steps = steps_of(c), path = (size_t)c->path, at = sizeof *c;
    const size_t pieces = pieces_of(c);
    lrnde_course there = *c;
    there.met = 0;
#define LRNDE_X(name, type, entries)                                                                                             \
    {                                                                                                                            \
        size_t n = (entries);                                                                                                    \
        if (n) memcpy(host + at, c->name, ENTRY * n);                                                                            \
        there.name = n ? (type)(uintptr_t)(device + at) : NULL;                                                                  \
        at += ENTRY * n;                                                                                                         \
    }
    WRITTEN(LRNDE_X)
    READ(LRNDE_X)
#undef LRNDE_X
    memcpy(host, &there, sizeof there);
}

void lrnde__cuda_course_get(const lrnde_system_desc *sys, lrnde_course *c, const char *host)
{
    const size_t steps = steps_of(c), pieces = pieces_of(c);
    size_t at = sizeof *c;
    lrnde_course back;
    memcpy(&back, host, sizeof back);
#define LRNDE_X(name, type, entries)                                                                                             \
    {                                                                                                                            \
        const size_t n = (entries);                                                                                              \
        if (n) memcpy(c->name, host + at, ENTRY * n);                                                                            \
        at += ENTRY * n;                                                                                                         \
        back.name = c->name;                                                                                                     \
    }
    WRITTEN(LRNDE_X)
#undef LRNDE_X
#define LRNDE_X(name, type, entries) back.name = c->name;
    READ(LRNDE_X)
#undef LRNDE_X
    *c = back;
}
