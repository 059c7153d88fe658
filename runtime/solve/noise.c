/*
 * noise.c - the Brownian increments of a stochastic solve: drawn for trial steps, cut where a step is rejected, kept for the
 * way back.
 *
 * The normal numbers of draw d are functions of (seed, path, training step; d, sample, component): whatever the batch, the
 * threads or the device.  What was drawn is never forgotten, or rejecting would choose among paths: a rejected step gives back
 * its pieces of the path, and shorter steps use them up first, cutting one in two by a Brownian bridge:
 *
 *   W(q L) = q W(L) + sqrt(q (1 - q) L) N(0, 1)        (RSwM3: Rackauckas & Nie, Discrete Contin. Dyn. Syst. B 22(7), 2017)
 *
 * Steps of given lengths are not rejected: the increments of many are drawn at once.
 *
 * W and Z are cut alike, as independent motions.  Pieces are doubles on the device, and so is all that is done to them; a step's
 * increments, rounded to the model's precision, go to arrays of its own, which the sweep back reads and callers may get and set.
 */
#include "solve/solver.h"

#include "io/rng.h"

#include <math.h>

enum { AHEAD_BYTES = 1 << 22 }; /* of increments that are drawn at once */

/* Of a step: what is left beyond it is rounding. */
static const double SLIVER = 1e-14;

static int64_t entries(const lrnde_solver *s)
{
    return s->lanes * s->desc->state;
}

static int64_t numbers(const lrnde_solver *s)
{
    return s->desc->forward->n_noise * entries(s);
}

/* The next n draws, scaled: to (n, 2) arrays (tiles, state, T), of W and, where there is one, of Z. */
static void draw_normals(lrnde_solver *s, lrnde__noise *v, int32_t n, const double *scale, void *const *to, int rounded)
{
    const lrnde_draw draw = {.key = v->key,
                             .draw = v->draws,
                             .batch = s->options.batch,
                             .tile = s->tile,
                             .tiles = (int32_t)(s->lanes / s->tile),
                             .size = s->desc->state};
    v->draws += (uint32_t)n;
    s->driver->normals(s->device, &draw, n, scale, to, rounded);
}

/* x = scale N(0, 1), (n_noise, tiles, state, T). */
static void draw_piece(lrnde_solver *s, lrnde__noise *v, double scale, double *x)
{
    draw_normals(s, v, 1, &scale, (void *[]){x, s->desc->forward->n_noise == 2 ? x + entries(s) : NULL}, 0);
}

/* ---- pieces of the path ---- */

static void push(lrnde__piece **list, lrnde__piece *piece)
{
    piece->next = *list;
    *list = piece;
}

static lrnde__piece *pop(lrnde__piece **list)
{
    lrnde__piece *top = *list;
    if (top) *list = top->next;
    return top;
}

static void move_all(lrnde__piece **from, lrnde__piece **to)
{
    while (*from) push(to, pop(from));
}

static lrnde__piece *blank(lrnde_solver *s, lrnde__noise *v, double length)
{
    lrnde__piece *piece = pop(&v->spare);
    if (!piece) {
        piece = lrnde__host(s, sizeof *piece);
        if (!piece || !(piece->x = lrnde__device(s, (size_t)numbers(s) * sizeof(double)))) return NULL;
    }
    piece->length = length;
    return piece;
}

/* The path beyond all that has been drawn. */
static lrnde__piece *drawn(lrnde_solver *s, lrnde__noise *v, double length)
{
    lrnde__piece *piece = blank(s, v, length);
    if (piece) draw_piece(s, v, sqrt(length), piece->x);
    return piece;
}

/* Cuts a piece at `length`: it keeps the first part, the rest is to come. */
static lrnde_status cut(lrnde_solver *s, lrnde__noise *v, lrnde__piece *first, double length)
{
    lrnde__piece *scratch = blank(s, v, 0), *rest = scratch ? blank(s, v, first->length - length) : NULL;
    if (scratch) push(&v->spare, scratch);
    if (!rest) return s->error.status;
    double q = length / first->length, *whole = first->x;
    draw_piece(s, v, sqrt(q * (1 - q) * first->length), rest->x);
    first->x = scratch->x, scratch->x = whole;
    s->driver->combine(s->device, first->x, 0, q, whole, 1, rest->x, numbers(s));
    s->driver->combine(s->device, rest->x, 0, 1, whole, -1, first->x, numbers(s));
    first->length = length;
    push(&v->future, rest);
    return LRNDE_OK;
}

/* *sum = the path over the next `length`; `used` becomes its pieces, the latest on top. */
static lrnde_status take(lrnde_solver *s, lrnde__noise *v, double length, const double **sum)
{
    *sum = NULL;
    for (double left = length; left > SLIVER * length;) {
        lrnde__piece *next = v->future ? pop(&v->future) : drawn(s, v, left);
        if (!next) return s->error.status;
        push(&v->used, next);
        if (next->length > left + SLIVER * length) LRNDE_TRY(cut(s, v, next, left));
        left -= next->length;
        if (!*sum) {
            *sum = next->x;
            continue;
        }
        if (!v->sum && !(v->sum = lrnde__device(s, (size_t)numbers(s) * sizeof *v->sum))) return s->error.status;
        s->driver->combine(s->device, v->sum, 0, 1, *sum, 1, next->x, numbers(s));
        *sum = v->sum;
    }
    return LRNDE_OK;
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
    return r->noise->table + n % r->noise->room * r->sys->n_noise;
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
    return reserve(s, noise, 0);
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
    move_all(&v->used, &v->spare);
    move_all(&v->future, &v->spare);
    philox4x32_ctr_t word =
        lrnde__random(r->s->options.seed, (lrnde__stream)v->stream, (uint32_t)r->s->path, (uint64_t)r->s->step);
    v->key = (uint64_t)word.v[1] << 32 | word.v[0];
    v->draws = 0;
    v->ahead = 0;
    return LRNDE_OK;
}

int32_t lrnde__noise_at_once(const lrnde__run *r)
{
    const size_t each = (size_t)r->sys->n_noise * lrnde__sample_bytes(r->s, r->s->desc->state), n = AHEAD_BYTES / each;
    return n < 1 ? 1 : n > LRNDE__UNSEEN ? LRNDE__UNSEEN : (int32_t)n;
}

lrnde_status lrnde__noise_ahead(lrnde__run *r, const double *t, int32_t n)
{
    lrnde__noise *v = r->noise;
    const int64_t first = r->record->steps;
    double scale[LRNDE__UNSEEN];
    void *to[2 * LRNDE__UNSEEN] = {NULL};
    if (v->held) return LRNDE_OK;
    LRNDE_TRY(reserve(r->s, v, r->record->keep ? first + n - 1 : n - 1));
    for (int32_t j = 0; j < n; j++) {
        scale[j] = sqrt(fabs(t[j] - (j ? t[j - 1] : r->t)));
        for (int32_t q = 0; q < r->sys->n_noise; q++) to[2 * j + q] = lrnde__noise_at(r, first + j)[q];
    }
    draw_normals(r->s, v, n, scale, to, 1);
    v->ahead = first + n;
    return LRNDE_OK;
}

lrnde_status lrnde__noise_trial(lrnde__run *r, int64_t n, double h)
{
    lrnde__noise *v = r->noise;
    const double *sum;
    if (v->held) return n < v->held ? LRNDE_OK : check_steps(r, n + 1);
    if (n < v->ahead) return LRNDE_OK;
    LRNDE_TRY(reserve(r->s, v, r->record->keep ? n : 0));
    move_all(&v->used, &v->future);
    LRNDE_TRY(take(r->s, v, fabs(h), &sum));
    put(r->s, sum, lrnde__noise_at(r, n));
    return LRNDE_OK;
}

void lrnde__noise_accept(lrnde__run *r, int64_t n)
{
    r->noise->steps = n + 1;
    move_all(&r->noise->used, &r->noise->spare);
}

lrnde_status lrnde__noise_end(const lrnde__run *r)
{
    return check_steps(r, r->noise->steps);
}
