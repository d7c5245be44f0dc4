#include "sources/text/text_prompts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "json/json.h"

/* ---- memory */

static bool allocate(struct text_prompts *p, size_t shots) {
    const size_t n = p->capacity + 1;
    p->first = calloc(n, sizeof *p->first);
    p->answer_first = calloc(n, sizeof *p->answer_first);
    p->asked = calloc(n, sizeof *p->asked);
    p->samples = calloc(n, sizeof *p->samples);
    p->ends = calloc(2 * shots + 1, sizeof *p->ends);
    p->order = calloc(shots + 1, sizeof *p->order);
    p->pairs.shown = calloc(shots + 1, sizeof *p->pairs.shown);
    p->pairs.labels = calloc(shots + 1, sizeof *p->pairs.labels);
    token_ids_add(&p->ids, 0); /* no view has NULL as its ids */
    p->ids.n = 0;
    return p->first && p->answer_first && p->asked && p->samples && p->ends && p->order &&
           p->pairs.shown && p->pairs.labels && p->ids.ids;
}

enum err_code text_prompts_create(struct text_prompts *p, const struct text_prompts_setup *setup,
                                  size_t prompts, size_t shots, struct err *err) {
    *p = (struct text_prompts){.setup = *setup, .capacity = prompts, .pairs = {.shots = shots}};
    if (allocate(p, shots)) return ERR_OK;
    text_prompts_destroy(p);
    return ERR(err, ERR_MEMORY, "no memory for %zu prompts", prompts);
}

void text_prompts_destroy(struct text_prompts *p) {
    token_ids_release(&p->ids);
    token_ids_release(&p->next);
    token_ids_release(&p->answers);
    token_ids_release(&p->whole);
    token_ids_release(&p->part);
    text_release(&p->text);
    free(p->first);
    free(p->answer_first);
    free(p->asked);
    free(p->samples);
    free(p->ends);
    free(p->order);
    free(p->pairs.shown);
    free(p->pairs.labels);
    *p = (struct text_prompts){0};
}

void text_prompts_cut(struct text_prompts *p, size_t n) {
    assert(n <= p->n);
    p->n = n;
    p->ids.n = p->first[n];
    p->answers.n = p->answer_first[n];
    p->next.n = p->setup.wants_next ? p->first[n] : 0;
}

/* ---- encoding */

static bool begins_with(const struct token_ids *whole, const struct token_ids *part) {
    return part->n <= whole->n &&
           (part->n == 0 || memcmp(whole->ids, part->ids, part->n * sizeof *part->ids) == 0);
}

static bool equals(const struct token_ids *a, const int32_t *ids, size_t n) {
    return a->n == n && (n == 0 || memcmp(a->ids, ids, n * sizeof *ids) == 0);
}

/* The first `size` bytes of the text as a prompt. */
static enum err_code encode(struct token_ids *out, const struct text_prompts *p, size_t size,
                            struct err *err) {
    enum err_code rc = ERR_OK;
    out->n = 0;
    TRY(tokenizer_encode_prompt(out, p->setup.tokenizer, p->setup.bos, text_str(&p->text), size,
                                err));
    TRY(token_ids_check(out, err));
cleanup:
    return rc;
}

static void append(struct token_ids *out, const int32_t *ids, size_t n) {
    for (size_t i = 0; i < n; i++) token_ids_add(out, ids[i]);
}

/* ---- the answer */

static enum err_code add_answer(struct text_prompts *p, const struct task_pair *pair,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    text_clear(&p->text);
    prompt_template_query(&p->text, &p->setup.form, pair);
    const size_t query = p->text.size;
    prompt_template_answer(&p->text, &p->setup.form, pair);
    TRY(text_check(&p->text, err));
    TRY(encode(&p->part, p, query, err));
    TRY(encode(&p->whole, p, p->text.size, err));
    const size_t before = p->part.n;
    const bool clean = begins_with(&p->whole, &p->part) && p->whole.n > before;
    p->part.n = 0;
    TRY(tokenizer_encode(&p->part, p->setup.tokenizer, p->text.data + query, p->text.size - query,
                         false, err));
    if (!clean || !equals(&p->part, p->whole.ids + before, p->whole.n - before)) p->crossed++;
    if (clean)
        append(&p->answers, p->whole.ids + before, p->whole.n - before);
    else
        append(&p->answers, p->part.ids, p->part.n);
    TRY(token_ids_check(&p->part, err));
    TRY(token_ids_check(&p->answers, err));
    CHECK(p->answers.n > p->answer_first[p->n], ERR_DATA, "the answer \"%.60s\" has no token",
          pair->y);
cleanup:
    return rc;
}

/* ---- the prompt */

static void compose(struct text_prompts *p) {
    const struct drawn_pairs *pairs = &p->pairs;
    text_clear(&p->text);
    for (size_t j = 0; j < pairs->shots; j++) {
        prompt_template_query(&p->text, &p->setup.form, pairs->shown[j]);
        p->ends[2 * j] = p->text.size;
        prompt_template_answer(&p->text, &p->setup.form, pairs->labels[j]);
        p->ends[2 * j + 1] = p->text.size;
        prompt_template_end(&p->text, &p->setup.form);
    }
    prompt_template_query(&p->text, &p->setup.form, pairs->query);
}

/* Tokens `from` to `to` - 1 belong to a shown answer: the tokens before them predict them. */
static void set_next(struct text_prompts *p, size_t at, size_t from, size_t to) {
    for (size_t t = from; t < to; t++)
        if (t > 0) p->next.ids[at + t - 1] = p->ids.ids[at + t];
}

/* An answer whose first token begins before it is not predicted, nor one that another text would
 * end differently. */
static enum err_code add_next(struct text_prompts *p, size_t shots, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t at = p->first[p->n], length = p->ids.n - at;
    for (size_t t = 0; t < length; t++) token_ids_add(&p->next, (int32_t)PROMPT_NO_TARGET);
    TRY(token_ids_check(&p->next, err));
    for (size_t j = 0; j < shots; j++) {
        TRY(encode(&p->part, p, p->ends[2 * j], err));
        const size_t from = p->part.n;
        if (!begins_with(&p->whole, &p->part)) continue;
        TRY(encode(&p->part, p, p->ends[2 * j + 1], err));
        if (begins_with(&p->whole, &p->part)) set_next(p, at, from, p->part.n);
    }
cleanup:
    return rc;
}

static enum err_code add_prompt(struct text_prompts *p, struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(add_answer(p, p->pairs.query, err));
    compose(p);
    TRY(text_check(&p->text, err));
    TRY(encode(&p->whole, p, p->text.size, err));
    CHECK(p->whole.n > 0, ERR_DATA, "the prompt has no token: set source.bos");
    append(&p->ids, p->whole.ids, p->whole.n);
    TRY(token_ids_check(&p->ids, err));
    if (p->setup.wants_next) TRY(add_next(p, p->pairs.shots, err));
cleanup:
    return rc;
}

/* Positions that the prompt and its answer take: nothing follows the last token of the answer. */
static bool fits(const struct text_prompts *p) {
    const size_t prompt = p->ids.n - p->first[p->n], answer = p->answers.n - p->answer_first[p->n];
    return p->setup.most_tokens == 0 || prompt + answer <= p->setup.most_tokens + 1;
}

enum err_code text_prompts_add(struct text_prompts *p, uint64_t sample, struct err *err) {
    struct err why;
    const size_t crossed = p->crossed;
    assert(p->n < p->capacity);
    const enum err_code rc = add_prompt(p, &why);
    if (rc != ERR_OK) {
        char shown[JSON_SHOWN];
        json_show_text(shown, p->pairs.query->x);
        text_prompts_cut(p, p->n);
        return ERR(err, rc, "a prompt that asks about %s: %.400s", shown, why.msg);
    }
    if (!fits(p)) {
        p->left_out++;
        p->crossed = crossed;
        text_prompts_cut(p, p->n);
        return ERR_OK;
    }
    p->asked[p->n] = p->pairs.query;
    p->samples[p->n++] = sample;
    p->first[p->n] = p->ids.n;
    p->answer_first[p->n] = p->answers.n;
    return ERR_OK;
}

struct prompt_text text_prompts_view(const struct text_prompts *p) {
    return (struct prompt_text){.ids = (const uint32_t *)p->ids.ids,
                                .first = p->first,
                                .answers = (const uint32_t *)p->answers.ids,
                                .answer_first = p->answer_first,
                                .next = p->setup.wants_next ? (const uint32_t *)p->next.ids : NULL};
}
