/*
 * source.h - where a stage's prompts come from, and how predictions are compared with the true
 * answers.
 *
 * Stages, passes and methods use this interface only. Prompts are of function classes with shifts
 * (sources/problems), or of text tasks (sources/text): info->functions or info->answers says which.
 * source_registry.h opens the source that a config point names; source_kind.h is what a kind of
 * source implements.
 *
 * Prompts are a pure function of (seed, source, split, sample number): sample i of a split is the
 * same prompt in every batch, for every method, on every rank. A source stores only the prompts
 * that were drawn last, so two draws that are needed at the same time need two sources.
 */
#ifndef SOURCES_SOURCE_H
#define SOURCES_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "config/config.h"
#include "sources/prompt_loss.h"
#include "sources/prompt_view.h"

struct source;

/* Which pairs of a text task prompts ask about; shown are those for training. SOURCE_ALL: all pairs
 * are asked and shown, as in the pretraining of a model that is to know every pair. */
enum source_part {
    SOURCE_TRAIN,
    SOURCE_VALIDATION,
    SOURCE_TEST,
    SOURCE_PARTS,
    SOURCE_ALL = SOURCE_PARTS
};

struct source_options {
    uint64_t seed;
    const char *split;      /* names functions and everything else: "test", "fit/0" */
    const char *covariates; /* another split for everything but functions; NULL: the same */
    bool shifted;           /* the point's key `shift` changes the prompts */
    enum source_part asked; /* of text tasks; functions are drawn anew for every split */
    uint64_t held_from;     /* samples from this one on ask about pairs for validation; 0: none */
    bool shuffled;          /* of text: shots show each other's answers, whatever the keys say */
    bool clean;             /* of text: shots show their own answers, whatever the keys say */
    bool next;              /* prompts of token ids have prompt_text.next */
    size_t most_tokens;     /* of a prompt with its answer; longer ones are left out of what is
                               drawn. 0: no limit */
};

/* Prompts of functions of numbers, which estimators and the curriculum of pretraining need. */
struct source_functions {
    size_t dims;       /* coordinates of x */
    double noise;      /* standard deviation of the noise on y, in units of the function's scale */
    size_t parameters; /* numbers that describe one function */
};

/* Prompts of token ids, whose answers are tokens. */
struct source_answers {
    size_t vocabulary; /* tokens of the tokenizer: ids are below it */
    char bos[64];      /* the token that begins every prompt; "": none */
    size_t tasks;      /* that take turns from one sample to the next */
    size_t samples;    /* that ask for different things: later ones repeat them */
    size_t repeated;   /* pairs of the files left out, since their input came before */
    bool drop;         /* prompts that are too long are to be left out, not refused */
    size_t crossed;    /* prompts drawn so far whose answer, encoded alone, has other tokens */
    size_t left_out;   /* prompts that were longer than source_options.most_tokens */
};

struct source_tokens { /* of the tokenizer of a source of text, whatever its task */
    size_t count;
    int32_t bos; /* the token that begins every prompt; -1: none */
};

/* What the files of a source of text hold, for notes on a plan. */
struct source_items {
    size_t n;          /* pairs with different inputs */
    size_t repeated;   /* others, which are left out: their input came before */
    size_t unknown;    /* of the n: written by the template, they have words or characters that the
                          vocabulary lacks, for which the tokenizer writes one token */
    char token[64];    /* this token */
    char example[160]; /* the first of the unknown ones: "house" -> "maison" */
};

/* What prompt i of the last draw asks. */
struct source_question {
    uint64_t sample;
    const char *x, *y; /* the input and its true answer */
};

struct source_info {
    const char *name;        /* column `source` */
    const char *shift;       /* column `shift`; "none" */
    double shift_level;      /* column `shift_level` */
    struct prompt_loss loss; /* that a model is trained with; also defines the error in tables */
    double normaliser;       /* E[y^2], which column `mse_over_variance` divides by */
    size_t inputs;           /* numbers of a token that the model reads */
    bool apart;              /* queries are not the points that the context shows */
    bool relabels;           /* labels change with the number of pairs shown */
    const struct source_functions *functions; /* NULL: prompts are not of functions */
    const struct source_answers *answers;     /* NULL: prompts are not of token ids */
};

void source_close(struct source *s); /* NULL-safe */

/* Valid as long as the source. */
const struct source_info *source_info(const struct source *s);

/* The number of points of a prompt for which the shift is defined, at most `points`. */
size_t source_points(const struct source *s, size_t points);

/* For plan. source_check: ERR_CONFIG if a model that reads tokens of `inputs` numbers cannot read
 * the prompts, or if the shift does not suit the source. source_check_functions: ERR_CONFIG if the
 * prompts are not of functions, which `what` needs. point: with which the source was opened. */
enum err_code source_check(const struct source *s, const struct config_point *point, size_t inputs,
                           struct err *err);
enum err_code source_check_functions(const struct source *s, const struct config_point *point,
                                     const char *what, struct err *err);

/* How long samples first .. first + n - 1 of `points` points are, in tokens. */
struct source_range {
    uint64_t first;
    size_t n, points;
    size_t most_tokens; /* of a prompt with its answer, which takes a token less than it has */
};
struct source_lengths {
    size_t prompt, answer; /* of the longest of those that fit: tokens, the query included */
    size_t too_long;       /* prompts that do not fit */
    size_t crossed;        /* as in struct source_answers */
};

/* For plan and before a source is reserved; text is drawn for it. Prompts of functions have two
 * tokens a point and one answer; whoever plans them checks their points. ERR_DATA: a task with too
 * few pairs for training, or as source_status(). */
enum err_code source_measure(struct source_lengths *out, struct source *s,
                             const struct source_range *range, struct err *err);

/* ERR_CONFIG for text that does not suit a model: a vocabulary below that of the tokenizer, or
 * prompts that are too long and are not to be dropped. `lengths` are those of source_measure(). */
enum err_code source_check_lengths(const struct source *s, const struct config_point *point,
                                   const struct source_range *range,
                                   const struct source_lengths *lengths, struct err *err);
enum err_code source_check_vocabulary(const struct source *s, const struct config_point *point,
                                      size_t vocabulary, struct err *err);

/* Allocates room for n prompts of at most `points` points; call it once. source_bytes() is its
 * size. */
enum err_code source_reserve(struct source *s, size_t n, size_t points, struct err *err);
size_t source_bytes(const struct source *s, size_t n, size_t points);

/* Samples first .. first + n - 1, n at most as reserved, of as many points as reserved. The view
 * stays valid until the next draw. Of token ids it has fewer prompts where some were too long, or
 * after a failure: ask source_status(). */
struct prompt_view source_draw(struct source *s, uint64_t first, size_t n);

/* Of the last draw: ERR_DATA where the tokenizer cannot write a prompt, ERR_MEMORY. Drawing prompts
 * of functions cannot fail. */
enum err_code source_status(const struct source *s, struct err *err);

/* Only where info->answers; valid as long as the source. */
struct source_question source_question(const struct source *s, size_t i);

/* The same: whether tokens ids [n] read as the answer to prompt i of the last draw, blanks at the
 * ends aside. ERR_MEMORY. */
enum err_code source_reads_as_answer(bool *out, const struct source *s, size_t i,
                                     const uint32_t *ids, size_t n, struct err *err);

/* The numbers [n, functions->parameters] that describe the function of each prompt of the last
 * draw, valid until the next one; docs/results.md gives their order. Only for prompts of
 * functions. */
const float *source_parameters(const struct source *s);

/* Replaces row `row` of the last draw by another sample, also in the views of that draw. */
void source_redraw(struct source *s, size_t row, uint64_t sample);

/* A step of pretraining on functions: `points` points, and only the first `active` coordinates of x
 * differ from 0 (curriculum). E[y^2] of what it shows. */
struct prompt_view source_draw_active(struct source *s, uint64_t first, size_t n, size_t points,
                                      size_t active);
double source_normaliser_active(const struct source *s, size_t active);

#endif
