/* plot.c - pipes a script with its data to gnuplot. */
#include "io/plot.h"
#include "io/file.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/wait.h>

enum { NOT_FOUND = 127 }; /* exit status of a shell that does not know the command */

/* If gnuplot ends early the shell reads on, so that writing to the pipe cannot kill this process. */
static const char COMMAND[] = "gnuplot - 2>/dev/null; status=$?; while read -r line; do :; done; exit $status";

/* A gnuplot string: single quotes, doubled inside. */
static void quoted(FILE *to, const char *text)
{
    fputc('\'', to);
    for (; *text; text++) fputs(*text == '\'' ? "''" : (char[]){*text, 0}, to);
    fputc('\'', to);
}

static void setting(FILE *to, const char *name, const char *value)
{
    fprintf(to, "set %s ", name);
    quoted(to, value);
    fputc('\n', to);
}

static void script(FILE *to, const char *path, const char *title, const char *x_label, const lrnde__curve *curves, int32_t n)
{
    const char *dot = strrchr(path, '.');
    const char *terminal = dot && !strcmp(dot, ".png") ? "pngcairo" : "svg background '#ffffff'"; /* svg's own is none */
    fprintf(to, "set terminal %s noenhanced size 800,500\n", terminal);
    setting(to, "output", path);
    setting(to, "title", title);
    setting(to, "xlabel", x_label);
    fputs("set grid\nset key outside\nplot ", to);
    for (int32_t i = 0; i < n; i++) {
        const char *style = curves[i].style ? curves[i].style : "linespoints pointtype 7 pointsize 0.3";
        fprintf(to, "%s'-' with %s title ", i ? ", " : "", style);
        quoted(to, curves[i].title);
    }
    fputc('\n', to);
    for (int32_t i = 0; i < n; i++) {
        for (int64_t k = 0; k < curves[i].n; k++) {
            double y = curves[i].y[k * curves[i].stride];
            if (isfinite(y)) fprintf(to, "%.17g %.17g\n", curves[i].x[k], y);
        }
        fputs("e\n", to);
    }
}

lrnde_status lrnde__plot(const char *path, const char *title, const char *x_label, const lrnde__curve *curves, int32_t n,
                         lrnde_error *e)
{
    FILE *to = popen(COMMAND, "w");
    if (!to) return lrnde__io_fail(e, LRNDE_ERR_FILE, "%s: cannot be drawn: %s", path, strerror(errno));
    script(to, path, title, x_label, curves, n);
    int status = pclose(to);
    if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_FOUND)
        return lrnde__io_fail(e, LRNDE_ERR_FILE, "%s: not drawn, as gnuplot is not installed", path);
    if (status) return lrnde__io_fail(e, LRNDE_ERR_FILE, "%s: gnuplot could not draw it", path);
    return LRNDE_OK;
}
