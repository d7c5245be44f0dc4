/*
 * prompt_notes.h - notes on a plan about prompts of text: those that do not fit the model, answers
 * that published code tokenizes otherwise, words that the tokenizer does not know, repeated inputs.
 */
#ifndef RUN_PLAN_PROMPT_NOTES_H
#define RUN_PLAN_PROMPT_NOTES_H

#include "run/plan/plan_notes.h"

/* Appends them; each task once, whatever stages and jobs read it. ERR_MEMORY. */
enum err_code prompt_notes_add(struct plan_notes *out, const struct plan *p, struct err *err);

#endif
