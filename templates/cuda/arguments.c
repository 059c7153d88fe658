/* arguments.c - see arguments.h. */
#include "arguments.h"

#include <stdio.h>
#include <string.h>

/*
 * The tables of each kernel besides data, constants and cot_constants, which are as long for all; a kernel without a line
 * here does not compile.  Of a system: f components, all of the carry, k interior stages, `dense` with the extra ones.
 */
#define TABLES_rhs           .carry = f, .external = external > 0, .out = f
#define TABLES_first         .carry = f, .in = f
#define TABLES_second        .carry = f, .in = f, .external = external > 0
#define TABLES_step          .carry = all, .external = external, .next = all, .k = k
#define TABLES_step_tape     TABLES_step
#define TABLES_extra         .carry = all, .next_in = all, .k_in = dense, .k = dense, .external = external
#define TABLES_dense         .carry = all, .next_in = all, .k_in = dense, .out = 1
#define TABLES_rev_rhs       .carry = all, .cot_next = f, .cot_carry = f
#define TABLES_rev_step      .carry = all, .next_in = all, .cot_next = all, .cot_carry = all
#define TABLES_rev_step_full TABLES_rev_step, .k_in = dense, .cot_k = dense, .cot_sums = sums
#define TABLES_rev_dense     .carry = all, .next_in = all, .k_in = dense, .in = 1, .cot_carry = all, .out = all + dense
#define TABLES_integrand     .carry = 1, .external = 1, .in = integrals, .out = integrals
#define TABLES_miss          .carry = all, .in = 1

#define TABLES_init           .out = 1 + desc->n_constants
#define TABLES_rev_init       .in = 1 + desc->n_constants, .out = desc->n_inputs
#define TABLES_head           .in = 1, .out = desc->n_outputs
#define TABLES_ensemble       .in = desc->n_outputs, .out = desc->n_outputs
#define TABLES_rev_head       .in = 1, .out = 1
#define TABLES_rev_output     .in = 1 + desc->n_outputs, .out = 1
#define TABLES_local          .carry = sys->n_carry, .next_in = sys->n_carry, .k_in = sys->n_k
#define TABLES_cot_local      TABLES_local, .cot_sums = sys->n_sums + desc->local.n_sums
#define TABLES_rev_local      TABLES_cot_local, .cot_carry = 1
#define TABLES_rev_step_local TABLES_cot_local, .cot_next = sys->n_carry, .cot_carry = sys->n_carry
#define TABLES_locate         .carry = 1, .out = 1
#define TABLES_update         .in = desc->train.n_slots, .out = 1 + desc->train.n_slots

typedef struct listing {
    const lrnde_model_desc *desc;
    lrnde__cuda_kernel *list;
    int32_t n;
} listing;

/* As the generator names them. */
static void add(listing *l, const char *prefix, const lrnde_kernel *kernel, lrnde__cuda_lengths lengths)
{
    if (!kernel->tile && !kernel->shared) return;
    lrnde__cuda_kernel *k = &l->list[l->n++];
    *k = (lrnde__cuda_kernel){.kernel = kernel, .lengths = lengths};
    k->lengths.data = l->desc->n_inputs;
    k->lengths.constants = k->lengths.cot_constants = l->desc->n_constants;
    snprintf(k->symbol, sizeof k->symbol, "%s_%s%s_%s", l->desc->name, prefix, kernel->name,
             l->desc->real_bytes == sizeof(float) ? "f32" : "f64");
}

static void add_system(listing *l, const char *prefix, const lrnde_system_desc *sys)
{
    int32_t f = sys->n_components, all = sys->n_carry, k = sys->n_k, dense = sys->n_k + sys->n_extra;
    int32_t external = sys->n_external, sums = sys->n_sums;
    int32_t integrals = l->desc->sensitivity.n_integrals * (l->desc->sensitivity.differences ? 2 : 1);
#define LRNDE_X(name, doc) add(l, prefix, &sys->name, (lrnde__cuda_lengths){TABLES_##name});
    LRNDE_SYSTEM_KERNELS(LRNDE_X)
#undef LRNDE_X
}

int32_t lrnde__cuda_kernels(const lrnde_model_desc *desc, lrnde__cuda_kernel *list)
{
    listing l = {.desc = desc, .list = list};
    const lrnde_system_desc *sys = desc->forward;
    add_system(&l, "", desc->forward);
    if (desc->adjoint) add_system(&l, "adjoint_", desc->adjoint);
#define LRNDE_X(name, doc) add(&l, "", &desc->name, (lrnde__cuda_lengths){TABLES_##name});
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
