#include "sched/affinity.h"

#include <stdlib.h>
#include <string.h>

#include "sched/queue.h"

enum { HELD = 8 }; /* families of a rank that are remembered */
static const double SAME_COST = 0.999;
static const size_t NO_FAMILY = SIZE_MAX;

struct held {
    size_t family;
    int place; /* as which rank of a group it made them */
};

struct rank_contexts { /* the newest first */
    struct held held[HELD];
    size_t n;
};

struct family {
    size_t first, n; /* its jobs are members[first ..], the most expensive first */
    size_t past;     /* the first so many of them have ended */
    size_t left;     /* of them, not ended */
    size_t held;     /* by so many ranks */
};

struct affinity {
    const struct planned_job *jobs;
    size_t n_jobs, n_families;
    size_t *family; /* [jobs] or NO_FAMILY */
    size_t *members;
    struct family *families;
    struct rank_contexts *ranks;
    int n_ranks;
    double memory;
};

/* ---------------------------------------------------------------- families */

static int by_key(const void *x, const void *y, void *jobs) {
    const size_t i = *(const size_t *)x, k = *(const size_t *)y;
    const struct planned_job *a = (const struct planned_job *)jobs + i,
                             *b = (const struct planned_job *)jobs + k;
    const int order = strcmp(a->contexts, b->contexts);
    if (order != 0) return order;
    if (a->cost.flops != b->cost.flops) return a->cost.flops > b->cost.flops ? -1 : 1;
    return i < k ? -1 : i > k;
}

static void find_families(struct affinity *a) {
    size_t n = 0;
    for (size_t i = 0; i < a->n_jobs; i++) {
        a->family[i] = NO_FAMILY;
        if (a->jobs[i].contexts[0]) a->members[n++] = i;
    }
    qsort_r(a->members, n, sizeof *a->members, by_key, (void *)(uintptr_t)a->jobs);
    for (size_t m = 0; m < n; m++) {
        const struct planned_job *job = &a->jobs[a->members[m]];
        if (m == 0 || strcmp(job->contexts, a->jobs[a->members[m - 1]].contexts) != 0)
            a->families[a->n_families++] = (struct family){.first = m};
        struct family *f = &a->families[a->n_families - 1];
        f->n++;
        f->left++;
        a->family[a->members[m]] = a->n_families - 1;
    }
}

enum err_code affinity_create(struct affinity **out, const struct planned_job *jobs, size_t n,
                              int ranks, double memory, struct err *err) {
    enum err_code rc = ERR_OK;
    struct affinity *a = calloc(1, sizeof *a);
    CHECK(a, ERR_MEMORY, "no memory to schedule %zu jobs", n);
    *a = (struct affinity){.jobs = jobs, .n_jobs = n, .n_ranks = ranks, .memory = memory};
    a->family = calloc(n + 1, sizeof *a->family);
    a->members = calloc(n + 1, sizeof *a->members);
    a->families = calloc(n + 1, sizeof *a->families);
    a->ranks = calloc((size_t)ranks, sizeof *a->ranks);
    CHECK(a->family && a->members && a->families && a->ranks, ERR_MEMORY,
          "no memory to schedule %zu jobs", n);
    find_families(a);
    *out = a;
    a = NULL;
cleanup:
    affinity_destroy(a);
    return rc;
}

void affinity_destroy(struct affinity *a) {
    if (!a) return;
    free(a->ranks);
    free(a->families);
    free(a->members);
    free(a->family);
    free(a);
}

void affinity_ended(struct affinity *a, size_t job) {
    if (a->family[job] != NO_FAMILY) a->families[a->family[job]].left--;
}

/* ---------------------------------------------------------------- what ranks hold */

static void forget(struct affinity *a, struct rank_contexts *r, size_t i) {
    a->families[r->held[i].family].held--;
    r->n--;
    memmove(r->held + i, r->held + i + 1, (r->n - i) * sizeof *r->held);
}

static double bytes_of(const struct affinity *a, size_t family) {
    return a->jobs[a->members[a->families[family].first]].cost.context_bytes;
}

/* Forgets the oldest families that do not fit beside `needed` bytes, but not the first `own`. */
static void make_room(struct affinity *a, struct rank_contexts *r, double needed, size_t own) {
    size_t kept = 0;
    for (; kept < r->n; kept++) {
        needed += bytes_of(a, r->held[kept].family);
        if (kept >= own && needed > a->memory) break;
    }
    while (r->n > kept) forget(a, r, r->n - 1);
}

static size_t find_held(const struct rank_contexts *r, size_t family) {
    size_t i = 0;
    while (i < r->n && r->held[i].family != family) i++;
    return i;
}

static void hold_newest(struct affinity *a, struct rank_contexts *r, const struct held *held) {
    const size_t i = find_held(r, held->family);
    if (i < r->n) forget(a, r, i);
    if (r->n == HELD) forget(a, r, HELD - 1);
    memmove(r->held + 1, r->held, r->n++ * sizeof *r->held);
    r->held[0] = *held;
    a->families[held->family].held++;
}

/* Another job of its family has not ended. */
static bool is_shared(const struct affinity *a, size_t job) {
    return a->family[job] != NO_FAMILY && a->families[a->family[job]].left > 1;
}

bool affinity_holds(const struct affinity *a, size_t job, int rank) {
    const struct rank_contexts *r = &a->ranks[rank];
    return a->family[job] != NO_FAMILY && find_held(r, a->family[job]) < r->n;
}

void affinity_started(struct affinity *a, size_t job, int rank, int place) {
    struct rank_contexts *r = &a->ranks[rank];
    const struct job_cost *cost = &a->jobs[job].cost;
    const bool shared = is_shared(a, job) || affinity_holds(a, job, rank);
    const double besides = cost->memory - (cost->keeps_contexts ? cost->context_bytes : 0.0);
    if (shared) hold_newest(a, r, &(struct held){a->family[job], place});
    make_room(a, r, besides, shared ? 1 : 0);
}

void affinity_lost(struct affinity *a, int rank) {
    struct rank_contexts *r = &a->ranks[rank];
    while (r->n > 0) forget(a, r, r->n - 1);
}

/* How well a rank suits the job, the larger the better. */
static int suits(const struct affinity *a, size_t job, int rank, int place) {
    const struct rank_contexts *r = &a->ranks[rank];
    const size_t i = a->family[job] == NO_FAMILY ? r->n : find_held(r, a->family[job]);
    if (i < r->n) return r->held[i].place == place ? 3 : 2;
    for (size_t k = 0; k < r->n; k++)
        if (a->families[r->held[k].family].left > 0) return 0;
    return 1;
}

int affinity_rank(const struct affinity *a, size_t job, int place, const bool *idle) {
    int best = -1, most = -1;
    for (int rank = 0; rank < a->n_ranks; rank++) {
        const int here = idle[rank] ? suits(a, job, rank, place) : -1;
        if (here > most) best = rank, most = here;
    }
    return best;
}

/* ---------------------------------------------------------------- what starts */

struct search {
    const struct queue *q;
    const struct affinity_choice *choice;
    double least; /* cost of a job that may take the place of the first */
};

static bool has_ended(const struct queue *q, size_t job) {
    const enum queue_state state = queue_state_of(q, job);
    return state == QUEUE_DONE || state == QUEUE_FAILED;
}

/* The most expensive ready job of the family that may start, or SIZE_MAX. */
static size_t ready_member(struct affinity *a, size_t family, const struct search *s) {
    struct family *f = &a->families[family];
    const size_t *members = a->members + f->first;
    while (f->past < f->n && has_ended(s->q, members[f->past])) f->past++;
    for (size_t m = f->past; m < f->n; m++) {
        const size_t job = members[m];
        if (a->jobs[job].cost.flops < s->least) break;
        if (!queue_is_ready(s->q, job)) continue;
        if (!s->choice->may || s->choice->may(s->choice->context, job, 1)) return job;
    }
    return SIZE_MAX;
}

static bool is_better(const struct affinity *a, size_t job, size_t best) {
    return job != SIZE_MAX &&
           (best == SIZE_MAX || a->jobs[job].cost.flops > a->jobs[best].cost.flops);
}

/* Of the families that idle ranks hold. */
static size_t held_member(struct affinity *a, const struct search *s) {
    size_t best = SIZE_MAX;
    for (int rank = 0; rank < a->n_ranks; rank++)
        for (size_t i = 0; s->choice->idle[rank] && i < a->ranks[rank].n; i++) {
            const size_t job = ready_member(a, a->ranks[rank].held[i].family, s);
            if (is_better(a, job, best)) best = job;
        }
    return best;
}

/* Of the families that no rank holds. */
static size_t new_member(struct affinity *a, const struct search *s) {
    size_t best = SIZE_MAX;
    for (size_t f = 0; f < a->n_families; f++) {
        const size_t job = a->families[f].held == 0 ? ready_member(a, f, s) : SIZE_MAX;
        if (is_better(a, job, best)) best = job;
    }
    return best;
}

size_t affinity_choose(struct affinity *a, const struct queue *q, size_t first,
                       const struct affinity_choice *choice) {
    const double cost = a->jobs[first].cost.flops;
    const bool small = cost <= AFFINITY_SMALL * choice->left;
    const struct search s = {q, choice, small ? 0.0 : SAME_COST * cost};
    const size_t held = a->n_families > 0 ? held_member(a, &s) : SIZE_MAX;
    if (held != SIZE_MAX) return held;
    if (a->family[first] == NO_FAMILY || a->families[a->family[first]].held == 0) return first;
    const size_t fresh = new_member(a, &s);
    return fresh != SIZE_MAX ? fresh : first;
}
