/* modules.c - see modules.h. */
#include "modules.h"

#include "compile.h"
#include "vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Two of each kernel, then those that are no kernels of the contract; NULL after the last. */
static lrnde__cuda_entry *entry_at(lrnde__cuda_modules *m, int32_t i)
{
    lrnde__cuda_entry *const others[] = {&m->run,
                                         &m->run_tape,
                                         &m->cluster_run,
                                         &m->cluster_run_tape,
                                         &m->adjoint_run,
                                         &m->add,
                                         &m->sums,
                                         &m->squares,
                                         &m->combine,
                                         &m->copy,
                                         &m->zero,
                                         &m->normals,
                                         NULL};
    if (i >= 2 * m->n_kernels) return others[i - 2 * m->n_kernels];
    return i % 2 ? &m->kernels[i / 2].shared : &m->kernels[i / 2].tile;
}

/* ---- which parts ---- */

enum { HAS_CLUSTERS = 90 /* the least capability */ };

typedef unsigned parts; /* a bit each */

static parts bit(lrnde__cuda_part part)
{
    return 1u << part;
}

/* The way a solve takes its steps: in one launch, where there is such a kernel. */
static lrnde__cuda_part stepping(const lrnde__cuda_modules *m, int tape)
{
    if (*m->cluster_run.name) return tape ? LRNDE__CUDA_CLUSTER_RUN_TAPE : LRNDE__CUDA_CLUSTER_RUN;
    if (tape) return *m->run_tape.name ? LRNDE__CUDA_RUN_TAPE : LRNDE__CUDA_STEP_TAPE;
    return *m->run.name ? LRNDE__CUDA_RUN : LRNDE__CUDA_STEP;
}

/* Those to compile when `part` is needed. */
static parts group_of(const lrnde__cuda_modules *m, lrnde__cuda_part part)
{
    const lrnde_model_desc *desc = m->desc;
    parts solving = bit(LRNDE__CUDA_VECTORS) | bit(LRNDE__CUDA_COMMON) | bit(stepping(m, 0));
    if (desc->forward->n_noise && !*m->run.name) solving |= bit(LRNDE__CUDA_NORMALS);
    parts training = bit(LRNDE__CUDA_REVERSE) | bit(LRNDE__CUDA_REV_STEP) | bit(stepping(m, 1)) | bit(LRNDE__CUDA_ADJOINT) |
                     bit(*m->adjoint_run.name ? LRNDE__CUDA_ADJOINT_RUN : LRNDE__CUDA_ADJOINT_STEP);
    if (desc->n_saveat > 1 || desc->saveat_data) training |= bit(LRNDE__CUDA_REV_STEP_FULL);
    if (desc->regularizer.n_terms) training |= bit(LRNDE__CUDA_REV_LOCAL) | bit(LRNDE__CUDA_REV_STEP_LOCAL);
    return bit(part) & solving ? solving : bit(part) & training ? training : bit(part);
}

/* ---- to functions ---- */

/* What the text of a part is compiled with: its entries and no others.  The caller frees it; NULL: out of memory. */
typedef struct selection {
    const char **options;
    int n;
    char text[][sizeof(((lrnde__cuda_entry *)0)->name) + 24];
} selection;

static selection *select_entries(lrnde__cuda_modules *m, lrnde__cuda_part part)
{
    int n = 0;
    lrnde__cuda_entry *e;
    for (int32_t i = 0; (e = entry_at(m, i)); i++) n += *e->name && e->part == part;
    selection *s = calloc(1, sizeof *s + (size_t)n * sizeof *s->text);
    if (s) s->options = calloc((size_t)n + 2, sizeof *s->options);
    if (!s || !s->options) {
        free(s);
        return NULL;
    }
    s->options[0] = "-DLRNDE_ONLY";
    for (int32_t i = 0; (e = entry_at(m, i)); i++) {
        if (!*e->name || e->part != part) continue;
        snprintf(s->text[s->n], sizeof *s->text, "-DLRNDE_ONLY_%s", e->name);
        s->options[1 + s->n] = s->text[s->n];
        s->n++;
    }
    return s;
}

static void drop(selection *s)
{
    if (s) free(s->options);
    free(s);
}

/*
 * The function of an entry.  One that asks for more shared memory than every block may have is missing where the compiler is
 * older than clusters, and a device may have less: run.c takes steps by blocks then.
 */
static CUresult find_function(const lrnde__cuda_modules *m, lrnde__cuda_entry *e, char *why, size_t size)
{
    CUresult error = m->cu->cuModuleGetFunction(&e->function, m->modules[e->part], e->name);
    if (!error && e->shared_bytes)
        error = m->cu->cuFuncSetAttribute(e->function, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, e->shared_bytes);
    if (error && e->shared_bytes) {
        e->function = NULL;
        return 0;
    }
    if (error) lrnde__cuda_explain(m->cu, error, e->name, why, size);
    if (error) return error;
    error = m->cu->cuFuncGetAttribute(&e->threads, CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK, e->function);
    if (error) lrnde__cuda_explain(m->cu, error, "cuFuncGetAttribute", why, size);
    return error;
}

/* The functions of a part whose code is there. */
static int load_part(lrnde__cuda_modules *m, lrnde__cuda_part part, const char *image, char *why, size_t size)
{
    lrnde__cuda_entry *e;
    CUresult error = m->cu->cuModuleLoadData(&m->modules[part], image);
    if (error) lrnde__cuda_explain(m->cu, error, "cuModuleLoadData", why, size);
    for (int32_t i = 0; !error && (e = entry_at(m, i)); i++)
        if (*e->name && e->part == part) error = find_function(m, e, why, size);
    return error ? -1 : 0;
}

/* A part of the model, or the driver's own, whose text the caller frees. */
static int describe(lrnde__cuda_modules *m, lrnde__cuda_part part, selection *s, char **own, lrnde__cuda_program *p)
{
    *own = NULL;
    *p = (lrnde__cuda_program){.name = m->desc->name, .text = m->text, .capability = m->capability, .driver = m->cu->version};
    if (part == LRNDE__CUDA_VECTORS)
        p->name = "lrnde", p->text = *own = lrnde__cuda_vectors((size_t)m->desc->real_bytes);
    else if (part == LRNDE__CUDA_NORMALS)
        p->name = "lrnde", p->text = *own = lrnde__cuda_normals((size_t)m->desc->real_bytes);
    else
        p->options = s->options;
    return p->text ? 0 : -1;
}

static int load(lrnde__cuda_modules *m, parts wanted, char *why, size_t size)
{
    lrnde__cuda_program programs[LRNDE__CUDA_PARTS];
    lrnde__cuda_image images[LRNDE__CUDA_PARTS] = {{0}};
    lrnde__cuda_part part[LRNDE__CUDA_PARTS];
    selection *selected[LRNDE__CUDA_PARTS];
    char *own[LRNDE__CUDA_PARTS] = {NULL};
    int n = 0, status = 0;
    for (int i = 0; i < LRNDE__CUDA_PARTS && !status; i++) {
        if (!(wanted & bit(i)) || m->modules[i]) continue;
        selection *s = select_entries(m, i);
        if (s && s->n == 0) {
            drop(s);
            continue;
        }
        part[n] = i;
        selected[n] = s;
        status = s ? describe(m, i, s, &own[n], &programs[n]) : -1;
        n++;
    }
    if (status)
        snprintf(why, size, "out of memory");
    else
        status = lrnde__cuda_compile(programs, n, images, why, size);
    for (int i = 0; i < n; i++) {
        if (!status) status = load_part(m, part[i], images[i].bytes, why, size);
        free(images[i].bytes);
        drop(selected[i]);
        free(own[i]);
    }
    return status;
}

int lrnde__cuda_modules_need(lrnde__cuda_modules *m, const lrnde__cuda_entry *entry, char *why, size_t size)
{
    return !*entry->name || entry->function ? 0 : load(m, group_of(m, entry->part), why, size);
}

int lrnde__cuda_modules_open(lrnde__cuda_modules *m, const lrnde__cuda_api *cu, const lrnde_model_desc *desc,
                             const lrnde_text *text, int capability, char *why, size_t size)
{
    *m = (lrnde__cuda_modules){.cu = cu, .desc = desc, .text = text->text, .capability = capability};
    m->n_kernels = lrnde__cuda_kernels(desc, m->kernels);
    m->run = lrnde__cuda_entry_of(desc, "run", "", LRNDE__CUDA_RUN);
    m->run_tape = lrnde__cuda_entry_of(desc, "run_tape", "", LRNDE__CUDA_RUN_TAPE);
    m->adjoint_run = lrnde__cuda_entry_of(desc, "adjoint_run", "", LRNDE__CUDA_ADJOINT_RUN);
    m->cluster_run = lrnde__cuda_entry_of(desc, "cluster_run", "", LRNDE__CUDA_CLUSTER_RUN);
    m->cluster_run_tape = lrnde__cuda_entry_of(desc, "cluster_run_tape", "", LRNDE__CUDA_CLUSTER_RUN_TAPE);
    lrnde__cuda_entry *const runs[] = {&m->run, &m->run_tape, &m->adjoint_run, &m->cluster_run, &m->cluster_run_tape};
    enum { OF_BLOCKS = 3 };
    const int clusters = text->own[0] && capability >= HAS_CLUSTERS && cu->cuLaunchKernelEx && cu->cuOccupancyMaxActiveClusters &&
                         cu->cuFuncSetAttribute;
    if (clusters) m->cluster = (lrnde__cuda_cluster){text->own[0], text->own[1]};
    m->cluster_run.shared_bytes = m->cluster_run_tape.shared_bytes = text->own[2];
    m->tensor_cores = text->own[3];
    for (int i = 0; i < 5; i++)
        if (!strstr(m->text, runs[i]->name) || (i >= OF_BLOCKS && !clusters)) *runs[i]->name = '\0';
    m->add = (lrnde__cuda_entry){.name = "lrnde_add", .part = LRNDE__CUDA_VECTORS};
    m->sums = (lrnde__cuda_entry){.name = "lrnde_sums", .part = LRNDE__CUDA_VECTORS};
    m->squares = (lrnde__cuda_entry){.name = "lrnde_squares", .part = LRNDE__CUDA_VECTORS};
    m->combine = (lrnde__cuda_entry){.name = "lrnde_combine", .part = LRNDE__CUDA_VECTORS};
    m->copy = (lrnde__cuda_entry){.name = "lrnde_copy", .part = LRNDE__CUDA_VECTORS};
    m->zero = (lrnde__cuda_entry){.name = "lrnde_zero", .part = LRNDE__CUDA_VECTORS};
    m->normals = (lrnde__cuda_entry){.name = "lrnde_normals", .part = LRNDE__CUDA_NORMALS};
    return load(m, group_of(m, LRNDE__CUDA_COMMON), why, size);
}

void lrnde__cuda_modules_close(lrnde__cuda_modules *m)
{
    for (int i = 0; i < LRNDE__CUDA_PARTS; i++)
        if (m->modules[i]) m->cu->cuModuleUnload(m->modules[i]);
}
