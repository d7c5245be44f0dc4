#include "sources/text/text_items.h"

#include <stdio.h>

#include "sources/text/shared_tokenizer.h"
#include "sources/text/text_keys.h"
#include "sources/text/text_tasks.h"
#include "json/json.h"

struct items_reader {
    const struct text_keys *keys;
    const struct tokenizer *tokenizer;
    int32_t unknown; /* its token for what it does not know */
    struct text text;
    struct token_ids ids;
};

static bool holds_token(const struct token_ids *ids, int32_t token) {
    for (size_t i = 0; i < ids->n; i++)
        if (ids->ids[i] == token) return true;
    return false;
}

static void show_example(struct source_items *out, const struct task_pair *pair) {
    char x[JSON_SHOWN], y[JSON_SHOWN];
    json_show_text(x, pair->x);
    json_show_text(y, pair->y);
    (void)snprintf(out->example, sizeof out->example, "%s -> %s", x, y);
}

/* As a prompt writes the pair: a template without spaces joins words. */
static enum err_code look_at_pair(struct source_items *out, struct items_reader *r,
                                  const struct task_pair *pair, struct err *err) {
    enum err_code rc = ERR_OK;
    text_clear(&r->text);
    r->ids.n = 0;
    prompt_template_query(&r->text, &r->keys->written, pair);
    prompt_template_answer(&r->text, &r->keys->written, pair);
    prompt_template_end(&r->text, &r->keys->written);
    TRY(text_check(&r->text, err));
    TRY(tokenizer_encode(&r->ids, r->tokenizer, r->text.data, r->text.size, false, err));
    TRY(token_ids_check(&r->ids, err));
    if (!holds_token(&r->ids, r->unknown)) return ERR_OK;
    if (out->unknown++ == 0) show_example(out, pair);
cleanup:
    return rc;
}

static enum err_code look_at_task(struct source_items *out, struct items_reader *r,
                                  const struct text_task *task, struct err *err) {
    enum err_code rc = ERR_OK;
    out->n += task->n;
    out->repeated += task->repeated;
    if (r->unknown < 0) return ERR_OK;
    for (size_t i = 0; i < task->n; i++) TRY(look_at_pair(out, r, &task->pairs[i], err));
cleanup:
    return rc;
}

enum err_code text_items_count(struct source_items *out, const struct config_point *point,
                               struct err *err) {
    enum err_code rc = ERR_OK;
    struct text_keys k;
    struct text_tasks tasks = {0};
    struct tokenizer *tokenizer = NULL;
    struct items_reader r = {.keys = &k};
    TRY(text_keys_read(&k, point, false, err));
    TRY(text_tasks_open(&tasks, &k, &(struct source_options){.asked = SOURCE_ALL}, false, err));
    TRY(shared_tokenizer_open(&tokenizer, k.tokenizer, err));
    r.tokenizer = tokenizer;
    r.unknown = tokenizer_unknown(tokenizer);
    if (r.unknown >= 0) {
        const struct token_text token = tokenizer_token(tokenizer, r.unknown);
        (void)snprintf(out->token, sizeof out->token, "%.*s", (int)token.size, token.data);
    }
    for (size_t i = 0; i < tasks.n; i++) TRY(look_at_task(out, &r, tasks.tasks[i], err));
cleanup:
    shared_tokenizer_close(tokenizer);
    text_tasks_close(&tasks);
    token_ids_release(&r.ids);
    text_release(&r.text);
    return rc;
}
