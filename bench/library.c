/* library.c - see library.h. */
#include "library.h"

#include <cblas.h>
#include <stdio.h>
#include <strings.h>

/* Vector instructions, each with those before it, and OpenBLAS's names of the kernels that use them. */
static const struct level {
    const char *name, *kernels[18];
} LEVELS[] = {
    {"SSE",
     {"Generic", "Katmai", "Coppermine", "Northwood", "Prescott", "Banias", "Core2", "Penryn", "Dunnington", "Nehalem", "Atom",
      "Nano", "Athlon", "Opteron", "Opteron_SSE3", "Barcelona", "Bobcat"}},
    {"AVX", {"Sandybridge", "Bulldozer", "Piledriver", "Steamroller"}},
    {"AVX2", {"Haswell", "Excavator", "Zen"}},
    {"AVX-512", {"SkylakeX", "Cooperlake", "SapphireRapids"}},
};
enum { N_LEVELS = sizeof LEVELS / sizeof *LEVELS };

/* The last of them that the processor has; -1: another kind of processor. */
static int of_processor(void)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f")) return 3;
    return __builtin_cpu_supports("avx2") ? 2 : __builtin_cpu_supports("avx") ? 1 : 0;
#else
    return -1;
#endif
}

/* The ones that kernels use; N_LEVELS: nothing is known of them. */
static int of_kernels(const char *name)
{
    for (int level = 0; level < N_LEVELS; level++)
        for (const char *const *kernels = LEVELS[level].kernels; *kernels; kernels++)
            if (!strcasecmp(name, *kernels)) return level;
    return N_LEVELS;
}

void bench_library(lrnde_bench_result *result, lrnde__json *config)
{
    static char library[96], note[160];
    char name[32] = "", version[32] = "";
    const char *kernels = openblas_get_corename();
    sscanf(openblas_get_config(), "%31s %31s", name, version);
    snprintf(library, sizeof library, "%s %s, kernels for %s", name, version, kernels);
    result->library = library;
    lrnde__json_string(config, "library", library);
    int has = of_processor(), uses = of_kernels(kernels);
    if (uses >= has) return;
    snprintf(note, sizeof note,
             "the matrix library's kernels use %s where this processor has %s ($OPENBLAS_CORETYPE chooses others)",
             LEVELS[uses].name, LEVELS[has].name);
    result->note = note;
}
