/*
 * parallel.c - several programs at once.
 *
 * NVRTC compiles one program at a time in a process, so each gets a process of its own, as many at a time as there are
 * processors.  A child is a copy of this process that runs the compiler, leaves what came of it in a file without a name, and
 * ends; it never touches the device.  A program whose child could not be made, died or took too long is compiled here.
 */
#include "nvrtc.h"

#include <errno.h>
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

/* The file is -1 where there is no child. */
typedef struct worker {
    pid_t child;
    int file;
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

static worker begin(const char *library, const lrnde__cuda_program *p)
{
    worker w = {.file = memfd_create("lrnde", MFD_CLOEXEC)};
    if (w.file < 0) return w;
    w.child = fork();
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
    if (w.child < 0) {
        close(w.file);
        w.file = -1;
    }
    return w;
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
static void collect(worker w, lrnde__nvrtc_outcome *o)
{
    message m = {0};
    if (w.file < 0) return;
    while (waitpid(w.child, NULL, 0) < 0 && errno == EINTR)
        ; /* whatever else it says: the message says more */
    if (pread(w.file, &m, sizeof m, 0) == sizeof m && m.magic == MAGIC) {
        o->image = (lrnde__cuda_image){m.status ? NULL : bytes_at(w.file, sizeof m, m.image), m.image};
        if (m.status || o->image.bytes) {
            o->status = m.status;
            memcpy(o->why, m.why, sizeof o->why);
            if (m.log) o->log = bytes_at(w.file, sizeof m + m.image, m.log);
        }
    }
    close(w.file);
}

void lrnde__nvrtc_compile_all(const char *library, const lrnde__cuda_program *const *programs, int n,
                              lrnde__nvrtc_outcome *outcomes)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    int at_once = processors < 1 ? 1 : processors < n ? (int)processors : n, begun = 0;
    worker *workers = n > 1 ? calloc((size_t)n, sizeof *workers) : NULL;
    for (int i = 0; i < n; i++) {
        outcomes[i] = (lrnde__nvrtc_outcome){.status = UNKNOWN};
        for (; workers && begun < n && begun < i + at_once; begun++) workers[begun] = begin(library, programs[begun]);
        if (workers) collect(workers[i], &outcomes[i]);
    }
    free(workers);
    for (int i = 0; i < n; i++) /* after the last fork: a child shall not be born with the compiler's locks */
        if (outcomes[i].status == UNKNOWN) compile_here(library, programs[i], &outcomes[i]);
}
