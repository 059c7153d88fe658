/*
 * course.h - a course (kernel.h) on its way to a device and back: one piece of memory, what is written first.
 */
#ifndef LRNDE_CUDA_COURSE_H
#define LRNDE_CUDA_COURSE_H

#include "api.h"
#include "kernel.h"

/* Bytes of the piece of a course of system sys; written: of those at its beginning that a launch writes. */
size_t lrnde__cuda_course_bytes(const lrnde_model_desc *desc, const lrnde_system_desc *sys, const lrnde_course *c,
                                size_t *written);

/* Makes of the piece at `host`, of which `device` is going to be a copy, a course whose tables lie in it. */
void lrnde__cuda_course_put(const lrnde_model_desc *desc, const lrnde_system_desc *sys, const lrnde_course *c, char *host,
                            CUdeviceptr device);

/* What a launch has written in the piece, into the caller's course and the tables there. */
void lrnde__cuda_course_get(const lrnde_system_desc *sys, lrnde_course *c, const char *host);

#endif
