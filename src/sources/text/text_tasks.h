/*
 * text_tasks.h - the tasks of a text source, with the order of their prompts: one, or all of a
 * folder, which take turns in the order of their content.
 */
#ifndef SOURCES_TEXT_TEXT_TASKS_H
#define SOURCES_TEXT_TEXT_TASKS_H

#include "sources/text/task_draw.h"
#include "sources/text/text_keys.h"

struct text_tasks {
    size_t n;
    char **paths;
    const struct text_task **tasks; /* [n] */
    struct task_draw *draws;        /* [n] */
    struct task_draw *held;         /* [n] of samples from held_from on; NULL: there are none */
    uint64_t held_from;
};

/* The files that k names: shared_task_open() and task_draw_create() of each. ERR_DATA also for a
 * folder without *.json. */
enum err_code text_tasks_open(struct text_tasks *t, const struct text_keys *k,
                              const struct source_options *o, bool shuffled, struct err *err);
void text_tasks_close(struct text_tasks *t); /* idempotent */

/* The task of a sample, and the number of the sample in it. */
struct task_draw *text_tasks_at(struct text_tasks *t, uint64_t sample, uint64_t *own);

/* ERR_DATA, with the file, where a task has too few pairs for training. */
enum err_code text_tasks_check_shots(const struct text_tasks *t, size_t shots, struct err *err);

void text_tasks_hash(struct hash *h, const struct text_tasks *t); /* adds the content of all */
/* Until a query of the part comes again. */
size_t text_tasks_samples(const struct text_tasks *t, enum source_part asked);
size_t text_tasks_repeated(const struct text_tasks *t); /* struct text_task.repeated of all */
size_t text_tasks_longest(const struct text_tasks *t);  /* bytes of the longest pair */

#endif
