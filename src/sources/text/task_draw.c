#include "sources/text/task_draw.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_PASS UINT64_MAX /* not shuffled yet: plan opens many sources and draws of few */

static const char *const PARTS[SOURCE_PARTS + 1] = {"training", "validation", "test", "anything"};

/* ---- streams */

static struct rng stream_of(const char *content, uint64_t seed, const char *split,
                            const char *purpose) {
    char name[HASH_HEX + 80];
    (void)snprintf(name, sizeof name, "text/%s/%.40s/%s", content, split ? split : "", purpose);
    return rng_stream(seed, name);
}

/* ---- the order of queries */

static void shuffle_pass(struct task_order *o, uint64_t pass) {
    rng_permutation(o->pairs, (uint32_t)task_count(o->task, o->part), &o->stream, pass, 0);
    o->pass = pass;
}

static enum err_code order_create(struct task_order *o, const struct text_task *task,
                                  enum source_part part, struct rng stream, struct err *err) {
    const size_t n = task_count(task, part);
    *o = (struct task_order){.task = task, .part = part, .stream = stream, .pass = NO_PASS};
    if (n == 0)
        return ERR(err, ERR_DATA,
                   "%.600s: none of its %zu pairs is for %s: the task is too small for the split "
                   "of 70%%, 9%% and 21%%",
                   task->path, task->n, PARTS[part]);
    o->pairs = calloc(n, sizeof *o->pairs);
    if (!o->pairs) return ERR(err, ERR_MEMORY, "no memory for an order of %zu pairs", n);
    return ERR_OK;
}

static const struct task_pair *query_of(struct task_order *o, uint64_t sample) {
    const size_t n = task_count(o->task, o->part);
    if (sample / n != o->pass) shuffle_pass(o, sample / n);
    return task_pair_at(o->task, o->part, o->pairs[sample % n]);
}

/* ---- prompts */

static enum err_code create_orders(struct task_draw *d, const struct text_task *task,
                                   const struct source_options *o, struct err *err) {
    enum err_code rc = ERR_OK;
    const char *content = task->content;
    const struct rng asked = stream_of(content, o->seed, o->split, "query");
    const bool enough = task_count(task, SOURCE_VALIDATION) >= 2;
    if (!o->covariates) return order_create(&d->asked, task, o->asked, asked, err);
    TRY(order_create(&d->apart, task, o->asked, asked, err));
    TRY(order_create(&d->asked, task, enough ? SOURCE_VALIDATION : SOURCE_TRAIN,
                     stream_of(content, o->seed, o->covariates, "query"), err));
cleanup:
    return rc;
}

enum err_code task_draw_create(struct task_draw *d, const struct text_task *task,
                               const struct source_options *o, bool shuffled, struct err *err) {
    const char *content = task->content;
    const char *split = o->covariates ? o->covariates : o->split;
    *d = (struct task_draw){.shuffled = shuffled,
                            .shown = o->asked == SOURCE_ALL ? SOURCE_ALL : SOURCE_TRAIN,
                            .shots = stream_of(content, o->seed, split, "shots"),
                            .labels = stream_of(content, o->seed, split, "labels")};
    const enum err_code rc = create_orders(d, task, o, err);
    if (rc != ERR_OK) task_draw_destroy(d);
    return rc;
}

void task_draw_destroy(struct task_draw *d) {
    free(d->asked.pairs);
    free(d->apart.pairs);
    *d = (struct task_draw){0};
}

/* Two queries and their inverses may be excluded. */
size_t task_draw_least(size_t shots) {
    if (shots == 0) return 0;
    return shots < 4 ? shots + 4 : 2 * shots;
}

static bool admits(const struct drawn_pairs *p, const struct task_pair *candidate, size_t shown,
                   const struct task_pair *apart) {
    for (size_t j = 0; j < shown; j++)
        if (p->shown[j] == candidate) return false;
    return !task_reveals(candidate, p->query) && !(apart && task_reveals(candidate, apart));
}

static void draw_shots(struct drawn_pairs *out, const struct task_draw *d, uint64_t sample,
                       const struct task_pair *apart) {
    const struct text_task *t = d->asked.task;
    const size_t n = task_count(t, d->shown);
    for (size_t j = 0; j < out->shots; j++) {
        const struct task_pair *pair = NULL;
        for (uint64_t attempt = 0; !pair || !admits(out, pair, j, apart); attempt++)
            pair = task_pair_at(t, d->shown, rng_below(n, &d->shots, sample, j, attempt));
        out->shown[j] = pair;
    }
}

/* The query of a basis prompt moves on where it would show what must not be seen. */
static const struct task_pair *draw_query(struct task_draw *d, uint64_t sample,
                                          const struct task_pair *apart) {
    const struct task_pair *query = query_of(&d->asked, sample);
    for (uint64_t i = 1; apart && i <= 4 && task_reveals(query, apart); i++)
        query = query_of(&d->asked, sample + i);
    return query;
}

void task_draw_pairs(struct drawn_pairs *out, struct task_draw *d, uint64_t sample,
                     uint32_t *order) {
    const struct task_pair *apart = d->apart.task ? query_of(&d->apart, sample) : NULL;
    assert(task_count(d->asked.task, SOURCE_TRAIN) >= task_draw_least(out->shots));
    out->query = draw_query(d, sample, apart);
    draw_shots(out, d, sample, apart);
    if (d->shuffled) rng_permutation(order, (uint32_t)out->shots, &d->labels, sample, out->shots);
    for (size_t j = 0; j < out->shots; j++) out->labels[j] = out->shown[d->shuffled ? order[j] : j];
}
