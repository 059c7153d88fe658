/* process.h - other programs, and where this one lies. */
#ifndef LRNDE_CLI_PROCESS_H
#define LRNDE_CLI_PROCESS_H

/*
 * Runs argv[0] (searched for in PATH if it has no slash) and waits.  output: the first line it prints, or NULL to let it print
 * to our stderr.  Returns its exit code, or -1 if it could not be run or was killed.
 */
int process_run(char *const argv[], char *output, int size);

/* The path of what process_run would run: in PATH if it has no slash; NULL if there is none.  The caller frees it. */
char *process_find(const char *program);

/* The first of this program's parent folders in which `file` exists, as "FOLDER/file"; NULL if none.  The caller frees it. */
char *process_find_above(const char *file);

#endif
