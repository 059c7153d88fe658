/*
 * graph.h - sequences of launches as graphs: one that comes again is launched as a whole.
 */
#ifndef LRNDE_CUDA_GRAPH_H
#define LRNDE_CUDA_GRAPH_H

#include "arguments.h"

enum {
    LRNDE__CUDA_WORDS = 11,  /* arguments of a launch, at most */
    LRNDE__CUDA_NODES = 256, /* launches of a sequence, at most */
    LRNDE__CUDA_SEQUENCES = 16
};

/* An argument of an entry point: all but those of a run have eight bytes. */
typedef union lrnde__cuda_word {
    const void *p;
    CUdeviceptr there;
    int64_t n;
    uint64_t u;
    double x;
} lrnde__cuda_word;

/* A launch. */
typedef struct lrnde__cuda_node {
    const lrnde__cuda_entry *entry; /* whose function is there */
    unsigned blocks;
    lrnde__cuda_word words[LRNDE__CUDA_WORDS]; /* those that the entry does not have are 0 */
} lrnde__cuda_node;

/* Its arguments as the driver's functions take them. */
void lrnde__cuda_arguments(const lrnde__cuda_node *launch, void **arguments);

typedef struct lrnde__cuda_sequence lrnde__cuda_sequence;

/* Sequences that came before: those that came latest. */
typedef struct lrnde__cuda_graphs {
    const lrnde__cuda_api *cu;
    lrnde__cuda_sequence *sequence[LRNDE__CUDA_SEQUENCES]; /* latest first; NULL: no more */
    int off; /* the driver has no graphs, or refused one: launches are queued one by one, which gives the same */
} lrnde__cuda_graphs;

/* LRNDE_CUDA_GRAPHS=0 in the environment turns them off. */
void lrnde__cuda_graphs_open(lrnde__cuda_graphs *g, const lrnde__cuda_api *cu);

/* Forgets all sequences, and gives back what memory their graphs take; 0: there were none. */
int lrnde__cuda_graphs_drop(lrnde__cuda_graphs *g);

/* The executable graph of the n launches, one after another; NULL: they are to be queued one by one. */
CUgraphExec lrnde__cuda_graph(lrnde__cuda_graphs *g, const lrnde__cuda_node *list, int n);

#endif
