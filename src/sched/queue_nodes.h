/*
 * queue_nodes.h - the structs of a queue, for the three files that make it: queue_create.c builds
 * them from the plan, queue_next.c chooses the next job, queue.c keeps the states.
 */
#ifndef SCHED_QUEUE_NODES_H
#define SCHED_QUEUE_NODES_H

#include <stdint.h>

#include "sched/place_set.h"
#include "sched/queue.h"

struct queue_node {
    const size_t *parents;
    size_t n_parents, waiting;   /* parents not yet done */
    size_t children, n_children; /* in queue.children */
    size_t place;                /* in the order: by cost, then by number */
    size_t blocker;              /* BLOCKED: the failed ancestor */
    double cost, fraction;
    int group; /* 1..ranks */
    enum queue_state state;
    bool skip, stuck; /* stuck: skipped, or behind a skipped one */
};

struct queue {
    struct queue_node *nodes;
    size_t n, *children, *order, *topological;
    uint64_t *singles, *groups;              /* bit sets over places: ready jobs */
    size_t words, first_single, first_group; /* no ready one before this place */
    size_t *running, n_running;              /* [ranks] */
    int ranks;
    enum queue_order first;
    size_t waiting_group,
        overtaken; /* the place of the group job that is first, and how often others overtook it */
    size_t count[QUEUE_BLOCKED + 1], stuck;
    double cost_done, cost_left; /* running jobs in cost_left, whole */
};

/* The set that holds the job while it is ready. */
static inline uint64_t *queue_set_of(const struct queue *q, const struct queue_node *node) {
    return node->group > 1 ? q->groups : q->singles;
}

/* A ready job becomes RUNNING; its place is no longer in a set. */
void queue_start(struct queue *q, size_t job);

#endif
