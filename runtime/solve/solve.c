/*
 * solve.c - the forward solve: the initial state, the integration with what looks at its steps, the outputs.
 */
#include "solve/solver.h"

/* u0 and the constants of the solve, from data or as set. */
static void initial_state(lrnde_solver *s, void *u)
{
    if (s->desc->init.tile) {
        lrnde_args a = s->args;
        a.data = lrnde__data_at(s, 0);
        a.out = s->initial;
        s->driver->launch(s->device, &s->desc->init, &a, NULL);
    }
    s->driver->copy(s->device, u, s->initial[0], lrnde__sample_bytes(s, s->desc->state));
}

static void look_at_step(lrnde__run *r, int64_t n)
{
    lrnde__saves_step(r, n);
    lrnde__local_step(r, n);
    lrnde__retrace_step(r, n);
}

/* Save times, and the time of the local step; what is decided at every step must see every step. */
static double next_look(const lrnde__run *r)
{
    const lrnde_solver *s = r->s;
    const lrnde__saves *v = &s->saves;
    const lrnde__local *l = &s->local;
    int waits = l->choice == LRNDE__AT_TIME && !l->taken;
    double t1 = s->options.t1, t = v->done < v->n ? v->t[v->done] : t1;
    int retraces = s->retrace.u && s->desc->sensitivity.checkpoints;
    if (retraces || (l->choice != LRNDE__NO_LOCAL && l->choice != LRNDE__AT_TIME)) return r->t;
    return waits && (t - l->t_reg) * (t1 - r->t) > 0 ? l->t_reg : t;
}

/* Steps of a mesh or of fixed length; those there cannot be are not prepared for. */
static int64_t known_steps(const lrnde_solver *s, size_t m, double length)
{
    if (m) return (int64_t)m - 1;
    double n = s->options.h != 0 ? lrnde__fixed_steps(length, s->options.h) : 0;
    return n <= (double)s->options.max_steps ? (int64_t)n : 0;
}

static lrnde_status forward(lrnde_solver *s, const double *mesh, size_t m, int keep)
{
    const lrnde_model_desc *desc = s->desc;
    lrnde__run *r = &s->forward;
    double t0 = m ? mesh[0] : s->options.t0, t1 = m ? mesh[m - 1] : s->options.t1;
    int record = keep && !desc->sensitivity.state; /* a sweep that solves u back has no use for one */
    int dense = desc->adjoint || lrnde__saves_inside(s, t0, t1) ||
                (s->local.choice != LRNDE__NO_LOCAL && (desc->regularizer.gradient == LRNDE_TOTAL || s->driver->run));
    int tape = !desc->adjoint && desc->forward->step_tape.tile;
    s->solved = s->recorded = s->meshed = s->differentiated = 0;
    LRNDE_TRY(lrnde__inputs_make(s));
    if (r->noise && !(t1 > t0))
        return lrnde__fail(s, LRNDE_ERR_ARGUMENT, "a stochastic equation is solved forwards in time, not from %.9g to %.9g", t0,
                           t1);
    s->forward_record.expected = known_steps(s, m, t1 - t0);
    LRNDE_TRY(lrnde__record_open(s, &s->forward_record, desc->forward, record ? lrnde__store_keep(s) : LRNDE__KEEP_NOTHING,
                                 record && dense, record && tape));
    lrnde__retrace_forget(s);
    initial_state(s, lrnde__slot_at(&s->forward_record, 0)->carry[0]);
    r->accepted = look_at_step;
    r->look = next_look;
    r->atol = s->options.atol;
    r->rtol = s->options.rtol;
    LRNDE_TRY(lrnde__run_start(r, t0, t1, !m));
    lrnde__saves_start(s);
    LRNDE_TRY(m ? lrnde__run_mesh(r, mesh, m) : lrnde__run_to(r, t1));
    if (r->noise) LRNDE_TRY(lrnde__noise_end(r));
    LRNDE_TRY(lrnde__record_close(s, &s->forward_record));
    LRNDE_TRY(lrnde__heads(s, &s->desc->head, s->saves.u, 1, 1));
    s->solved = 1;
    s->recorded = keep;
    s->meshed = record;
    s->on_mesh = m > 0;
    s->mesh_points = s->forward_record.steps + 1;
    return LRNDE_OK;
}

/* The caller's save times, else those set, else the end. */
static lrnde_status set_saves(lrnde_solver *s, const double *t, size_t n, double t0, double t1)
{
    if (t) return lrnde__saves_set(s, t, (int64_t)n, t0, t1);
    return s->n_default ? lrnde__saves_set(s, s->default_t, s->n_default, t0, t1) : lrnde__saves_set(s, &t1, 1, t0, t1);
}

/* With the save times there are, keeping less until it fits. */
static lrnde_status solve(lrnde_solver *s, const double *mesh, size_t m, int keep)
{
    lrnde__choice choice = s->local.choice;
    double t_reg = s->local.t_reg, h = s->local.given_h;
    lrnde_status status;
    lrnde__run_trust(&s->forward);
    while ((status = forward(s, mesh, m, keep)) && (lrnde__run_again(&s->forward) || (keep && lrnde__store_less(s))))
        lrnde__local_begin(s, choice, t_reg, h);
    return status ? s->error.status : LRNDE_OK;
}

lrnde_status lrnde__solve(lrnde_solver *s, const double *mesh, size_t m, const double *t, size_t n, int keep)
{
    LRNDE_TRY(set_saves(s, t, n, m ? mesh[0] : s->options.t0, m ? mesh[m - 1] : s->options.t1));
    return solve(s, mesh, m, keep);
}

lrnde_status lrnde__solve_again(lrnde_solver *s)
{
    size_t m = s->on_mesh ? (size_t)s->mesh_points : 0;
    double *mesh = lrnde__host(s, m * sizeof *mesh); /* the record that has it is written anew */
    if (!mesh) return s->error.status;
    for (size_t i = 0; i < m; i++) mesh[i] = s->forward_record.slot[i].t;
    lrnde__local_begin(s, LRNDE__NO_LOCAL, 0, 0);
    lrnde_status status = solve(s, mesh, m, 1);
    lrnde__release(s, mesh);
    return status;
}

lrnde_status lrnde_solve(lrnde_solver *s, const double *t, size_t n, lrnde_stats *stats)
{
    lrnde__local_begin(s, LRNDE__NO_LOCAL, 0, 0);
    lrnde_status status = lrnde__solve(s, NULL, 0, t, n, s->options.training);
    if (stats) *stats = s->forward.stats;
    return status;
}

lrnde_status lrnde_solve_mesh(lrnde_solver *s, const double *mesh, size_t m, const double *t, size_t n, lrnde_stats *stats)
{
    for (size_t i = 1; i < m; i++)
        if (!((mesh[i] - mesh[i - 1]) * (mesh[m - 1] - mesh[0]) > 0))
            return lrnde__fail(s, LRNDE_ERR_ARGUMENT, "mesh point %zu, %.9g, does not move on from %.9g", i, mesh[i],
                               mesh[i - 1]);
    if (m < 2) return lrnde__fail(s, LRNDE_ERR_ARGUMENT, "a mesh has at least two points");
    lrnde__local_begin(s, LRNDE__NO_LOCAL, 0, 0);
    lrnde_status status = lrnde__solve(s, mesh, m, t, n, s->options.training);
    if (stats) *stats = s->forward.stats;
    return status;
}
