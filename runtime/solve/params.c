/*
 * params.c - parameters before training: every element of every leaf is a function of (seed, leaf, element), whatever the
 * device and the order.
 */
#include "solve/solver.h"

#include "io/rng.h"

#include <math.h>

static double draw(const lrnde_param_desc *leaf, uint64_t seed, uint32_t index, int64_t element)
{
    if (leaf->values) return leaf->values[element];
    double uniform = lrnde__uniform(seed, LRNDE__STREAM_INIT, index, (uint64_t)element);
    switch (leaf->init) {
    case LRNDE_INIT_CONSTANT: return leaf->a;
    case LRNDE_INIT_UNIFORM: return leaf->a + (leaf->b - leaf->a) * uniform;
    case LRNDE_INIT_GLOROT: return leaf->a * sqrt(6 / leaf->b) * (2 * uniform - 1);
    }
    return NAN;
}

void lrnde__draw_params(lrnde_solver *s)
{
    const lrnde_model_desc *desc = s->desc;
    for (int32_t i = 0; i < desc->n_param_leaves; i++) {
        const lrnde_param_desc *leaf = &desc->param_leaves[i];
        for (int64_t e = 0; e < (int64_t)leaf->rows * leaf->cols; e++) {
            double value = draw(leaf, s->options.seed, (uint32_t)i, e);
            if (desc->real_bytes == sizeof(float))
                ((float *)s->staging)[leaf->offset + e] = (float)value;
            else
                ((double *)s->staging)[leaf->offset + e] = value;
        }
    }
    s->driver->put(s->device, s->params, s->staging, (size_t)desc->n_params * (size_t)desc->real_bytes);
}
