/*
 * weights.h - a model's parameter vector as named tensors.
 *
 * Leaves that share a key are columns of one tensor: (W | w_t) of a layer with time is one (rows, cols + 1) tensor with the
 * time column last.  Numbers convert between F32 and F64.  What else has the shape of the parameters (an optimizer's slots)
 * is stored under a prefix: "optimizer/0/dynamics.0.weight".
 */
#ifndef LRNDE_IO_WEIGHTS_H
#define LRNDE_IO_WEIGHTS_H

#include "io/safetensors.h"

lrnde_status lrnde__weights_add(lrnde__tensors *f, const lrnde_model_desc *model, const char *prefix, const void *params,
                                lrnde_error *e);

/* The tensors the model wants must be there with its shapes, and none without a prefix that it does not know. */
lrnde_status lrnde__weights_extract(const lrnde__tensors *f, const char *path, const lrnde_model_desc *model, const char *prefix,
                                    void *params, lrnde_error *e);

#endif
