/*
 * graphs.h - graphs of the fake driver library: launches in a row.  Included where launches are known.
 */
#ifndef CUDA_FAKES_GRAPHS_H
#define CUDA_FAKES_GRAPHS_H

struct CUgraphNode_st {
    struct CUgraph_st *graph;
    int at;
};

enum { MOST_NODES = 1024 };

struct CUgraph_st {
    entry launches[MOST_NODES];
    struct CUgraphNode_st nodes[MOST_NODES];
    int n;
};

struct CUgraphExec_st {
    entry launches[MOST_NODES];
    struct CUgraph_st *graph; /* of which it was made, and whose nodes name its own */
    int n;
};

static int graphs; /* that there are, and executable ones */

CUresult cuGraphCreate(CUgraph *graph, unsigned flags)
{
    MUST(current && flags == 0, "a graph with flags %u", flags);
    *graph = calloc(1, sizeof **graph);
    graphs++;
    return 0;
}

static CUresult describe(const CUkernelNode *params, entry *e)
{
    MUST(params->gridDimY == 1 && params->gridDimZ == 1 && params->blockDimY == 1 && params->blockDimZ == 1 &&
             params->sharedMemBytes == 0 && !params->extra && params->gridDimX > 0,
         "%s: a node of another shape", params->func->name);
    return launch(e, params->func, params->gridDimX, params->blockDimX, params->kernelParams);
}

CUresult cuGraphAddKernelNode(CUgraphNode *node, CUgraph graph, const CUgraphNode *after, size_t n, const CUkernelNode *params)
{
    MUST(graph->n < MOST_NODES, "the graph is full");
    MUST(graph->n ? n == 1 && (*after)->graph == graph && (*after)->at == graph->n - 1 : n == 0, "launches are not in a row");
    graph->nodes[graph->n] = (struct CUgraphNode_st){graph, graph->n};
    *node = &graph->nodes[graph->n];
    return describe(params, &graph->launches[graph->n++]);
}

CUresult cuGraphInstantiateWithFlags(CUgraphExec *exec, CUgraph graph, unsigned long long flags)
{
    MUST(flags == 0, "an executable graph with flags %llu", flags);
    if (setting("FAKE_NO_GRAPH", 0)) return (CUresult)setting("FAKE_NO_GRAPH", 0);
    held += (size_t)setting("FAKE_GRAPH_BYTES", 0);
    *exec = malloc(sizeof **exec);
    (*exec)->graph = graph, (*exec)->n = graph->n;
    memcpy((*exec)->launches, graph->launches, sizeof graph->launches);
    graphs++;
    return 0;
}

CUresult cuGraphExecKernelNodeSetParams(CUgraphExec exec, CUgraphNode node, const CUkernelNode *params)
{
    MUST(node->graph == exec->graph, "a node of another graph");
    MUST(params->func == exec->launches[node->at].function, "%s: in the place of another kernel", params->func->name);
    if (setting("FAKE_NO_UPDATE", 0)) return (CUresult)setting("FAKE_NO_UPDATE", 0);
    return describe(params, &exec->launches[node->at]);
}

CUresult cuGraphLaunch(CUgraphExec exec, CUstream s)
{
    (void)s;
    if (setting("FAKE_GRAPH_LAUNCH", 0)) return (CUresult)setting("FAKE_GRAPH_LAUNCH", 0);
    launches++;
    for (int i = 0; i < exec->n; i++) queue(exec->launches[i]);
    return 0;
}

CUresult cuGraphExecDestroy(CUgraphExec exec)
{
    graphs--;
    held -= (size_t)setting("FAKE_GRAPH_BYTES", 0);
    free(exec);
    return 0;
}

CUresult cuGraphDestroy(CUgraph graph)
{
    graphs--;
    free(graph);
    return 0;
}

#endif
