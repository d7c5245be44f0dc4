/*
 * prompt_template.h - how a pair is written in a prompt: "Q: {x}\nA: {y}\n\n".
 *
 * Spaces before {y} belong to the answer, since most tokenizers write a word and the space before
 * it as one token: a query ends before them ("... A:"), and what follows it is " answer".
 */
#ifndef SOURCES_TEXT_PROMPT_TEMPLATE_H
#define SOURCES_TEXT_PROMPT_TEMPLATE_H

#include "base/err.h"
#include "base/text.h"
#include "sources/text/task.h"

struct prompt_template {                      /* parts of the text it was read from */
    const char *head, *middle, *space, *tail; /* "Q: ", "\nA:", " ", "\n\n" */
    size_t head_size, middle_size, space_size, tail_size;
};

/* ERR_CONFIG, without a place, unless {x} and {y} are there once each, in this order, and do not
 * touch. text must outlive the result. */
enum err_code prompt_template_read(struct prompt_template *out, const char *text, struct err *err);

/* Appends the query of a pair; the answer to it; what ends a shot. */
void prompt_template_query(struct text *out, const struct prompt_template *t,
                           const struct task_pair *pair);
void prompt_template_answer(struct text *out, const struct prompt_template *t,
                            const struct task_pair *pair);
void prompt_template_end(struct text *out, const struct prompt_template *t);

#endif
