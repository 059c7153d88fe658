/* arguments.c - see arguments.h. */
#include "arguments.h"

#include <stdio.h>
#include <string.h>

/*
 * The tables of each kernel besides data, constants and cot_constants, which are as long for all; a kernel without a line
 * here does not compile.  Of a system: f components, all of the carry, k interior stages, `dense` with the extra ones; f of a
 * stochastic system is drift and diffusion.
 */
#define TABLES_rhs            .carry = f, .external = external > 0, .out = f
#define TABLES_first          .carry = f, .in = f
#define TABLES_second         .carry = f, .in = f, .external = external > 0
#define TABLES_step           .carry = all, .noise = noise, .external = external, .next = all, .k = k
#define TABLES_step_tape      TABLES_step
#define TABLES_extra          .carry = all, .next_in = all, .k_in = dense, .k = dense, .external = external
#define TABLES_dense          .carry = all, .next_in = all, .k_in = dense, .out = 1
#define TABLES_rev_rhs        .carry = all, .cot_next = f, .cot_carry = f
#define TABLES_rev_step       .carry = all, .noise = noise, .next_in = all, .cot_next = all, .cot_carry = all
#define TABLES_rev_step_full  TABLES_rev_step, .k_in = dense, .cot_k = dense, .cot_sums = sums
#define TABLES_rev_dense      .carry = all, .next_in = all, .k_in = dense, .in = 1, .cot_carry = all, .out = all + dense
#define TABLES_integrand      .carry = 1, .external = 1, .in = integrals, .out = integrals
#define TABLES_miss           .carry = all, .in = 1
#define TABLES_local          .carry = all, .noise = noise, .next_in = all, .k_in = k
#define TABLES_cot_local      TABLES_local, .cot_sums = sums + sys->local.n_sums
#define TABLES_rev_local      TABLES_cot_local, .cot_carry = 1
#define TABLES_rev_step_local TABLES_cot_local, .cot_next = all, .cot_carry = all

#define TABLES_init       .out = 1 + desc->n_constants
#define TABLES_rev_init   .in = 1 + desc->n_constants, .out = desc->n_inputs
#define TABLES_head       .in = 1, .out = desc->n_outputs
#define TABLES_ensemble   .in = desc->n_outputs, .out = desc->n_outputs
#define TABLES_rev_head   .in = 1, .out = 1
#define TABLES_rev_output .in = 1 + desc->n_outputs, .out = 1
#define TABLES_locate     .carry = 1, .out = 1
#define TABLES_update     .in = desc->train.n_slots, .out = 1 + desc->train.n_slots

/* The part each kernel is compiled in: those that take long by themselves, the others with what is needed when they are. */
#define PART_rhs           COMMON
#define PART_first         COMMON
#define PART_second        COMMON
#define PART_step          STEP
#define PART_step_tape     STEP_TAPE
#define PART_extra         COMMON
#define PART_dense         COMMON
#define PART_rev_rhs       REVERSE
#define PART_rev_step      REV_STEP
#define PART_rev_step_full REV_STEP_FULL
#define PART_rev_dense     REVERSE
#define PART_integrand     REVERSE
#define PART_miss          REVERSE

#define PART_init           COMMON
#define PART_rev_init       REVERSE
#define PART_head           COMMON
#define PART_ensemble       RARE
#define PART_rev_head       REVERSE
#define PART_rev_output     RARE
#define PART_local          REVERSE
#define PART_rev_local      REV_LOCAL
#define PART_rev_step_local REV_STEP_LOCAL
#define PART_locate         RARE
#define PART_update         REVERSE

#define JOINED(a, b) a##b
#define PART(name)   JOINED(LRNDE__CUDA_, name)

lrnde__cuda_entry lrnde__cuda_entry_of(const lrnde_model_desc *desc, const char *what, const char *ending, lrnde__cuda_part part)
{
    lrnde__cuda_entry e = {.part = part};
    snprintf(e.name, sizeof e.name, "%s_%s_%s%s", desc->name, what, desc->real_bytes == sizeof(float) ? "f32" : "f64", ending);
    return e;
}

typedef struct listing {
    const lrnde_model_desc *desc;
    lrnde__cuda_kernel *list;
    int32_t n;
} listing;

static void add(listing *l, const char *prefix, const lrnde_kernel *kernel, lrnde__cuda_part part, lrnde__cuda_lengths lengths)
{
    char what[64];
    if (!kernel->tile && !kernel->shared) return;
    lrnde__cuda_kernel *k = &l->list[l->n++];
    *k = (lrnde__cuda_kernel){.kernel = kernel, .lengths = lengths};
    k->lengths.data = l->desc->n_inputs;
    k->lengths.constants = k->lengths.cot_constants = l->desc->n_constants;
    snprintf(what, sizeof what, "%s%s", prefix, kernel->name);
    if (kernel->tile) k->tile = lrnde__cuda_entry_of(l->desc, what, "_tile", part);
    if (kernel->shared) k->shared = lrnde__cuda_entry_of(l->desc, what, "_shared", part);
}

static void add_system(listing *l, const char *prefix, const lrnde_system_desc *sys)
{
    int32_t f = sys->n_noise ? 2 : sys->n_components, all = sys->n_carry, k = sys->n_k, dense = sys->n_k + sys->n_extra;
    int32_t external = sys->n_external, noise = sys->n_noise, sums = sys->n_sums;
    int32_t integrals = l->desc->sensitivity.n_integrals * (l->desc->sensitivity.differences ? 2 : 1);
    int solving = sys == l->desc->forward || sys == l->desc->forward->start;
#define ADJOINT_PART(name) PART(name) == LRNDE__CUDA_STEP ? LRNDE__CUDA_ADJOINT_STEP : LRNDE__CUDA_ADJOINT
#define LRNDE_X(name, doc)                                                                                                       \
    add(l, prefix, &sys->name, solving ? PART(PART_##name) : ADJOINT_PART(PART_##name), (lrnde__cuda_lengths){TABLES_##name});
    LRNDE_SYSTEM_KERNELS(LRNDE_X)
#undef LRNDE_X
}

int32_t lrnde__cuda_kernels(const lrnde_model_desc *desc, lrnde__cuda_kernel *list)
{
    listing l = {.desc = desc, .list = list};
    lrnde_named_system systems[LRNDE_MOST_SYSTEMS];
    int32_t n = lrnde_systems(desc, systems);
    for (int32_t i = 0; i < n; i++) add_system(&l, systems[i].prefix, systems[i].system);
#define LRNDE_X(name, doc) add(&l, "", &desc->name, PART(PART_##name), (lrnde__cuda_lengths){TABLES_##name});
    LRNDE_MODEL_KERNELS(LRNDE_X)
#undef LRNDE_X
    return l.n;
}

size_t lrnde__cuda_tables_bytes(const lrnde__cuda_lengths *n)
{
    size_t entries = 0;
#define LRNDE_X(name) entries += (size_t)n->name;
    LRNDE__CUDA_TABLES(LRNDE_X)
#undef LRNDE_X
    return entries * sizeof(CUdeviceptr);
}

void lrnde__cuda_move_tables(const lrnde__cuda_lengths *n, lrnde_args *args, char *host, CUdeviceptr device)
{
#define LRNDE_X(name)                                                                                                            \
    {                                                                                                                            \
        size_t bytes = args->name ? (size_t)n->name * sizeof(CUdeviceptr) : 0;                                                   \
        if (bytes) memcpy(host, args->name, bytes);                                                                              \
        args->name = bytes ? (void *)(uintptr_t)device : NULL;                                                                   \
        host += bytes;                                                                                                           \
        device += bytes;                                                                                                         \
    }
    LRNDE__CUDA_TABLES(LRNDE_X)
#undef LRNDE_X
}
