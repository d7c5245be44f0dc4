#include "sources/text/text_source.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sources/source_kind.h"
#include "sources/text/answer_text.h"
#include "sources/text/known_lengths.h"
#include "sources/text/shared_tokenizer.h"
#include "sources/text/text_keys.h"
#include "sources/text/text_prompts.h"
#include "sources/text/text_tasks.h"

struct text_source {
    struct source source; /* first: source.h sees this */
    struct source_answers answers;
    struct text_tasks tasks;
    struct tokenizer *tokenizer;
    struct text_prompts_setup setup;
    struct text_prompts prompts; /* once reserved */
    struct err failure;          /* of the last draw; code ERR_OK: none */
    struct hash drawn;           /* of all that determines prompts but their length and number */
    char name[96];
};

static struct text_source *self(struct source *s) { return (struct text_source *)s; }
static const struct text_source *look(const struct source *s) {
    return (const struct text_source *)s;
}

static void text_close(struct source *s) {
    struct text_source *of = self(s);
    text_prompts_destroy(&of->prompts);
    text_tasks_close(&of->tasks);
    shared_tokenizer_close(of->tokenizer);
    free(of);
}

static size_t text_points(const struct source *s, size_t points) {
    (void)s;
    return points;
}

static enum err_code text_check_model(const struct source *s, const struct config_point *point,
                                      size_t inputs, struct err *err) {
    (void)s;
    if (inputs == 0) return ERR_OK;
    return config_error(err, point, "source.kind",
                        "text prompts are token ids, but the model reads tokens of %zu numbers: "
                        "give model.checkpoint the folder of a language model",
                        inputs);
}

static size_t text_bytes_of(const struct source *s, size_t n, size_t points) {
    const size_t most = text_tasks_longest(&look(s)->tasks) * points;
    return n * (most * sizeof(uint32_t) + 6 * sizeof(size_t));
}

static enum err_code text_reserve(struct source *s, size_t n, size_t points, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text_source *of = self(s);
    TRY(text_tasks_check_shots(&of->tasks, points - 1, err));
    TRY(text_prompts_create(&of->prompts, &of->setup, n, points - 1, err));
cleanup:
    return rc;
}

static enum err_code draw_one(struct text_prompts *p, struct text_source *of, uint64_t sample,
                              struct err *err) {
    struct err why;
    uint64_t own = 0;
    struct task_draw *draw = text_tasks_at(&of->tasks, sample, &own);
    task_draw_pairs(&p->pairs, draw, own, p->order);
    const enum err_code rc = text_prompts_add(p, sample, &why);
    return rc == ERR_OK ? ERR_OK : ERR(err, rc, "%.600s: %.600s", draw->asked.task->path, why.msg);
}

static struct prompt_view text_draw(struct source *s, const struct source_draw *draw) {
    struct text_source *of = self(s);
    struct text_prompts *p = &of->prompts;
    assert(draw->points == p->pairs.shots + 1 && draw->active == 0);
    of->failure = (struct err){.code = ERR_OK};
    text_prompts_cut(p, draw->row);
    for (size_t i = 0; i < draw->n && of->failure.code == ERR_OK; i++)
        (void)draw_one(p, of, draw->first + i, &of->failure);
    of->answers.crossed = p->crossed;
    of->answers.left_out = p->left_out;
    return (struct prompt_view){.n = p->n, .points = draw->points, .text = text_prompts_view(p)};
}

static enum err_code text_status(const struct source *s, struct err *err) {
    const struct err *failure = &look(s)->failure;
    if (failure->code != ERR_OK) *err = *failure;
    return failure->code;
}

static struct source_question text_question(const struct source *s, size_t i) {
    const struct text_prompts *p = &look(s)->prompts;
    assert(i < p->n);
    return (struct source_question){
        .sample = p->samples[i], .x = p->asked[i]->x, .y = p->asked[i]->y};
}

static enum err_code text_reads_as_answer(bool *out, const struct source *s, size_t i,
                                          const uint32_t *ids, size_t n, struct err *err) {
    const struct text_prompts *p = &look(s)->prompts;
    assert(i < p->n);
    return answer_text_equal(out, look(s)->tokenizer, (const int32_t *)ids, n,
                             p->answers.ids + p->answer_first[i],
                             p->answer_first[i + 1] - p->answer_first[i], err);
}

/* ---- lengths */

static void measure_one(struct source_lengths *out, const struct text_prompts *p) {
    if (p->n == 0) return; /* it was too long */
    if (p->ids.n > out->prompt) out->prompt = p->ids.n;
    if (p->answers.n > out->answer) out->answer = p->answers.n;
}

static enum err_code measure_all(struct source_lengths *out, struct text_source *of,
                                 const struct source_range *range, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text_prompts one = {0};
    struct text_prompts_setup setup = of->setup;
    setup.most_tokens = range->most_tokens;
    setup.wants_next = false;
    TRY(text_prompts_create(&one, &setup, 1, range->points - 1, err));
    for (size_t i = 0; i < range->n; i++) {
        TRY(draw_one(&one, of, range->first + i, err));
        measure_one(out, &one);
        text_prompts_cut(&one, 0);
    }
    out->too_long = one.left_out;
    out->crossed = one.crossed;
cleanup:
    text_prompts_destroy(&one);
    return rc;
}

static enum err_code text_measure(struct source_lengths *out, struct source *s,
                                  const struct source_range *range, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text_source *of = self(s);
    struct hash h = of->drawn;
    char key[HASH_HEX];
    const uint64_t numbers[] = {range->first, range->n, range->points, range->most_tokens};
    hash_bytes(&h, numbers, sizeof numbers);
    hash_end(key, &h);
    if (known_lengths_find(out, key)) return ERR_OK;
    TRY(text_tasks_check_shots(&of->tasks, range->points - 1, err));
    TRY(measure_all(out, of, range, err));
    known_lengths_add(key, out);
cleanup:
    return rc;
}

static const struct source_kind KIND = {
    .close = text_close,
    .points = text_points,
    .check = text_check_model,
    .reserve = text_reserve,
    .bytes = text_bytes_of,
    .draw = text_draw,
    .status = text_status,
    .question = text_question,
    .reads_as_answer = text_reads_as_answer,
    .measure = text_measure,
};

/* ---- opening */

static const char *stem_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void name_source(char *out, size_t size, const char *task, enum task_form form) {
    static const char *const ENDS[] = {"", "_inverse", "_bijection"};
    const char *stem = stem_of(task);
    const int length = (int)(strlen(stem) - (text_ends_with(stem, ".json") ? strlen(".json") : 0));
    (void)snprintf(out, size, "%.*s%s", length < 70 ? length : 70, stem, ENDS[form]);
}

void text_source_name(char *out, size_t size, const struct config_point *point) {
    name_source(out, size, config_text(point, "source.task"), text_keys_form(point));
}

static void fill_info(struct text_source *of, const struct text_keys *k,
                      const struct source_options *o, bool shuffled) {
    name_source(of->name, sizeof of->name, k->task, k->form);
    of->answers.repeated = text_tasks_repeated(&of->tasks);
    of->answers.tasks = of->tasks.n;
    of->answers.samples = text_tasks_samples(&of->tasks, o->asked);
    of->answers.drop = k->drop;
    of->source.info = (struct source_info){
        .name = of->name,
        .shift = shuffled ? "shuffled_labels" : "none",
        .loss = {.kind = LOSS_CROSS_ENTROPY},
        .normaliser = 1,
        .relabels = shuffled,
        .answers = &of->answers,
    };
}

static enum err_code find_bos(int32_t *out, const struct tokenizer *t,
                              const struct config_point *point, struct err *err) {
    struct err why;
    if (tokenizer_bos(out, t, config_text(point, "source.bos"), &why) == ERR_OK) return ERR_OK;
    return config_error(err, point, "source.bos", "%s", why.msg);
}

static enum err_code open_tokenizer(struct text_source *of, const struct text_keys *k,
                                    const struct config_point *point, struct err *err) {
    enum err_code rc = ERR_OK;
    int32_t *bos = &of->setup.bos;
    TRY(shared_tokenizer_open(&of->tokenizer, k->tokenizer, err));
    of->setup.tokenizer = of->tokenizer;
    of->answers.vocabulary = tokenizer_count(of->tokenizer);
    TRY(find_bos(bos, of->tokenizer, point, err));
    const struct token_text token =
        *bos < 0 ? (struct token_text){0} : tokenizer_token(of->tokenizer, *bos);
    (void)snprintf(of->answers.bos, sizeof of->answers.bos, "%.*s", (int)token.size,
                   token.size > 0 ? token.data : "");
cleanup:
    return rc;
}

/* The tokenizer is known by its path: it does not change while a process plans. */
static void hash_keys(struct hash *h, const struct config_point *point, const struct text_keys *k,
                      const struct source_options *o, const struct text_tasks *tasks,
                      bool shuffled) {
    const uint64_t numbers[] = {o->seed, o->asked, shuffled, o->covariates != NULL};
    hash_begin(h);
    hash_bytes(h, numbers, sizeof numbers);
    hash_text(h, config_text(point, "source.template"));
    hash_text(h, k->bos);
    hash_text(h, k->tokenizer);
    hash_text(h, o->split ? o->split : "");
    hash_text(h, o->covariates ? o->covariates : "");
    text_tasks_hash(h, tasks);
}

static enum err_code open_into(struct text_source *of, const struct config_point *point,
                               const struct source_options *o, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text_keys k;
    TRY(text_keys_read(&k, point, o->shifted, err));
    const bool clean = o->clean || o->covariates; /* basis prompts are clean */
    const bool shuffled = (k.shuffled || o->shuffled) && !clean;
    of->setup.form = k.written;
    of->setup.wants_next = o->next;
    of->setup.most_tokens = o->most_tokens;
    TRY(open_tokenizer(of, &k, point, err));
    TRY(text_tasks_open(&of->tasks, &k, o, shuffled, err));
    fill_info(of, &k, o, shuffled);
    hash_keys(&of->drawn, point, &k, o, &of->tasks, shuffled);
cleanup:
    return rc;
}

enum err_code text_source_open(struct source **out, const struct config_point *point,
                               const struct source_options *o, struct err *err) {
    struct text_source *of = calloc(1, sizeof *of);
    if (!of) return ERR(err, ERR_MEMORY, "no memory for a source of prompts");
    of->source.kind = &KIND;
    const enum err_code rc = open_into(of, point, o, err);
    if (rc != ERR_OK)
        text_close(&of->source);
    else
        *out = &of->source;
    return rc;
}

enum err_code text_source_tokens(struct source_tokens *out, const struct config_point *point,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    struct tokenizer *tokenizer = NULL;
    const char *path;
    TRY(text_keys_tokenizer(&path, point, err));
    TRY(shared_tokenizer_open(&tokenizer, path, err));
    out->count = tokenizer_count(tokenizer);
    TRY(find_bos(&out->bos, tokenizer, point, err));
cleanup:
    shared_tokenizer_close(tokenizer);
    return rc;
}
