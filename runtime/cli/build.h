/*
 * build.h - from a model file to a loaded model: runs lrnde-gen, then the C compiler, then loads the result.
 *
 * Shared objects are kept in $LRNDE_CACHE (default ~/.cache/lrnde), named by a hash of everything that made them: generated
 * text, kernel.h, flags, compiler and, because code is made for this CPU, its features.  They appear by rename, so that any
 * number of processes may build at once.  Text is generated again when a file has changed that it was made from (record.h).
 */
#ifndef LRNDE_CLI_BUILD_H
#define LRNDE_CLI_BUILD_H

#include "cli/options.h"
#include "kernel.h"

typedef struct build_request {
    const char *model_file;
    const char *method; /* NULL: the model's */
    const char *device; /* what is going to run it, as users name it; NULL: any */
    option_texts set;   /* KEY=VALUE */
} build_request;

/*
 * On EXIT_DONE *model is loaded and stays so until the process ends.  Else returns EXIT_INPUT if the model is wrong, or
 * EXIT_INTERNAL; stderr says why.
 */
int build_model(const build_request *request, const options_tool *tool, const lrnde_model_desc **model);

#endif
