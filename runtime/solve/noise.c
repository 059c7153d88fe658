/*
 * noise.c - the Brownian increments of a stochastic solve: drawn for trial steps, cut where a step is rejected, kept for the
 * way back.
 *
 * The normal numbers of draw d are functions of (seed, path, training step; d, sample, component): whatever the batch, the
 * threads or the device.  Which pieces of the path a step takes is decided by pieces.h.
 *
 * Steps of given lengths are not rejected: the increments of many are drawn at once.
 *
 * W and Z are cut alike, as independent motions.  Pieces are doubles on the device, and so is all that is done to them; a step's
 * increments, rounded to the model's precision, go to arrays of its own, which the sweep back reads and callers may get and set.
 */
#include "solve/solver.h"

#include "io/rng.h"

#include <math.h>
#include <string.h>

enum { AHEAD_BYTES = 1 << 22 }; /* of increments that are drawn at once */

static int64_t entries(const lrnde_solver *s)
{
    return s->lanes * s->desc->state;
}

static int64_t numbers(const lrnde_solver *s)
{
    return s->desc->forward->n_noise * entries(s);
}

/* n draws, scaled: to (n, 2) arrays (tiles, state, T), of W and, where there is one, of Z. */
static void draw_normals(lrnde_solver *s, const lrnde__noise *v, uint32_t first, int32_t n, const double *scale, void *const *to,
                         int rounded)
{
    const lrnde_draw draw = {.key = v->key,
                             .draw = first,
                             .batch = s->options.batch,
                             .tile = s->tile,
                             .tiles = (int32_t)(s->lanes / s->tile),
                             .size = s->desc->state};
    s->driver->normals(s->device, &draw, n, scale, to, rounded);
}

/* ---- pieces of the path ---- */

/* Makes room in a table; nonzero: there is no memory. */
static int widen(lrnde_solver *s, void *table, int64_t used, int64_t room, size_t element)
{
    void *old, *wider;
    memcpy(&old, table, sizeof old);
    if (!(wider = lrnde__grow(s, old, used, room, element))) return -1;
    memcpy(table, &wider, sizeof wider);
    return 0;
}

/* One more spare piece. */
static lrnde_status add_piece(lrnde_solver *s, lrnde__noise *v)
{
    lrnde_pieces *p = &v->pieces;
    const int64_t n = p->count, room = n < v->piece_room ? v->piece_room : 2 * n + 8;
    if (room > v->piece_room &&
        (widen(s, &p->length, n, room, sizeof *p->length) || widen(s, &p->future, n, room, sizeof *p->future) ||
         widen(s, &p->used, n, room, sizeof *p->used) || widen(s, &p->spare, n, room, sizeof *p->spare) ||
         widen(s, &v->piece, n, room, sizeof *v->piece)))
        return s->error.status;
    v->piece_room = room;
    if (!(v->piece[n] = lrnde__device(s, (size_t)numbers(s) * sizeof(double)))) return s->error.status;
    p->spare[p->n_spare++] = p->count++;
    return LRNDE_OK;
}

/* All pieces are spare. */
static void forget(lrnde_pieces *p)
{
    lrnde_pieces_accept(p);
    while (p->n_future > 0) p->spare[p->n_spare++] = p->future[--p->n_future];
    p->draws = 0;
}

/* Draws and cuts what a trial step needs; returns its increments, in double. */
static const double *make(lrnde_solver *s, lrnde__noise *v, const lrnde_trial *trial)
{
    const lrnde_pieces *p = &v->pieces;
    const int64_t n = numbers(s);
    if (trial->drawn >= 0) {
        double *w = v->piece[trial->drawn], *z = s->desc->forward->n_noise == 2 ? w + entries(s) : NULL;
        draw_normals(s, v, (uint32_t)trial->draw, 1, &trial->scale, (void *[]){w, z}, 0);
    }
    if (trial->cut >= 0) {
        double *whole = v->piece[trial->cut], *rest = v->piece[trial->drawn], *first = v->scratch;
        s->driver->combine(s->device, first, 0, trial->q, whole, 1, rest, n);
        s->driver->combine(s->device, rest, 0, 1, whole, -1, first, n);
        v->piece[trial->cut] = first, v->scratch = whole;
    }
    const double *sum = v->piece[p->used[0]];
    for (int64_t i = 1; i < p->n_used; sum = v->scratch, i++)
        s->driver->combine(s->device, v->scratch, 0, 1, sum, 1, v->piece[p->used[i]], n);
    return sum;
}

/* ---- what kernels read ---- */

/* Rounds the increments to the model's precision and puts them where kernels read them. */
static void put(lrnde_solver *s, const double *x, void *const *to)
{
    for (int32_t q = 0; q < s->desc->forward->n_noise; q++, x += entries(s))
        s->driver->combine(s->device, to[q], 1, 1, x, 0, x, entries(s));
}

void **lrnde__noise_at(const lrnde__run *r, int64_t n)
{
    const lrnde__noise *v = r->noise;
    const int64_t arrays = r->record->keep || v->held || v->ahead ? v->room : 2; /* else those of the two slots */
    return v->table + n % arrays * r->sys->n_noise;
}

/* Arrays for steps 0..n. */
static lrnde_status reserve(lrnde_solver *s, lrnde__noise *v, int64_t n)
{
    int64_t per_step = s->desc->forward->n_noise, more = v->room ? v->room : 1;
    if (n < v->room) return LRNDE_OK;
    while (v->room + more <= n) more *= 2;
    size_t bytes = lrnde__sample_bytes(s, s->desc->state);
    void **table = lrnde__grow(s, v->table, v->room * per_step, (v->room + more) * per_step, sizeof *table);
    char *memory = table ? lrnde__device(s, (size_t)(more * per_step) * bytes) : NULL;
    if (table) v->table = table;
    if (!memory) return s->error.status;
    for (int64_t i = 0; i < more * per_step; i++) table[v->room * per_step + i] = memory + (size_t)i * bytes;
    v->room += more;
    return LRNDE_OK;
}

/* ---- a run ---- */

lrnde_status lrnde__noise_plan(lrnde_solver *s, lrnde__run *r, lrnde__noise *noise, int stream)
{
    if (!r->sys->n_noise) return LRNDE_OK;
    r->noise = noise;
    noise->stream = stream;
    return reserve(s, noise, 1);
}

/* Whether increments that were set fit so many steps. */
static lrnde_status check_steps(const lrnde__run *r, int64_t steps)
{
    int64_t held = r->noise->held;
    if (!held || steps == held) return LRNDE_OK;
    return lrnde__fail(r->s, LRNDE_ERR_ARGUMENT, "noise was set for %lld steps, the solve has %lld", (long long)held,
                       (long long)steps);
}

lrnde_status lrnde__noise_begin(lrnde__run *r, int adaptive)
{
    lrnde__noise *v = r->noise;
    if (v->held && adaptive)
        return lrnde__fail(r->s, LRNDE_ERR_ARGUMENT, "noise was set: it is for the steps of a mesh, or of fixed length");
    forget(&v->pieces);
    philox4x32_ctr_t word =
        lrnde__random(r->s->options.seed, (lrnde__stream)v->stream, (uint32_t)r->s->path, (uint64_t)r->s->step);
    v->key = (uint64_t)word.v[1] << 32 | word.v[0];
    v->ahead = 0;
    return LRNDE_OK;
}

int32_t lrnde__noise_at_once(const lrnde__run *r)
{
    const size_t each = (size_t)r->sys->n_noise * lrnde__sample_bytes(r->s, r->s->desc->state);
    int32_t n = LRNDE__UNSEEN;
    while (n > 1 && (n * each > AHEAD_BYTES || (!r->record->keep && n > r->noise->room && !lrnde__fits(r->s, n * each)))) n /= 2;
    return n;
}

lrnde_status lrnde__noise_ahead(lrnde__run *r, const double *t, int32_t n)
{
    lrnde__noise *v = r->noise;
    const int64_t first = r->record->steps;
    double scale[LRNDE__UNSEEN];
    void *to[2 * LRNDE__UNSEEN] = {NULL};
    if (v->held) return LRNDE_OK;
    LRNDE_TRY(reserve(r->s, v, r->record->keep ? first + n - 1 : n - 1));
    v->ahead = first + n;
    for (int32_t j = 0; j < n; j++) {
        scale[j] = sqrt(fabs(t[j] - (j ? t[j - 1] : r->t)));
        for (int32_t q = 0; q < r->sys->n_noise; q++) to[2 * j + q] = lrnde__noise_at(r, first + j)[q];
    }
    draw_normals(r->s, v, (uint32_t)v->pieces.draws, n, scale, to, 1);
    v->pieces.draws += n;
    return LRNDE_OK;
}

lrnde_status lrnde__noise_trial(lrnde__run *r, int64_t n, double h)
{
    lrnde_solver *s = r->s;
    lrnde__noise *v = r->noise;
    if (v->held) return n < v->held ? LRNDE_OK : check_steps(r, n + 1);
    if (n < v->ahead) return LRNDE_OK;
    LRNDE_TRY(reserve(s, v, r->record->keep ? n : 0));
    if (!v->pieces.n_spare) LRNDE_TRY(add_piece(s, v));
    const lrnde_trial trial = lrnde_pieces_try(&v->pieces, fabs(h));
    const int scratch = trial.cut >= 0 || v->pieces.n_used > 1;
    if (scratch && !v->scratch && !(v->scratch = lrnde__device(s, (size_t)numbers(s) * sizeof *v->scratch)))
        return s->error.status;
    put(s, make(s, v, &trial), lrnde__noise_at(r, n));
    return LRNDE_OK;
}

lrnde_status lrnde__noise_lend(lrnde__run *r, lrnde_course *c)
{
    lrnde_solver *s = r->s;
    lrnde__noise *v = r->noise;
    const size_t n_noise = (size_t)r->sys->n_noise;
    LRNDE_TRY(reserve(s, v, r->record->keep ? r->record->steps + c->slots - 1 : 1));
    if (!v->pieces.n_spare && v->pieces.count < LRNDE_MAX_PIECES) LRNDE_TRY(add_piece(s, v));
    for (int32_t i = 0; i < c->slots; i++) {
        const int64_t n = c->ring ? i : r->record->steps + i;
        memcpy((void **)c->noise + (size_t)i * n_noise, lrnde__noise_at(r, n), n_noise * sizeof(void *));
    }
    c->piece = (void *const *)v->piece;
    c->pieces = v->pieces;
    c->key = v->key, c->stream = LRNDE__STREAM_NOISE;
    return LRNDE_OK;
}

void lrnde__noise_take_back(lrnde__run *r, const lrnde_course *c)
{
    r->noise->pieces = c->pieces;
    r->noise->steps = r->record->steps + c->accepted;
}

void lrnde__noise_accept(lrnde__run *r, int64_t n)
{
    r->noise->steps = n + 1;
    lrnde_pieces_accept(&r->noise->pieces);
}

lrnde_status lrnde__noise_end(const lrnde__run *r)
{
    return check_steps(r, r->noise->steps);
}
