#include "cli/generate_print.h"

#include "cli/token_line.h"
#include "json/json_writer.h"

/* The text of the generated tokens: what follows the common beginning of the texts of the prompt
 * and of all tokens. Decoded alone, they could lose a space or the rest of a character. */
static enum err_code add_continuation(struct text *out, const struct generated *g,
                                      struct err *err) {
    enum err_code rc = ERR_OK;
    struct text prompt = {0}, all = {0};
    size_t at = 0;
    TRY(tokenizer_decode(&prompt, g->tokenizer, g->ids.ids, g->prompt_tokens, err));
    TRY(tokenizer_decode(&all, g->tokenizer, g->ids.ids, g->ids.n, err));
    while (at < prompt.size && at < all.size && prompt.data[at] == all.data[at]) at++;
    while (at > 0 && at < all.size && ((unsigned char)all.data[at] & 0xc0) == 0x80) at--;
    text_bytes(out, text_str(&all) + at, all.size - at);
cleanup:
    text_release(&all);
    text_release(&prompt);
    return rc;
}

static void add_top(struct text *out, const struct generated *g) {
    text_add(out, "%12s %8s  %s\n", "probability", "id", "token");
    for (size_t k = 0; k < g->K; k++) {
        text_add(out, "%12.6f %8u  ", g->top[k].probability, (unsigned)g->top[k].id);
        token_line(out, g->tokenizer, (int32_t)g->top[k].id);
    }
}

enum err_code generate_print(struct text *out, const struct generated *g, struct err *err) {
    text_bytes(out, g->prompt, g->prompt_size);
    const enum err_code rc = add_continuation(out, g, err);
    if (rc != ERR_OK) return rc;
    text_add(out, "\n\nafter the prompt of %zu token%s", g->prompt_tokens,
             text_plural(g->prompt_tokens));
    if (g->bos >= 0 && g->ids.ids[0] == g->bos) {
        text_add(out, ", which begins with ");
        token_line(out, g->tokenizer, g->bos);
    } else {
        text_add(out, "\n");
    }
    add_top(out, g);
    return text_check(out, err);
}

/* ---- JSON */

static void write_token(struct json_writer *w, const struct generated *g, int32_t id) {
    json_write_key(w, "token");
    if ((size_t)id < tokenizer_count(g->tokenizer)) {
        const struct token_text token = tokenizer_token(g->tokenizer, id);
        json_write_sized(w, token.data, token.size);
    } else {
        json_write_null(w);
    }
}

static void write_ids(struct json_writer *w, const char *key, const int32_t *ids, size_t n) {
    json_write_key(w, key), json_write_array(w);
    for (size_t i = 0; i < n; i++) json_write_int(w, ids[i]);
    json_write_close(w);
}

/* A list for each step: the tokens that were most likely there, the first of which was taken. */
static void write_steps(struct json_writer *w, const struct generated *g) {
    const size_t steps = g->ids.n - g->prompt_tokens;
    json_write_key(w, "steps"), json_write_array(w);
    for (size_t i = 0; i < steps; i++) {
        json_write_array(w);
        for (size_t k = 0; k < g->K; k++) {
            const struct likely_token *t = &g->top[i * g->K + k];
            json_write_object(w);
            json_write_key(w, "id"), json_write_int(w, t->id);
            write_token(w, g, (int32_t)t->id);
            json_write_key(w, "probability"), json_write_number(w, t->probability);
            json_write_close(w);
        }
        json_write_close(w);
    }
    json_write_close(w);
}

enum err_code generate_print_json(struct text *out, const struct generated *g, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text continuation = {0};
    struct json_writer w = json_writer_begin(out);
    const int32_t *ids = g->ids.ids;
    TRY(add_continuation(&continuation, g, err));
    json_write_object(&w);
    json_write_key(&w, "model"), json_write_bytes(&w, g->model);
    json_write_key(&w, "prompt"), json_write_sized(&w, g->prompt, g->prompt_size);
    json_write_key(&w, "text"), json_write_sized(&w, text_str(&continuation), continuation.size);
    json_write_key(&w, "bos");
    if (g->bos >= 0)
        json_write_int(&w, g->bos);
    else
        json_write_null(&w);
    write_ids(&w, "prompt_ids", ids, g->prompt_tokens);
    write_ids(&w, "ids", ids + g->prompt_tokens, g->ids.n - g->prompt_tokens);
    write_steps(&w, g);
    json_write_close(&w);
    text_add(out, "\n");
    TRY(json_writer_end(&w, err));
cleanup:
    text_release(&continuation);
    return rc;
}
