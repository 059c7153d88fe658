/*
 * courses.h - what a kernel that goes a course does, by the kernels in C: one thing after another, sums in the order of the CPU.
 * Included where launches are known.
 */
#ifndef CUDA_FAKES_COURSES_H
#define CUDA_FAKES_COURSES_H

/* Both phases; chunks: those of the second. */
static int64_t run_phases(const entry *e, const lrnde_kernel *k, const lrnde_args *a)
{
    int64_t chunks = k->shared ? (k->shared_size + LRNDE_CHUNK - 1) / LRNDE_CHUNK : 0;
    size_t real = (size_t)e->function->desc->real_bytes;
    for (int64_t w = 0; k->shared && w < a->workers; w++)
        memset((char *)a->partial + (size_t)w * a->partial_stride * real, 0, (size_t)k->partial * real);
    for (int64_t w = 0; w < a->workers; w++)
        k->tile(a, (int32_t)(a->tiles * w / a->workers), (int32_t)(a->tiles * (w + 1) / a->workers), (int32_t)w);
    for (int64_t c = 0; c < chunks; c++) {
        int64_t end = (c + 1) * LRNDE_CHUNK;
        k->shared(a, c * LRNDE_CHUNK, end < k->shared_size ? end : k->shared_size);
    }
    return chunks;
}

static double take_step(const entry *e, lrnde_args *a, double sums[LRNDE_MAX_SUMS])
{
    const lrnde_system_desc *sys = e->function->sys;
    const int64_t rows = a->tiles + run_phases(e, e->function->kernel, a);
    double n = 0;
    memset(sums, 0, LRNDE_MAX_SUMS * sizeof *sums);
    for (int64_t row = 0; row < rows; row++)
        for (int32_t q = 0; q < sys->n_sums; q++) sums[q] += a->sums[(size_t)row * (size_t)sys->n_sums + (size_t)q];
    for (int32_t i = 0; i < sys->n_controlled; i++) n += (double)sys->carry[i].size * (sys->carry[i].shared ? 1 : a->batch);
    return sys->finish(sums, n);
}

/* Of the forward solution at t, from the path: the last of its steps that is not after t, or the first. */
static void path_at(const entry *e, const lrnde_args *args, double t, void *u)
{
    const lrnde_system_desc *forward = e->function->desc->forward;
    const lrnde_course *c = e->course;
    lrnde_args a = *args;
    int32_t n = c->path - 1;
    while (n > 0 && (c->path_t[n] - t) * c->path_h[n] > 0) n--;
    a.s.t = c->path_t[n], a.s.h = c->path_h[n], a.s.theta = (t - a.s.t) / a.s.h;
    a.carry = (const void *const *)(c->path_carry + n * forward->n_carry);
    a.next_in = a.carry + forward->n_carry;
    a.k_in = (const void *const *)(c->path_k + n * (forward->n_k + forward->n_extra));
    a.out = &u;
    run_phases(e, &forward->dense, &a);
}

static void supply_states(const entry *e, lrnde_args *a)
{
    const lrnde_system_desc *sys = e->function->sys;
    for (int32_t i = sys->fsal; sys->n_external && i < sys->stages; i++)
        path_at(e, a, a->s.t + sys->external_c[i] * a->s.h, (void *)a->external[i]);
}

/* The rule that is part of an accepted step. */
static void integrate(const entry *e, const lrnde_args *step)
{
    const lrnde_sensitivity *how = &e->function->desc->sensitivity;
    const lrnde_system_desc *sys = e->function->sys;
    lrnde_course *c = e->course;
    for (int32_t i = 0; c->integrals && i < how->n_nodes; i++) {
        lrnde_args a = *step;
        a.next_in = (const void *const *)step->next, a.k_in = (const void *const *)step->k;
        a.s.theta = how->nodes[i];
        a.out = &c->lambda;
        run_phases(e, &sys->dense, &a);
        a.s.t = step->s.t + how->nodes[i] * step->s.h;
        path_at(e, step, a.s.t, c->u);
        a.s.weight = -step->s.h * how->weights[i], a.s.difference = 0;
        a.carry = (const void *const *)&c->lambda, a.external = (const void *const *)&c->u;
        a.in = (const void *const *)c->integrals, a.out = c->integrals;
        run_phases(e, &sys->integrand, &a);
    }
}

/* What the step left to its end. */
static void derive(const entry *e, const lrnde_args *step, double t)
{
    const lrnde_system_desc *sys = e->function->sys;
    lrnde_args a = *step;
    a.s.t = t;
    a.carry = (const void *const *)step->next, a.out = step->next + sys->n_components;
    run_phases(e, &sys->rhs, &a);
}

/* The increments of the step to try, from the pieces of the path. */
static void make_increments(const entry *e, lrnde_args *a, int32_t slot)
{
    const lrnde_model_desc *desc = e->function->desc;
    const int32_t n_noise = e->function->sys->n_noise;
    lrnde_course *c = e->course;
    const long long n = (long long)a->tiles * desc->tile * desc->state;
    const lrnde_trial trial = lrnde_pieces_try(&c->pieces, fabs(a->s.h));
    double *const drawn = trial.drawn >= 0 ? c->piece[trial.drawn] : NULL, *const cut =
                                                                               trial.cut >= 0 ? c->piece[trial.cut] : NULL;
    threadIdx.x = blockIdx.x = 0, blockDim.x = gridDim.x = 1;
    if (drawn)
        normals_double(c->key, (unsigned)trial.draw, (unsigned)c->stream, a->batch, desc->tile, desc->state, n, 1, &trial.scale,
                       (void *[]){drawn, n_noise == 2 ? drawn + n : NULL}, 0);
    for (long long i = 0; cut && i < n_noise * n; i++) {
        const double whole = cut[i];
        cut[i] = trial.q * whole + drawn[i];
        drawn[i] = whole - cut[i];
    }
    a->noise = (const void *const *)(c->noise + slot * n_noise);
    for (long long i = 0; i < n_noise * n; i++) {
        double sum = ((double *)c->piece[c->pieces.used[0]])[i];
        for (int64_t k = 1; k < c->pieces.n_used; k++) sum += ((double *)c->piece[c->pieces.used[k]])[i];
        void *to = (void *)a->noise[i / n];
        if (desc->real_bytes == sizeof(float))
            ((float *)to)[i % n] = (float)sum;
        else
            ((double *)to)[i % n] = sum;
    }
}

static void run_course(const entry *e)
{
    const lrnde_system_desc *sys = e->function->sys;
    lrnde_course *c = e->course;
    lrnde_args a = e->args;
    double way = copysign(1, c->t1 - c->now), sums[LRNDE_MAX_SUMS], past[] = {c->past[0], c->past[1]};
    check_tables(e);
    MUST(!c->tape == (e->function->kernel == &sys->step) && c->met == 0, "%s: not its course", e->function->name);
    MUST(e->block == TILE_THREADS && (e->function->cluster || e->grid <= (unsigned)a.workers), "%s: %u blocks of %u",
         e->function->name, e->grid, e->block);
    c->accepted = c->rejected = c->over = 0;
    while (c->now != c->t1 && !c->over && (c->look - c->now) * way > 0 && c->slot < c->slots &&
           c->accepted + c->rejected < c->most && (!c->noise || c->pieces.n_spare > 0)) {
        int32_t slot = c->slot, end = c->ring && slot + 1 == c->slots ? 0 : slot + 1;
        a.s.t = c->now, a.s.h = c->tried = lrnde_clip(c->now, c->next, c->t1, c->shortest);
        a.s.h_1 = past[0], a.s.h_2 = past[1];
        if ((a.s.t + a.s.h - c->reach) * way > 0) break;
        a.carry = (const void *const *)(c->carry + slot * sys->n_carry);
        a.next = c->carry + end * sys->n_carry;
        a.k = c->k + slot * (sys->n_k + sys->n_extra);
        a.tape = c->tape ? c->tape[slot] : NULL;
        supply_states(e, &a);
        if (c->noise) make_increments(e, &a, slot);
        c->E = take_step(e, &a, sums);
        c->next = lrnde_control(&sys->controller, &c->e_old, c->E, c->tried);
        if (lrnde_accepts(c->E)) {
            c->t[c->accepted] = c->now, c->h[c->accepted] = c->tried;
            memcpy(c->sums + c->accepted * sys->n_sums, sums, (size_t)sys->n_sums * sizeof *sums);
            if (c->noise) lrnde_pieces_accept(&c->pieces);
            past[1] = past[0], past[0] = c->tried;
            c->now = lrnde_advance(c->now, c->tried, c->t1), c->slot = end, c->accepted++;
            integrate(e, &a);
            if (sys->late) derive(e, &a, c->now);
        } else {
            c->rejected++, c->over = lrnde_gives_up(c->tried, c->shortest);
        }
    }
}

#endif
