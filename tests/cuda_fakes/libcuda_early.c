/* libcuda_early.c - a driver library from before there were graphs that one can instantiate with flags. */
#define LACKS_GRAPHS
#include "libcuda.c"
