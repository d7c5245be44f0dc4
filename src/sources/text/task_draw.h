/*
 * task_draw.h - which pairs of a task make a prompt: a pure function of (seed, content of the task,
 * split, sample number).
 *
 * Every pair of the part that is asked comes once before any comes again, in a random order. Shots
 * are different pairs for training, and none of them gives the answer away. A longer prompt of a
 * sample has the shots of a shorter one and the same query.
 */
#ifndef SOURCES_TEXT_TASK_DRAW_H
#define SOURCES_TEXT_TASK_DRAW_H

#include "base/rng.h"
#include "sources/text/task.h"

struct task_order { /* the queries of one split */
    const struct text_task *task;
    enum source_part part;
    struct rng stream;
    uint32_t *pairs; /* [task_count(part)] their order in pass `pass`, once drawn from */
    uint64_t pass;
};

struct task_draw {
    struct task_order asked;
    struct task_order apart; /* whose query of the same sample must not be seen; task NULL: none */
    enum source_part shown;
    struct rng shots, labels;
    bool shuffled;
};

struct drawn_pairs {
    const struct task_pair *query;
    const struct task_pair **shown;  /* [shots] */
    const struct task_pair **labels; /* [shots] the pairs whose answers are shown with them */
    size_t shots;
};

/* With o->covariates: prompts of that split, which ask about pairs for validation (for training,
 * where there are fewer than two) and do not contain what o->split asks of the same sample.
 * shuffled: the labels of the shots are permuted. ERR_DATA if the part asked has no pair,
 * ERR_MEMORY. */
enum err_code task_draw_create(struct task_draw *d, const struct text_task *task,
                               const struct source_options *o, bool shuffled, struct err *err);
void task_draw_destroy(struct task_draw *d); /* idempotent */

/* The fewest pairs for training with which prompts of so many shots are drawn. */
size_t task_draw_least(size_t shots);

/* Fills out->query and the arrays of out->shots pairs, which are the caller's; out->shots needs
 * task_draw_least() pairs for training. order: scratch [shots]. */
void task_draw_pairs(struct drawn_pairs *out, struct task_draw *d, uint64_t sample,
                     uint32_t *order);

#endif
