/*
 * prompt_batch.h - turns prompts into what the model reads: contexts and query rows.
 *
 * Only this module determines which tokens a prompt becomes. A pair (x, y) is two tokens, x and (y,
 * 0, ..., 0), interleaved as in Garg et al. (NeurIPS 2022), so that k pairs are 2 k tokens and the
 * query after them is at position 2 k.  Prompts of text are tokens already: the query is the last
 * one, at whatever position, and the context is all tokens before it. They are shown and asked as a
 * whole, so that spans and points are always those of the whole prompt.
 *
 * A batch has a fixed number of slots, each of which holds the context (keys and values, context.h)
 * of one prompt, and of rows, each of which is one query that reads the context of a slot. Call
 * begin, add for each prompt, finish; then set the rows and pass prompt_rows_of() to a query pass.
 * How many prompts are added between begin and finish never changes the bits of a context; how many
 * rows run together does, so callers decide it from the config alone.
 */
#ifndef SOURCES_PROMPT_BATCH_H
#define SOURCES_PROMPT_BATCH_H

#include "model/context_pass.h"
#include "model/query.h"
#include "sources/prompt_view.h"
#include "sources/shared_contexts.h"

struct prompt_rows { /* queries */
    size_t capacity, width;
    float *x;                /* [capacity, width] tokens */
    float *target;           /* [capacity] the true answers */
    uint32_t *slot, *length; /* [capacity] as in struct query_rows */
    uint32_t *ids, *earlier; /* the same, of text */
    uint32_t *wanted;        /* [capacity] of text: the token that is the true answer to the row */
    struct arena memory;
};

enum err_code prompt_rows_create(struct prompt_rows *r, const struct model_dims *dims,
                                 size_t capacity, struct err *err);
void prompt_rows_destroy(struct prompt_rows *r);
size_t prompt_rows_bytes(const struct model_dims *dims, size_t capacity);

/* Where a query reads its context: the first `length` tokens of `slot`. */
struct prompt_seat {
    size_t slot, length;
};

/* Row `row` becomes the query of prompt i of `prompts` at point k (from 0). Of text it is the last
 * token, which sees all before it, and asks for the first token of the answer. */
void prompt_rows_ask(struct prompt_rows *r, size_t row, struct prompt_seat at,
                     const struct prompt_view *prompts, size_t i, size_t k);
/* The same for the token of the label y of point k instead of its x; the target is not set. */
void prompt_rows_ask_label(struct prompt_rows *r, size_t row, struct prompt_seat at,
                           const struct prompt_view *prompts, size_t i, size_t k);
/* The same for a token x [width] that belongs to no prompt. */
void prompt_rows_ask_token(struct prompt_rows *r, size_t row, struct prompt_seat at,
                           const float *x);

/* Text: row `row` becomes the last token of prompt i, and the rows after it all tokens of its
 * answer but the last, so that each asks for the next token of the answer. Returns the number of
 * rows: tokens of the answer. The query pass needs room for as many less one after the first
 * (query.h).
 */
size_t prompt_rows_ask_answer(struct prompt_rows *r, size_t row, size_t slot,
                              const struct prompt_view *prompts, size_t i);

/* Text: row `row` becomes token t of prompt i, which sees those before it. */
void prompt_rows_read_token(struct prompt_rows *r, size_t row, size_t slot,
                            const struct prompt_view *prompts, size_t i, size_t t);

/* Text: as prompt_rows_ask_answer(), with a row for the last token of the answer too. What a row
 * asks for is not set. Returns the number of rows. */
size_t prompt_rows_read_answer(struct prompt_rows *r, size_t row, size_t slot,
                               const struct prompt_view *prompts, size_t i);

/* Rows 0 .. n - 1 in the form that a query pass takes; valid until a row is set. */
struct query_rows prompt_rows_of(const struct prompt_rows *r, size_t n);

/* Called every few prompts while prompt_batch_fill() makes contexts, which may take minutes. False:
 * no more is wanted. */
struct prompt_batch_watch {
    bool (*go_on)(void *of, size_t prompts); /* how many are added; NULL: nobody watches */
    void *of;
};

struct prompt_batch_options {
    const struct model_dims *dims;
    size_t slots, tokens; /* contexts, and tokens of each at most */
    size_t rows;          /* queries of a pass at most */
    size_t fills;         /* prompts that make a context together at most; 0: `slots`. A batch
                             that fills contexts of its user has no slots of its own. */
    enum context_precision contexts;
    const struct context_share *share; /* for prompt_batch_fill(); NULL: contexts are not shared */
    struct prompt_batch_watch watch;
};

struct prompt_batch {
    struct context context; /* the one in use: `own`, or one in memory that is not the batch's */
    struct context own;
    const struct context_share *share;
    struct prompt_batch_watch watch;
    struct prompt_rows rows;
    struct context_scratch *fill;
    float *tokens;               /* [tokens, width] of one prompt */
    const struct params *params; /* as begun with, and the next */
    struct edits edits;
};

enum err_code prompt_batch_create(struct prompt_batch *b, const struct prompt_batch_options *o,
                                  struct err *err);
void prompt_batch_destroy(struct prompt_batch *b);
/* Everything but the contexts, which prompt_batch_context_bytes() counts. */
size_t prompt_batch_bytes(const struct prompt_batch_options *o);
size_t prompt_batch_context_bytes(const struct prompt_batch_options *o);

/* Contexts that follow run through this model with these edits: see context_add(). edits NULL:
 * none. What they point to must stay until the last finish. */
void prompt_batch_begin(struct prompt_batch *b, const struct params *params,
                        const struct edits *edits);

/* The context of `slot` shows a span of prompt i. It is complete after prompt_batch_finish(); until
 * then all spans of numbers must have the same number of tokens. */
void prompt_batch_add(struct prompt_batch *b, size_t slot, const struct prompt_view *prompts,
                      size_t i, struct prompt_span span);
void prompt_batch_finish(struct prompt_batch *b);

/* What follows fills and reads this context, which stays the caller's and has room for the tokens
 * of its prompts; NULL: the batch's own. */
void prompt_batch_use(struct prompt_batch *b, const struct context *context);

/* The common case, prompt i in slot and row i: the contexts of all prompts show the same span; and
 * all rows ask at point k and see the first `length` tokens of their slot, or of text all before
 * them. Contexts that no edit changes are taken from the cache of `share` if it has them, and left
 * there if it has room. False: whoever watches wanted no more, and contexts are missing. */
bool prompt_batch_fill(struct prompt_batch *b, const struct prompt_view *prompts,
                       struct prompt_span span);
void prompt_batch_ask(struct prompt_batch *b, const struct prompt_view *prompts, size_t k,
                      size_t length);

/* The first `points` points of all prompts as whole sequences for forward.h: tokens [n, 2 points,
 * dims]. */
void prompt_batch_sequences(float *tokens, const struct prompt_view *prompts, size_t points);

#endif
