/*
 * evaluate_text_prompts.h - the prompts of an evaluation on text, and the sizes that follow from
 * them: the same at plan time and while the job runs.
 *
 * Sample i asks for test item i. Its basis prompt is of another source: clean, of T0 points, and it
 * neither asks for nor shows that item.
 */
#ifndef STAGES_EVALUATE_TEXT_PROMPTS_H
#define STAGES_EVALUATE_TEXT_PROMPTS_H

#include "config/config.h"
#include "methods/vector_pass.h"
#include "sources/prompt_batch.h"
#include "sources/source.h"

struct evaluate_text_basis { /* what an item needs */
    size_t T0;               /* points of its basis prompt; 0: none */
    unsigned parts;          /* basis_bit() of the parts of its basis */
};

struct evaluate_text_prompts {
    size_t points, items, chunk; /* items: of the key `functions`, or all that there are */
    size_t T0;                   /* 0: no basis prompts */
    bool keeps;                  /* the artifact has the prompts */
    enum context_precision contexts;
    struct source *source, *basis; /* basis NULL: none */
    struct source *alone;          /* the queries of basis prompts without shots; NULL: none */
    struct source_lengths lengths, basis_lengths;
};

/* Draws all prompts once to measure them. ERR_CONFIG where prompts are too long (basis prompts are
 * never dropped), or do not suit the model; errors of source_open() and source_measure(). Not
 * reserved yet. */
enum err_code evaluate_text_prompts_open(struct evaluate_text_prompts *t,
                                         const struct config_point *point, uint64_t seed,
                                         const struct model_dims *d,
                                         const struct evaluate_text_basis *basis, struct err *err);
void evaluate_text_prompts_close(struct evaluate_text_prompts *t); /* idempotent */

/* Slots: a chunk. Rows: every token of the answers of a chunk. */
struct prompt_batch_options evaluate_text_batch(const struct evaluate_text_prompts *t,
                                                const struct model_dims *d);
struct basis_size evaluate_text_bases(const struct evaluate_text_prompts *t);
/* The query pass. */
struct vector_pass_size evaluate_text_pass(const struct evaluate_text_prompts *t);

#endif
