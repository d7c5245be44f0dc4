/* A queue from the plan: nodes linked to their children, the order by cost, the sets empty. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "sched/queue_nodes.h"

static int by_cost(const void *a, const void *b, void *queue) {
    const struct queue *q = queue;
    const size_t i = *(const size_t *)a, k = *(const size_t *)b;
    const double x = q->nodes[i].cost, y = q->nodes[k].cost;
    if (x != y) return (x > y) == (q->first == QUEUE_LONGEST) ? -1 : 1;
    return i < k ? -1 : i > k;
}

static enum err_code allocate(struct queue *q, size_t n, size_t edges, int ranks, struct err *err) {
    const size_t some = n ? n : 1;
    q->n = n;
    q->ranks = ranks;
    q->words = n / 64 + 1;
    q->nodes = calloc(some, sizeof *q->nodes);
    q->order = calloc(some, sizeof *q->order);
    q->topological = calloc(some, sizeof *q->topological);
    q->children = calloc(edges ? edges : 1, sizeof *q->children);
    q->singles = calloc(q->words, sizeof *q->singles);
    q->groups = calloc(q->words, sizeof *q->groups);
    q->running = calloc((size_t)ranks, sizeof *q->running);
    if (q->nodes && q->order && q->topological && q->children && q->singles && q->groups &&
        q->running)
        return ERR_OK;
    return ERR(err, ERR_MEMORY, "no memory to schedule %zu jobs", n);
}

static void fill_node(struct queue_node *node, const struct planned_job *job, int ranks) {
    *node = (struct queue_node){.parents = job->parents, .n_parents = job->n_parents};
    node->waiting = job->n_parents;
    node->cost = job->cost.flops > 0.0 && isfinite(job->cost.flops) ? job->cost.flops : 0.0;
    node->group = job->cost.group < 1 ? 1 : job->cost.group > ranks ? ranks : job->cost.group;
    node->blocker = SIZE_MAX;
}

static void link_children(struct queue *q) {
    size_t at = 0;
    for (size_t i = 0; i < q->n; i++)
        for (size_t k = 0; k < q->nodes[i].n_parents; k++)
            q->nodes[q->nodes[i].parents[k]].n_children++;
    for (size_t i = 0; i < q->n; i++) {
        q->nodes[i].children = at;
        at += q->nodes[i].n_children;
        q->nodes[i].n_children = 0;
    }
    for (size_t i = 0; i < q->n; i++)
        for (size_t k = 0; k < q->nodes[i].n_parents; k++) {
            struct queue_node *parent = &q->nodes[q->nodes[i].parents[k]];
            q->children[parent->children + parent->n_children++] = i;
        }
}

/* Parents before children; false: a cycle. Uses and restores `waiting`. */
static bool sort_topologically(struct queue *q) {
    size_t n = 0;
    for (size_t i = 0; i < q->n; i++)
        if (q->nodes[i].waiting == 0) q->topological[n++] = i;
    for (size_t at = 0; at < n; at++) {
        const struct queue_node *node = &q->nodes[q->topological[at]];
        for (size_t k = 0; k < node->n_children; k++) {
            const size_t child = q->children[node->children + k];
            if (--q->nodes[child].waiting == 0) q->topological[n++] = child;
        }
    }
    for (size_t i = 0; i < q->n; i++) q->nodes[i].waiting = q->nodes[i].n_parents;
    return n == q->n;
}

enum err_code queue_create(struct queue **out, const struct planned_job *jobs, size_t n, int ranks,
                           enum queue_order order, struct err *err) {
    enum err_code rc = ERR_OK;
    size_t edges = 0;
    struct queue *q = calloc(1, sizeof *q);
    CHECK(q, ERR_MEMORY, "no memory to schedule %zu jobs", n);
    assert(ranks >= 1);
    for (size_t i = 0; i < n; i++) edges += jobs[i].n_parents;
    q->first = order;
    TRY(allocate(q, n, edges, ranks, err));
    for (size_t i = 0; i < n; i++) {
        fill_node(&q->nodes[i], &jobs[i], ranks);
        for (size_t k = 0; k < jobs[i].n_parents; k++)
            CHECK(jobs[i].parents[k] < n, ERR_CONFIG, "job %zu reads job %zu of %zu", i,
                  jobs[i].parents[k], n);
    }
    link_children(q);
    CHECK(sort_topologically(q), ERR_CONFIG, "the jobs depend on each other in a cycle");
    for (size_t i = 0; i < n; i++) q->order[i] = i;
    qsort_r(q->order, n, sizeof *q->order, by_cost, q);
    for (size_t i = 0; i < n; i++) q->nodes[q->order[i]].place = i;
    q->count[QUEUE_PENDING] = n;
    q->waiting_group = SIZE_MAX;
    *out = q;
cleanup:
    if (rc != ERR_OK) queue_destroy(q);
    return rc;
}

void queue_destroy(struct queue *q) {
    if (!q) return;
    free(q->nodes);
    free(q->order);
    free(q->topological);
    free(q->children);
    free(q->singles);
    free(q->groups);
    free(q->running);
    free(q);
}
