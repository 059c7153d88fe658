/* normals.h - normal numbers of a draw (driver.h) on the CPU. */
#ifndef LRNDE_C_NORMALS_H
#define LRNDE_C_NORMALS_H

#include "driver.h"

/* Those of a row, the lanes of a tile: of feature row % size of tile row / size.  In reals of so many bytes, to arrays of them. */
void lrnde__cpu_normals(const lrnde_draw *draw, double scale, int64_t row, size_t real_bytes, void *w, void *z);

#endif
