/* normal.h - standard normal numbers, and the uniform ones they are made of; see normal.def. */
#ifndef LRNDE_IO_NORMAL_H
#define LRNDE_IO_NORMAL_H

#include <math.h>
#include <string.h>

#define NORMAL(...) __VA_ARGS__
#define FUNCTION    static inline
#include "normal.def"
#undef NORMAL
#undef FUNCTION

#endif
