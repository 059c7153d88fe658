/* peer.c - see peer.h. */
#include "peer.h"

#include "cli/process.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const FILES[] = {"weights.safetensors", "u0.f32", "u1.f32"};

static const char *path_of(const bench_peer *p, const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", p->folder, name);
    return path;
}

static void write_floats(const char *path, const float *x, size_t n)
{
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(x, sizeof *x, n, f) != n || fclose(f)) abort();
}

/* python3 peers.py ARGUMENTS.., with pipes to and from it. */
static void start(bench_peer *p, char *const argv[])
{
    int to[2], from[2];
    if (pipe(to) || pipe(from)) abort();
    p->process = fork();
    if (p->process == 0) {
        dup2(to[0], STDIN_FILENO), dup2(from[1], STDOUT_FILENO);
        close(to[0]), close(to[1]), close(from[0]), close(from[1]);
        execvp(argv[0], argv);
        _exit(127);
    }
    close(to[0]), close(from[1]);
    p->to = fdopen(to[1], "w"), p->from = fdopen(from[0], "r");
    if (p->process < 0 || !p->to || !p->from) abort();
}

static void stop(bench_peer *p)
{
    fclose(p->to), fclose(p->from);
    waitpid(p->process, NULL, 0);
    p->process = 0;
}

void bench_peer_open(bench_peer *p, const char *library, lrnde_solver *s, const float *u0, double tolerance, double t1)
{
    char line[256] = "", batch[16], text[2][32], *script = process_find_above("bench/peers.py");
    *p = (bench_peer){.folder = "/tmp/lrnde-bench-XXXXXX"};
    if (!mkdtemp(p->folder)) abort();
    lrnde_save(s, path_of(p, FILES[0]));
    write_floats(path_of(p, FILES[1]), u0, (size_t)lrnde_batch(s) * (size_t)lrnde_model(s)->state);
    snprintf(batch, sizeof batch, "%d", (int)lrnde_batch(s));
    snprintf(text[0], sizeof text[0], "%.17g", tolerance), snprintf(text[1], sizeof text[1], "%.17g", t1);
    start(p,
          (char *[]){"python3", script ? script : "bench/peers.py", (char *)library, p->folder, batch, text[0], text[1], NULL});
    free(script);
    const char *got = fgets(line, sizeof line, p->from);
    if (got && sscanf(line, "ready %lld %159[^\n]", &p->nfe, p->about) == 2) return;
    if (!got || sscanf(line, "missing %159[^\n]", p->about) != 1) snprintf(p->about, sizeof p->about, "%s fails", library);
    stop(p);
}

void bench_peer_close(bench_peer *p)
{
    if (p->process) stop(p);
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) unlink(path_of(p, FILES[i]));
    rmdir(p->folder);
}

void bench_peer_solve(void *peer)
{
    bench_peer *p = peer;
    char line[16];
    if (fprintf(p->to, "%d\n", BENCH_PEER_SOLVES) < 0 || fflush(p->to) || !fgets(line, sizeof line, p->from)) abort();
}

double bench_peer_apart(const bench_peer *p, const float *u1, size_t n)
{
    float *other = malloc(n * sizeof *other);
    FILE *f = fopen(path_of(p, FILES[2]), "rb");
    double worst = NAN, largest = 0;
    if (f && other && fread(other, sizeof *other, n, f) == n) {
        worst = 0;
        for (size_t i = 0; i < n; i++) {
            const double apart = fabs((double)other[i] - (double)u1[i]);
            if (!(apart <= worst)) worst = apart; /* NaN too */
            largest = fmax(largest, fabs((double)u1[i]));
        }
    }
    if (f) fclose(f);
    free(other);
    return worst / largest;
}
