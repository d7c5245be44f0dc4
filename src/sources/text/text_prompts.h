/*
 * text_prompts.h - prompts as token ids: pairs are written by a template and encoded.
 *
 * A prompt is encoded as one text, since a tokenizer may join what ends a shot with what follows.
 * The answer is what follows the tokens of the query when both are encoded together, without shots;
 * where a token crosses the boundary between them, the answer is encoded alone, as it is published.
 */
#ifndef SOURCES_TEXT_TEXT_PROMPTS_H
#define SOURCES_TEXT_TEXT_PROMPTS_H

#include "sources/prompt_view.h"
#include "sources/text/prompt_template.h"
#include "sources/text/task_draw.h"
#include "tokenizer/tokenizer.h"

struct text_prompts_setup {
    const struct tokenizer *tokenizer; /* the caller's, as the text of the template */
    int32_t bos;                       /* -1: none */
    struct prompt_template form;
    bool wants_next;
    size_t most_tokens; /* 0: no limit */
};

struct text_prompts {
    struct text_prompts_setup setup;
    struct drawn_pairs pairs; /* the prompt to be added: its arrays are [shots] */
    uint32_t *order;          /* [shots] for task_draw_pairs() */

    size_t n, capacity;
    struct token_ids ids, next, answers;
    size_t *first, *answer_first;   /* [capacity + 1] */
    const struct task_pair **asked; /* [capacity] */
    uint64_t *samples;              /* [capacity] */
    size_t crossed;                 /* prompts of all draws whose answer, encoded alone, has other
                                       tokens than after its query; without those left out */
    size_t left_out;                /* prompts of all draws that were longer than most_tokens */

    struct text text; /* scratch, of one prompt */
    struct token_ids whole, part;
    size_t *ends; /* [2 shots] where the shown answers begin and end in the text */
};

/* Room for the indices of so many prompts; their tokens grow with them. ERR_MEMORY. */
enum err_code text_prompts_create(struct text_prompts *p, const struct text_prompts_setup *setup,
                                  size_t prompts, size_t shots, struct err *err);
void text_prompts_destroy(struct text_prompts *p); /* idempotent */

/* Keeps the first n prompts. */
void text_prompts_cut(struct text_prompts *p, size_t n);

/* Adds the prompt of p->pairs, unless it is too long. ERR_DATA: what the vocabulary cannot say,
 * with the pair; ERR_MEMORY. */
enum err_code text_prompts_add(struct text_prompts *p, uint64_t sample, struct err *err);

struct prompt_text text_prompts_view(const struct text_prompts *p);

#endif
