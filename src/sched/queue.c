#include "sched/queue.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sched/affinity.h"

struct node {
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
    struct node *nodes;
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

/* ---------------------------------------------------------------- sets of places */

static void set_bit(uint64_t *set, size_t i) { set[i / 64] |= UINT64_C(1) << i % 64; }
static void clear_bit(uint64_t *set, size_t i) { set[i / 64] &= ~(UINT64_C(1) << i % 64); }

/* The first member at or after `from`, or SIZE_MAX. */
static size_t next_bit(const uint64_t *set, size_t words, size_t from) {
    size_t w = from / 64;
    if (w >= words) return SIZE_MAX;
    uint64_t bits = set[w] & (~UINT64_C(0) << from % 64);
    while (bits == 0 && ++w < words) bits = set[w];
    return bits == 0 ? SIZE_MAX : w * 64 + (size_t)__builtin_ctzll(bits);
}

static uint64_t *set_of(const struct queue *q, const struct node *node) {
    return node->group > 1 ? q->groups : q->singles;
}

/* ---------------------------------------------------------------- building */

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

static void fill_node(struct node *node, const struct planned_job *job, int ranks) {
    *node = (struct node){.parents = job->parents, .n_parents = job->n_parents};
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
            struct node *parent = &q->nodes[q->nodes[i].parents[k]];
            q->children[parent->children + parent->n_children++] = i;
        }
}

/* Parents before children; false: a cycle. Uses and restores `waiting`. */
static bool sort_topologically(struct queue *q) {
    size_t n = 0;
    for (size_t i = 0; i < q->n; i++)
        if (q->nodes[i].waiting == 0) q->topological[n++] = i;
    for (size_t at = 0; at < n; at++) {
        const struct node *node = &q->nodes[q->topological[at]];
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

/* ---------------------------------------------------------------- states */

static void change(struct queue *q, struct node *node, enum queue_state state) {
    if (node->state == QUEUE_PENDING && node->stuck) q->stuck--;
    q->count[node->state]--;
    q->count[state]++;
    node->state = state;
}

void queue_set_done(struct queue *q, size_t job) { change(q, &q->nodes[job], QUEUE_DONE); }
void queue_set_failed(struct queue *q, size_t job) { change(q, &q->nodes[job], QUEUE_FAILED); }
void queue_set_skipped(struct queue *q, size_t job) { q->nodes[job].skip = true; }

static void start(struct queue *q, size_t job) {
    assert(q->n_running < (size_t)q->ranks);
    change(q, &q->nodes[job], QUEUE_RUNNING);
    q->nodes[job].fraction = 0.0;
    q->running[q->n_running++] = job;
}

void queue_set_running(struct queue *q, size_t job, int group) {
    q->nodes[job].group = group;
    start(q, job);
}

static void make_ready(struct queue *q, struct node *node) {
    if (node->state != QUEUE_PENDING || node->waiting > 0 || node->stuck) return;
    size_t *first = node->group > 1 ? &q->first_group : &q->first_single;
    set_bit(set_of(q, node), node->place);
    if (node->place < *first) *first = node->place;
}

/* The recursion is as deep as the chain of stages that read stages, so a few levels. */
static void block_children(struct queue *q, size_t failed, struct node *node) {
    for (size_t k = 0; k < node->n_children; k++) {
        struct node *child = &q->nodes[q->children[node->children + k]];
        if (child->state != QUEUE_PENDING) continue;
        child->blocker = failed;
        clear_bit(set_of(q, child), child->place);
        q->cost_left -= child->stuck ? 0.0 : child->cost;
        change(q, child, QUEUE_BLOCKED);
        block_children(q, failed, child);
    }
}

static void begin_node(struct queue *q, struct node *node) {
    node->stuck = node->skip && node->state == QUEUE_PENDING;
    for (size_t k = 0; k < node->n_parents; k++) {
        const struct node *parent = &q->nodes[node->parents[k]];
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

/* ---------------------------------------------------------------- the next job */

static double time_left(const struct node *node) {
    return node->cost * (1.0 - node->fraction) / node->group;
}

static int shortest_first(const void *a, const void *b, void *nodes) {
    const double x = time_left((const struct node *)nodes + *(const size_t *)a);
    const double y = time_left((const struct node *)nodes + *(const size_t *)b);
    return x < y ? -1 : x > y;
}

/* How long until `wanted` ranks are idle, in units of cost, if times are proportional to costs;
 * *spare: how many more ranks will be idle then. */
static double wait_for(int *spare, struct queue *q, int wanted, int idle) {
    double wait = 0.0;
    qsort_r(q->running, q->n_running, sizeof *q->running, shortest_first, q->nodes);
    for (size_t i = 0; i < q->n_running && idle < wanted; i++) {
        const struct node *node = &q->nodes[q->running[i]];
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
    const struct node *node = &q->nodes[job];
    if (node->group > a->most) return false;
    if (time_left(node) > a->wait && node->group > a->spare) return false;
    return !a->filter->may || a->filter->may(a->filter->context, job, node->group);
}

/* The first place at or after `from` with a ready job that is allowed, or SIZE_MAX. */
static size_t find_place(const struct queue *q, const uint64_t *set, size_t from,
                         const struct allowance *a) {
    size_t place = next_bit(set, q->words, from);
    while (place != SIZE_MAX && !is_allowed(q, place, a))
        place = next_bit(set, q->words, place + 1);
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
    q->first_single = next_bit(q->singles, q->words, q->first_single);
    q->first_group = next_bit(q->groups, q->words, q->first_group);
    const size_t single = find_place(q, q->singles, q->first_single, &any);
    const size_t group = find_place(q, q->groups, q->first_group, &any);
    if (single < group || group == SIZE_MAX) return single;
    return q->nodes[q->order[group]].group > idle ? overtake(q, group, idle, filter) : group;
}

bool queue_is_ready(const struct queue *q, size_t job) {
    const size_t place = q->nodes[job].place;
    return (q->singles[place / 64] >> place % 64 & 1) != 0;
}

/* The job to start instead of `first`, where no group of ranks is waited for. */
static size_t choose_near(struct queue *q, size_t first, const struct queue_filter *f) {
    double done, left;
    if (!f->near || q->first != QUEUE_LONGEST || q->nodes[first].group > 1) return first;
    if (next_bit(q->groups, q->words, q->first_group) != SIZE_MAX) return first;
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
    clear_bit(set_of(q, &q->nodes[*job]), q->nodes[*job].place);
    start(q, *job);
    return true;
}

/* ---------------------------------------------------------------- how jobs end */

static struct node *leave(struct queue *q, size_t job) {
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
    struct node *node = leave(q, job);
    change(q, node, QUEUE_DONE);
    q->cost_done += node->cost;
    q->cost_left -= node->cost;
    for (size_t k = 0; k < node->n_children; k++) {
        struct node *child = &q->nodes[q->children[node->children + k]];
        child->waiting--;
        make_ready(q, child);
    }
}

void queue_failed(struct queue *q, size_t job) {
    struct node *node = leave(q, job);
    change(q, node, QUEUE_FAILED);
    q->cost_left -= node->cost;
    block_children(q, job, node);
}

void queue_stopped(struct queue *q, size_t job) {
    struct node *node = leave(q, job);
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
