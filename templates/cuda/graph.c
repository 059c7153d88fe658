/*
 * graph.c - see graph.h.
 *
 * Sequences are the same if they launch the same entries in the same order.  The first time one comes it is only noted, since
 * making a graph should take longer than its launches; the second time it becomes one; from then on the graph is told what has changed,
 * which is little: the arguments of a model's kernels are lists, that lie where they lay before.
 */
#include "graph.h"

#include <stdlib.h>
#include <string.h>

enum { SHORTEST = 4 /* launches that are worth a graph: a guess, not measured */ };

struct lrnde__cuda_sequence {
    int n;
    CUgraph graph;
    CUgraphExec exec;                         /* NULL: it came once */
    lrnde__cuda_node list[LRNDE__CUDA_NODES]; /* as the graph has it */
    CUgraphNode node[LRNDE__CUDA_NODES];
};

void lrnde__cuda_arguments(const lrnde__cuda_node *launch, void **arguments)
{
    for (int i = 0; i < LRNDE__CUDA_WORDS; i++) arguments[i] = (void *)&launch->words[i];
}

void lrnde__cuda_graphs_open(lrnde__cuda_graphs *g, const lrnde__cuda_api *cu)
{
    const char *wanted = getenv("LRNDE_CUDA_GRAPHS");
    *g = (lrnde__cuda_graphs){.cu = cu, .off = wanted && !strcmp(wanted, "0")};
#define LRNDE_X(name, suffix, arguments) g->off |= !cu->name;
    LRNDE__CUDA_API_OF_GRAPHS(LRNDE_X)
#undef LRNDE_X
}

/* What is running goes on to its end. */
static void drop(const lrnde__cuda_api *cu, lrnde__cuda_sequence *s)
{
    if (s && s->exec) cu->cuGraphExecDestroy(s->exec);
    if (s && s->graph) cu->cuGraphDestroy(s->graph);
    free(s);
}

int lrnde__cuda_graphs_drop(lrnde__cuda_graphs *g)
{
    const int some = g->sequence[0] != NULL;
    for (int i = 0; i < LRNDE__CUDA_SEQUENCES; i++) {
        drop(g->cu, g->sequence[i]);
        g->sequence[i] = NULL;
    }
    return some;
}

static int is_same(const lrnde__cuda_sequence *s, const lrnde__cuda_node *list, int n)
{
    if (s->n != n) return 0;
    for (int i = 0; i < n; i++)
        if (s->list[i].entry != list[i].entry) return 0;
    return 1;
}

/* The sequence, which is the latest now.  NULL: it is new, and noted. */
static lrnde__cuda_sequence *find(lrnde__cuda_graphs *g, const lrnde__cuda_node *list, int n)
{
    int i = 0;
    while (i < LRNDE__CUDA_SEQUENCES - 1 && g->sequence[i] && !is_same(g->sequence[i], list, n)) i++;
    lrnde__cuda_sequence *s = g->sequence[i];
    const int known = s && is_same(s, list, n);
    if (!known) {
        drop(g->cu, s);
        if (!(s = calloc(1, sizeof *s))) {
            g->sequence[i] = NULL;
            return NULL;
        }
        s->n = n;
        memcpy(s->list, list, (size_t)n * sizeof *list);
    }
    memmove(g->sequence + 1, g->sequence, (size_t)i * sizeof *g->sequence);
    g->sequence[0] = s;
    return known ? s : NULL;
}

/* ---- a graph ---- */

typedef struct description {
    CUkernelNode params;
    void *arguments[LRNDE__CUDA_WORDS];
} description;

static const CUkernelNode *describe(description *d, const lrnde__cuda_node *launch)
{
    lrnde__cuda_arguments(launch, d->arguments);
    d->params = (CUkernelNode){.func = launch->entry->function,
                               .gridDimX = launch->blocks,
                               .gridDimY = 1,
                               .gridDimZ = 1,
                               .blockDimX = (unsigned)launch->entry->threads,
                               .blockDimY = 1,
                               .blockDimZ = 1,
                               .kernelParams = d->arguments};
    return &d->params;
}

static CUresult make(const lrnde__cuda_api *cu, lrnde__cuda_sequence *s, const lrnde__cuda_node *list)
{
    description d;
    CUresult error = cu->cuGraphCreate(&s->graph, 0);
    for (int i = 0; i < s->n && !error; i++) {
        s->list[i] = list[i];
        error = cu->cuGraphAddKernelNode(&s->node[i], s->graph, i ? &s->node[i - 1] : NULL, i > 0, describe(&d, &list[i]));
    }
    return error ? error : cu->cuGraphInstantiateWithFlags(&s->exec, s->graph, 0);
}

/* Tells the graph what is different from the last time. */
static CUresult tell(const lrnde__cuda_api *cu, lrnde__cuda_sequence *s, const lrnde__cuda_node *list)
{
    description d;
    CUresult error = 0;
    for (int i = 0; i < s->n && !error; i++) {
        if (s->list[i].blocks == list[i].blocks && !memcmp(s->list[i].words, list[i].words, sizeof list[i].words)) continue;
        s->list[i] = list[i];
        error = cu->cuGraphExecKernelNodeSetParams(s->exec, s->node[i], describe(&d, &list[i]));
    }
    return error;
}

CUgraphExec lrnde__cuda_graph(lrnde__cuda_graphs *g, const lrnde__cuda_node *list, int n)
{
    if (g->off || n < SHORTEST) return NULL;
    lrnde__cuda_sequence *s = find(g, list, n);
    if (!s) return NULL;
    g->off = (s->exec ? tell(g->cu, s, list) : make(g->cu, s, list)) != 0;
    return g->off ? NULL : s->exec;
}
