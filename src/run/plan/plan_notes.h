/*
 * plan_notes.h - what is likely a slip in a config that is valid: a plan is made and runs, but
 * perhaps not the one that was meant.
 *
 * `plan` and `run` print the notes; nothing depends on them.
 */
#ifndef RUN_PLAN_PLAN_NOTES_H
#define RUN_PLAN_PLAN_NOTES_H

#include "run/plan/plan.h"

struct plan_notes { /* {0} is empty */
    char **items;   /* "FILE:LINE: stage.key: what may be wrong", one line each; owned */
    size_t n, capacity;
};

/* In this order: a repeat that is one number, fits that no stage reads, keys that no method of
 * their stage reads, a warm-up that does not end, prompts of text (prompt_notes.h), a problem other
 * than the model's own, columns that the main table will lack. */
enum err_code plan_notes_make(struct plan_notes *out, const struct plan *p, struct err *err);
/* One more, whose text is the message of an error that is not raised. */
enum err_code plan_notes_add(struct plan_notes *out, const struct err *note, struct err *err);
void plan_notes_release(struct plan_notes *n); /* idempotent */

#endif
