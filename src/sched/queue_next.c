/* The next job: the first of the order that is ready and fits, so that no group of ranks waits for
 * ever, and one whose contexts an idle rank has where that delays no other (affinity.h). */
#include <math.h>
#include <stdlib.h>

#include "sched/affinity.h"
#include "sched/queue_nodes.h"

static double time_left(const struct queue_node *node) {
    return node->cost * (1.0 - node->fraction) / node->group;
}

static int shortest_first(const void *a, const void *b, void *nodes) {
    const double x = time_left((const struct queue_node *)nodes + *(const size_t *)a);
    const double y = time_left((const struct queue_node *)nodes + *(const size_t *)b);
    return x < y ? -1 : x > y;
}

/* How long until `wanted` ranks are idle, in units of cost, if times are proportional to costs;
 * *spare: how many more ranks will be idle then. */
static double wait_for(int *spare, struct queue *q, int wanted, int idle) {
    double wait = 0.0;
    qsort_r(q->running, q->n_running, sizeof *q->running, shortest_first, q->nodes);
    for (size_t i = 0; i < q->n_running && idle < wanted; i++) {
        const struct queue_node *node = &q->nodes[q->running[i]];
        wait = time_left(node);
        idle += node->group;
    }
    *spare = idle - wanted;
    return wait;
}

/* The first place in the order that can hold a job of `cost` or less. */
static size_t place_of_cost(const struct queue *q, double cost) {
    size_t low = 0, high = q->first == QUEUE_LONGEST ? q->n : 0;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (q->nodes[q->order[middle]].cost > cost)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct allowance { /* what a job to start may take */
    int most;      /* ranks */
    double wait;   /* time, as in wait_for(); longer only on `spare` ranks */
    int spare;
    const struct queue_filter *filter;
};

static bool is_allowed(const struct queue *q, size_t place, const struct allowance *a) {
    const size_t job = q->order[place];
    const struct queue_node *node = &q->nodes[job];
    if (node->group > a->most) return false;
    if (time_left(node) > a->wait && node->group > a->spare) return false;
    return !a->filter->may || a->filter->may(a->filter->context, job, node->group);
}

/* The first place at or after `from` with a ready job that is allowed, or SIZE_MAX. */
static size_t find_place(const struct queue *q, const uint64_t *set, size_t from,
                         const struct allowance *a) {
    size_t place = place_set_next(set, q->words, from);
    while (place != SIZE_MAX && !is_allowed(q, place, a))
        place = place_set_next(set, q->words, place + 1);
    return place;
}

/* The first ready job that fits into `idle` ranks and does not delay the group. */
static size_t overtake(struct queue *q, size_t group, int idle, const struct queue_filter *filter) {
    if (q->waiting_group != group) q->overtaken = 0;
    q->waiting_group = group;
    if (q->overtaken >= (size_t)QUEUE_OVERTAKE * (size_t)q->ranks) return SIZE_MAX;
    struct allowance after = {.most = idle, .filter = filter};
    after.wait = wait_for(&after.spare, q, q->nodes[q->order[group]].group, idle);
    const size_t from = after.spare > 0 ? q->first_single : place_of_cost(q, after.wait);
    const size_t single = find_place(q, q->singles, from, &after);
    const size_t other = find_place(q, q->groups, q->first_group, &after);
    const size_t place = single < other ? single : other;
    q->overtaken += place != SIZE_MAX;
    return place;
}

static size_t choose(struct queue *q, int idle, const struct queue_filter *filter) {
    const struct allowance any = {q->ranks, (double)INFINITY, 0, filter};
    q->first_single = place_set_next(q->singles, q->words, q->first_single);
    q->first_group = place_set_next(q->groups, q->words, q->first_group);
    const size_t single = find_place(q, q->singles, q->first_single, &any);
    const size_t group = find_place(q, q->groups, q->first_group, &any);
    if (single < group || group == SIZE_MAX) return single;
    return q->nodes[q->order[group]].group > idle ? overtake(q, group, idle, filter) : group;
}

bool queue_is_ready(const struct queue *q, size_t job) {
    return place_set_has(q->singles, q->nodes[job].place);
}

/* The job to start instead of `first`, where no group of ranks is waited for. */
static size_t choose_near(struct queue *q, size_t first, const struct queue_filter *f) {
    double done, left;
    if (!f->near || q->first != QUEUE_LONGEST || q->nodes[first].group > 1) return first;
    if (place_set_next(q->groups, q->words, q->first_group) != SIZE_MAX) return first;
    queue_cost(&done, &left, q);
    const struct affinity_choice choice = {f->idle, left / q->ranks, f->may, f->context};
    return affinity_choose(f->near, q, first, &choice);
}

bool queue_next(size_t *job, int *group, struct queue *q, int idle, const struct queue_filter *f) {
    if (idle < 1) return false;
    const size_t place = choose(q, idle, f);
    if (place == SIZE_MAX) return false;
    *job = choose_near(q, q->order[place], f);
    *group = q->nodes[*job].group;
    place_set_remove(queue_set_of(q, &q->nodes[*job]), q->nodes[*job].place);
    queue_start(q, *job);
    return true;
}
