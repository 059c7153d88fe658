/*
 * parallel.c - several programs at once.
 *
 * NVRTC compiles one program at a time in a process, so each gets a process of its own, as many at a time as there are
 * processors: when one ends, another begins.  A child is a copy of this process that runs the compiler, leaves what came of it in a
 * file without a name, and ends, which closes its end of a pipe; it never touches the device.  A program whose child could not
 * be made, died or took too long is compiled here.
 */
#include "nvrtc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_SECONDS = 120, MAGIC = 0x6c726e64, UNKNOWN = 1 /* status: neither 0 nor -1 */ };

/* What a child leaves; image and log follow. */
typedef struct message {
    int magic, status;
    size_t image, log; /* bytes; no log: 0 */
    char why[sizeof((lrnde__nvrtc_outcome *)0)->why];
} message;

/* A child: what it leaves, and our end of its pipe; -1: there is none. */
typedef struct worker {
    pid_t child;
    int file, pipe;
} worker;

static void compile_here(const char *library, const lrnde__cuda_program *p, lrnde__nvrtc_outcome *o)
{
    o->status = lrnde__nvrtc_compile(library, p, &o->image, &o->log, o->why, sizeof o->why);
}

static int write_all(int file, const void *bytes, size_t n)
{
    for (ssize_t done; n > 0; bytes = (const char *)bytes + done, n -= (size_t)done)
        if ((done = write(file, bytes, n)) <= 0) return -1;
    return 0;
}

/* The message goes last to the beginning of the file: one that is there is complete. */
static void leave(int file, const lrnde__nvrtc_outcome *o)
{
    message m = {.magic = MAGIC, .status = o->status, .image = o->image.size, .log = o->log ? strlen(o->log) : 0};
    memcpy(m.why, o->why, sizeof m.why);
    if (o->status) m.image = 0;
    if (lseek(file, sizeof m, SEEK_SET) < 0 || (m.image && write_all(file, o->image.bytes, m.image)) ||
        (m.log && write_all(file, o->log, m.log)))
        return;
    if (lseek(file, 0, SEEK_SET) == 0) write_all(file, &m, sizeof m);
}

static void end(worker *w)
{
    if (w->file >= 0) close(w->file);
    if (w->pipe >= 0) close(w->pipe);
    w->file = w->pipe = -1;
}

static worker begin(const char *library, const lrnde__cuda_program *p)
{
    worker w = {.file = memfd_create("lrnde", MFD_CLOEXEC), .pipe = -1};
    int ends[2];
    if (w.file >= 0 && pipe2(ends, O_CLOEXEC) == 0) {
        w.pipe = ends[0];
        w.child = fork();
    } else {
        w.child = -1;
    }
    if (w.child == 0) {
        lrnde__nvrtc_outcome o = {0};
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        signal(SIGALRM, SIG_DFL);
        alarm(MOST_SECONDS);
        compile_here(library, p, &o);
        leave(w.file, &o);
        _exit(0);
    }
    if (w.pipe >= 0) close(ends[1]);
    if (w.child < 0) end(&w);
    return w;
}

/* The first of n that has ended, or any that is there if that cannot be told. */
static int first_ended(const worker *workers, struct pollfd *pipes, int n)
{
    int any = 0;
    for (int i = 0; i < n; i++) pipes[i] = (struct pollfd){.fd = workers[i].pipe};
    while (workers[any].pipe < 0) any++;
    for (;;) {
        if (poll(pipes, (nfds_t)n, -1) < 0 && errno != EINTR) return any;
        for (int i = 0; i < n; i++)
            if (pipes[i].fd >= 0 && pipes[i].revents) return i;
    }
}

/* `size` bytes at `at` of a file and a NUL; NULL: they are not there. */
static char *bytes_at(int file, size_t at, size_t size)
{
    char *bytes = calloc(1, size + 1);
    for (size_t done = 0; bytes && done < size;) {
        ssize_t n = pread(file, bytes + done, size - done, (off_t)(at + done));
        if (n <= 0) {
            free(bytes);
            return NULL;
        }
        done += (size_t)n;
    }
    return bytes;
}

/* The outcome stays unknown if the child left nothing that can be used. */
static void collect(worker *w, lrnde__nvrtc_outcome *o)
{
    message m = {0};
    while (waitpid(w->child, NULL, 0) < 0 && errno == EINTR)
        ; /* whatever else it says: the message says more */
    if (pread(w->file, &m, sizeof m, 0) == sizeof m && m.magic == MAGIC) {
        o->image = (lrnde__cuda_image){m.status ? NULL : bytes_at(w->file, sizeof m, m.image), m.image};
        if (m.status || o->image.bytes) {
            o->status = m.status;
            memcpy(o->why, m.why, sizeof o->why);
            if (m.log) o->log = bytes_at(w->file, sizeof m + m.image, m.log);
        }
    }
    end(w);
}

/* From the last on: those that take long come late in the list of parts. */
static void compile_apart(const char *library, const lrnde__cuda_program *const *programs, int n, lrnde__nvrtc_outcome *outcomes)
{
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    worker *workers = calloc((size_t)n, sizeof *workers);
    struct pollfd *pipes = calloc((size_t)n, sizeof *pipes);
    for (int i = 0; workers && i < n; i++) workers[i].file = workers[i].pipe = -1;
    for (int left = n, running = 0; workers && pipes && (left > 0 || running > 0);) {
        while (left > 0 && (running == 0 || running < processors)) {
            left--;
            workers[left] = begin(library, programs[left]);
            running += workers[left].pipe >= 0;
        }
        if (running == 0) break;
        const int i = first_ended(workers, pipes, n);
        collect(&workers[i], &outcomes[i]);
        running--;
    }
    free(workers);
    free(pipes);
}

void lrnde__nvrtc_compile_all(const char *library, const lrnde__cuda_program *const *programs, int n,
                              lrnde__nvrtc_outcome *outcomes)
{
    for (int i = 0; i < n; i++) outcomes[i] = (lrnde__nvrtc_outcome){.status = UNKNOWN};
    if (n > 1) compile_apart(library, programs, n, outcomes);
    for (int i = 0; i < n; i++) /* after the last fork: a child shall not be born with the compiler's locks */
        if (outcomes[i].status == UNKNOWN) compile_here(library, programs[i], &outcomes[i]);
}
