#include "sched/queue.h"

#include <assert.h>
#include <string.h>

#include "sched/queue_nodes.h"

/* ---------------------------------------------------------------- states */

static void change(struct queue *q, struct queue_node *node, enum queue_state state) {
    if (node->state == QUEUE_PENDING && node->stuck) q->stuck--;
    q->count[node->state]--;
    q->count[state]++;
    node->state = state;
}

void queue_set_done(struct queue *q, size_t job) { change(q, &q->nodes[job], QUEUE_DONE); }
void queue_set_failed(struct queue *q, size_t job) { change(q, &q->nodes[job], QUEUE_FAILED); }
void queue_set_skipped(struct queue *q, size_t job) { q->nodes[job].skip = true; }

void queue_start(struct queue *q, size_t job) {
    assert(q->n_running < (size_t)q->ranks);
    change(q, &q->nodes[job], QUEUE_RUNNING);
    q->nodes[job].fraction = 0.0;
    q->running[q->n_running++] = job;
}

void queue_set_running(struct queue *q, size_t job, int group) {
    q->nodes[job].group = group;
    queue_start(q, job);
}

static void make_ready(struct queue *q, struct queue_node *node) {
    if (node->state != QUEUE_PENDING || node->waiting > 0 || node->stuck) return;
    size_t *first = node->group > 1 ? &q->first_group : &q->first_single;
    place_set_add(queue_set_of(q, node), node->place);
    if (node->place < *first) *first = node->place;
}

/* The recursion is as deep as the chain of stages that read stages, so a few levels. */
static void block_children(struct queue *q, size_t failed, struct queue_node *node) {
    for (size_t k = 0; k < node->n_children; k++) {
        struct queue_node *child = &q->nodes[q->children[node->children + k]];
        if (child->state != QUEUE_PENDING) continue;
        child->blocker = failed;
        place_set_remove(queue_set_of(q, child), child->place);
        q->cost_left -= child->stuck ? 0.0 : child->cost;
        change(q, child, QUEUE_BLOCKED);
        block_children(q, failed, child);
    }
}

static void begin_node(struct queue *q, struct queue_node *node) {
    node->stuck = node->skip && node->state == QUEUE_PENDING;
    for (size_t k = 0; k < node->n_parents; k++) {
        const struct queue_node *parent = &q->nodes[node->parents[k]];
        node->waiting -= parent->state == QUEUE_DONE;
        node->stuck |= node->state == QUEUE_PENDING && parent->stuck;
    }
    q->stuck += node->stuck;
    if ((node->state == QUEUE_PENDING && !node->stuck) || node->state == QUEUE_RUNNING)
        q->cost_left += node->cost;
}

void queue_begin(struct queue *q) {
    for (size_t i = 0; i < q->n; i++) begin_node(q, &q->nodes[q->topological[i]]);
    for (size_t i = 0; i < q->n; i++)
        if (q->nodes[i].state == QUEUE_FAILED) block_children(q, i, &q->nodes[i]);
    for (size_t i = 0; i < q->n; i++) make_ready(q, &q->nodes[i]);
}

enum queue_state queue_initial_state(const struct history_job *past, bool retry_failed,
                                     bool *lost) {
    *lost = false;
    if (!past) return QUEUE_PENDING;
    if (past->state == HISTORY_DONE) return QUEUE_DONE;
    if (past->state == HISTORY_FAILED) return retry_failed ? QUEUE_PENDING : QUEUE_FAILED;
    *lost = past->lost >= QUEUE_LOST && !retry_failed;
    return *lost ? QUEUE_FAILED : QUEUE_PENDING;
}

/* ---------------------------------------------------------------- how jobs end */

static struct queue_node *leave(struct queue *q, size_t job) {
    size_t i = 0;
    assert(q->nodes[job].state == QUEUE_RUNNING);
    while (q->running[i] != job) i++;
    q->running[i] = q->running[--q->n_running];
    return &q->nodes[job];
}

void queue_progress(struct queue *q, size_t job, double fraction) {
    q->nodes[job].fraction = fraction > 1.0 ? 1.0 : fraction > 0.0 ? fraction : 0.0;
}

void queue_done(struct queue *q, size_t job) {
    struct queue_node *node = leave(q, job);
    change(q, node, QUEUE_DONE);
    q->cost_done += node->cost;
    q->cost_left -= node->cost;
    for (size_t k = 0; k < node->n_children; k++) {
        struct queue_node *child = &q->nodes[q->children[node->children + k]];
        child->waiting--;
        make_ready(q, child);
    }
}

void queue_failed(struct queue *q, size_t job) {
    struct queue_node *node = leave(q, job);
    change(q, node, QUEUE_FAILED);
    q->cost_left -= node->cost;
    block_children(q, job, node);
}

void queue_stopped(struct queue *q, size_t job) {
    struct queue_node *node = leave(q, job);
    change(q, node, QUEUE_PENDING);
    make_ready(q, node);
}

enum queue_state queue_state_of(const struct queue *q, size_t job) { return q->nodes[job].state; }

const char *queue_state_text(enum queue_state state) {
    static const char *const TEXT[] = {"PENDING", "RUNNING", "DONE", "FAILED", "BLOCKED"};
    return TEXT[state];
}

size_t queue_blocker(const struct queue *q, size_t job) { return q->nodes[job].blocker; }

void queue_count(size_t count[QUEUE_BLOCKED + 1], const struct queue *q) {
    memcpy(count, q->count, sizeof q->count);
}

size_t queue_left(const struct queue *q) { return q->count[QUEUE_PENDING] - q->stuck; }

void queue_cost(double *done, double *left, const struct queue *q) {
    double running = 0.0;
    for (size_t i = 0; i < q->n_running; i++)
        running += q->nodes[q->running[i]].cost * q->nodes[q->running[i]].fraction;
    *done = q->cost_done + running;
    *left = q->cost_left - running > 0.0 ? q->cost_left - running : 0.0;
}
