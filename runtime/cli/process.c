/* process.c - see process.h. */
#include "cli/process.h"
#include "io/file.h"

#include <errno.h>
#include <limits.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int process_run(char *const argv[], char *output, int size)
{
    int ends[2], status;
    pid_t child;
    posix_spawn_file_actions_t actions;
    if (output && pipe(ends)) return -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, output ? ends[1] : STDERR_FILENO, STDOUT_FILENO);
    if (output) posix_spawn_file_actions_addclose(&actions, ends[0]);
    int failed = posix_spawnp(&child, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (output) {
        char rest[256];
        close(ends[1]);
        FILE *from = fdopen(ends[0], "r");
        if (!from || !fgets(output, size, from)) *output = '\0';
        output[strcspn(output, "\n")] = '\0';
        while (from && fgets(rest, sizeof rest, from)) continue;
        if (from) fclose(from);
    }
    if (failed) return -1;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

char *process_find(const char *program)
{
    const char *folder = getenv("PATH");
    if (strchr(program, '/')) return lrnde__format("%s", program);
    for (size_t n; folder && *folder; folder += n + (folder[n] == ':')) {
        n = strcspn(folder, ":");
        char *path = lrnde__format("%.*s/%s", n ? (int)n : 1, n ? folder : ".", program);
        if (path && !access(path, X_OK)) return path;
        free(path);
    }
    return NULL;
}

char *process_find_above(const char *file)
{
    char folder[PATH_MAX], *slash;
    ssize_t n = readlink("/proc/self/exe", folder, sizeof folder - 1);
    folder[n < 0 ? 0 : n] = '\0';
    while ((slash = strrchr(folder, '/'))) {
        *slash = '\0';
        char *path = lrnde__format("%s/%s", folder, file);
        if (path && !access(path, F_OK)) return path;
        free(path);
    }
    return NULL;
}
