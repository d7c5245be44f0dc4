/*
 * verify_text.h - the prompts of a reference file of a language model, as contexts and query rows:
 * the query of a prompt is its last token.
 */
#ifndef RUN_VERIFY_VERIFY_TEXT_H
#define RUN_VERIFY_VERIFY_TEXT_H

#include "methods/method.h"
#include "model/query.h"
#include "run/verify/verify_report.h"
#include "store/fixture.h"

struct text_reference {
    struct verify_report *report;
    const struct fixture *file;
    const struct params *params;
    size_t B, T;      /* prompts; tokens of the longest */
    uint32_t *ids;    /* [B, T] */
    uint32_t *length; /* [B] */
    uint32_t *target; /* [B] */
    /* Of the queries [B]: */
    uint32_t *slot, *seen, *own;
    struct query_rows rows;
    struct context context; /* all tokens but the last, one slot a prompt */
};

/* Reads PREFIXtoken_ids, PREFIXlengths and PREFIXtarget_ids and runs the contexts. t: its first
 * three members are set. */
enum err_code text_reference_fill(struct text_reference *t, const char *prefix, struct err *err);
void text_reference_release(struct text_reference *t); /* idempotent */

/* Adds the line of a comparison of got[n] with the dataset `name`. */
enum err_code text_reference_compare(const struct text_reference *t, const char *part,
                                     const char *name, const float *got, size_t n,
                                     enum tolerance tolerance, struct err *err);

/* out [B, blocks, width], the order of the files, with x [n, capacity, width], that of a query
 * pass, in its first n blocks. */
void text_reference_by_prompt(float *out, const float *x, const struct query *q, size_t B, size_t n,
                              size_t blocks, size_t width);

/* out [R, V]: the logits of rows x [R, E] after the last block; norm [R, E], unless NULL, receives
 * the rows after the final norm. */
enum err_code text_reference_logits(float *out, float *norm, const struct params *p, const float *x,
                                    size_t R, struct err *err);

/* The function vector of PREFIXfv/layer_head_pairs at PREFIXfv/edit_layer: its setup, and its
 * weights w [L, H], zeros on entry: 1 for each head. */
enum err_code text_reference_fv(struct method_setup *setup, float *w,
                                const struct text_reference *t, const char *prefix,
                                struct err *err);

/* Adds the lines of ltv and fv. */
enum err_code verify_text_vectors(const struct text_reference *t, struct err *err);

#endif
