/* libcuda_old.c - a driver library from before there was cuLaunchKernel. */
#define LACKS_LAUNCH
#include "libcuda.c"
