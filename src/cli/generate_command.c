#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/command.h"
#include "cli/generate_print.h"
#include "cli/standard_input.h"
#include "model/checkpoint.h"
#include "model/hf/hf_weights.h"
#include "model/length.h"
#include "run/export/edits_reader.h"

enum { TOKENS = 20, TOKENS_MOST = 100000, TOP = 5, TOP_MOST = 100 };

static const struct option_row OPTIONS[] = {
    {"--prompt", NULL, "TEXT", "the prompt; - reads it from standard input"},
    {"--tokens", NULL, "N", "tokens to generate (20, or as many as the model has positions for)"},
    {"--top", NULL, "K", "how many likely tokens to list (5)"},
    {"--bos", NULL, "BOS", "first token: auto (default), none, or a token by its text"},
    {"--edits", NULL, "FILE", "apply the vector of a file that taskvec artifact --edits wrote"},
    {"--json", NULL, NULL, "print ids, text, and the likely tokens of every step as JSON"},
};

struct session {
    const struct options *options;
    size_t tokens;
    struct hf_model model;
    struct params params;
    struct tokenizer *tokenizer;
    struct text prompt;
    struct read_edits edits;
    struct generated made;
};

/* ---- what is asked for */

static enum err_code read_count(size_t *out, const struct options *o, const char *option, long most,
                                struct err *err) {
    char *end = NULL;
    const char *text = options_value(o, option);
    if (!text) return ERR_OK;
    const long value = strtol(text, &end, 10);
    if (*text == '\0' || *end != '\0' || value < 1 || value > most)
        return ERR(err, ERR_USAGE, "generate: %s: expected 1 to %ld, received \"%.40s\"", option,
                   most, text);
    *out = (size_t)value;
    return ERR_OK;
}

static enum err_code read_request(struct session *s, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct options *o = s->options;
    const char *prompt = options_value(o, "--prompt");
    s->tokens = 0; /* as many as there is room for, up to TOKENS */
    s->made.K = TOP;
    CHECK(prompt, ERR_USAGE,
          "generate: --prompt TEXT is missing (--prompt - reads standard input)");
    TRY(read_count(&s->tokens, o, "--tokens", TOKENS_MOST, err));
    TRY(read_count(&s->made.K, o, "--top", TOP_MOST, err));
    if (strcmp(prompt, "-") == 0)
        TRY(standard_input_read(&s->prompt, err));
    else
        text_add(&s->prompt, "%s", prompt);
    TRY(text_check(&s->prompt, err));
cleanup:
    return rc;
}

/* ---- the model */

static enum err_code refuse_regression(const char *path, struct err *err) {
    struct model_dims dims;
    size_t trained = 0;
    struct err why;
    if (file_is_folder(path) || !file_exists(path)) return ERR_OK;
    if (model_read_dims(&dims, &trained, path, &why) != ERR_OK) return ERR_OK;
    return ERR(err, ERR_DATA,
               "%s: a regression model, whose prompts are numbers: taskvec run evaluates it as "
               "model.file of a config; a language model is a folder with config.json",
               path);
}

static enum err_code open_model(struct session *s, struct err *err) {
    enum err_code rc = ERR_OK;
    const char *path = s->options->args[0];
    TRY(refuse_regression(path, err));
    TRY(hf_model_open(&s->model, path, err));
    TRY(tokenizer_open(&s->tokenizer, path, err));
    const size_t known = tokenizer_count(s->tokenizer), V = s->model.config.dims.vocabulary;
    CHECK(known <= V, ERR_DATA,
          "%s: the tokenizer has %zu tokens, but the embedding has %zu rows: files of two models "
          "are mixed",
          path, known, V);
    if (s->made.K > V) s->made.K = V;
cleanup:
    return rc;
}

/* ---- the prompt */

static enum err_code encode(struct session *s, struct err *err) {
    enum err_code rc = ERR_OK;
    struct generated *g = &s->made;
    const char *bos = options_value(s->options, "--bos");
    TRY(tokenizer_bos(&g->bos, s->tokenizer, bos ? bos : "auto", err));
    TRY(tokenizer_encode_prompt(&g->ids, s->tokenizer, g->bos, text_str(&s->prompt), s->prompt.size,
                                err));
    TRY(token_ids_check(&g->ids, err));
    CHECK(g->ids.n > 0, ERR_DATA,
          "generate: the prompt has no token, and no token begins prompts of this model: give a "
          "text, or --bos TOKEN");
    g->model = s->options->args[0];
    g->tokenizer = s->tokenizer;
    g->prompt = text_str(&s->prompt);
    g->prompt_size = s->prompt.size;
    g->prompt_tokens = g->ids.n;
cleanup:
    return rc;
}

/* The last generated token is not run, so it needs no position. */
static enum err_code check_length(struct session *s, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &s->model.config.dims;
    const size_t n = s->made.prompt_tokens, most = length_most(d);
    TRY(length_check(d, n, s->made.model, err));
    const size_t room = most - n + 1;
    if (s->tokens == 0) s->tokens = room < TOKENS ? room : TOKENS;
    CHECK(s->tokens <= room, ERR_DATA,
          "%s: %zu tokens after a prompt of %zu token%s, but there is room for %zu: %s %zu",
          s->made.model, s->tokens, n, text_plural(n), room,
          most < d->positions ? "the sliding window is" : "the positions of the model are", most);
cleanup:
    return rc;
}

/* ---- tokens */

static enum err_code next_token(struct session *s, size_t step, struct greedy *greedy,
                                struct err *err) {
    struct generated *g = &s->made;
    struct likely_token *top = g->top + step * g->K;
    struct err why;
    const enum err_code rc = greedy_next(top, g->K, greedy, &why);
    if (rc != ERR_OK)
        return ERR(err, ERR_DATA, "%s: %.300s: taskvec doctor looks for NaN in the weights",
                   g->model, why.msg);
    token_ids_add(&g->ids, (int32_t)top->id);
    return token_ids_check(&g->ids, err);
}

static enum err_code run(struct session *s, const uint32_t *prompt, struct err *err) {
    enum err_code rc = ERR_OK;
    struct greedy *greedy = NULL;
    TRY(greedy_create(&greedy, &s->params, prompt, s->made.prompt_tokens, s->tokens,
                      &s->edits.edits, err));
    for (size_t i = 0; i < s->tokens; i++) TRY(next_token(s, i, greedy, err));
cleanup:
    greedy_destroy(greedy);
    return rc;
}

static enum err_code generate(struct session *s, struct err *err) {
    enum err_code rc = ERR_OK;
    struct generated *g = &s->made;
    uint32_t *prompt = calloc(g->prompt_tokens, sizeof *prompt);
    g->top = calloc(s->tokens * g->K, sizeof *g->top);
    CHECK(prompt && g->top, ERR_MEMORY, "no memory for %zu tokens", s->tokens);
    for (size_t i = 0; i < g->prompt_tokens; i++) prompt[i] = (uint32_t)g->ids.ids[i];
    TRY(hf_weights_place(&s->params, &s->model, err));
    TRY(run(s, prompt, err));
cleanup:
    free(prompt);
    return rc;
}

static void session_close(struct session *s) {
    free(s->made.top);
    token_ids_release(&s->made.ids);
    edits_reader_close(&s->edits);
    text_release(&s->prompt);
    tokenizer_close(s->tokenizer);
    params_destroy(&s->params);
    hf_model_close(&s->model);
}

static enum err_code generate_command(struct text *out, int *exit_code, const struct options *o,
                                      char *const *argv, struct err *err) {
    enum err_code rc = ERR_OK;
    struct session s = {.options = o};
    const char *edits = options_value(o, "--edits");
    (void)argv, (void)exit_code;
    TRY(read_request(&s, err));
    TRY(open_model(&s, err));
    TRY(encode(&s, err));
    TRY(check_length(&s, err));
    if (edits) TRY(edits_reader_open(&s.edits, edits, &s.model.config.dims, err));
    TRY(generate(&s, err));
    if (options_has(o, "--json"))
        TRY(generate_print_json(out, &s.made, err));
    else
        TRY(generate_print(out, &s.made, err));
cleanup:
    session_close(&s);
    return rc;
}

const struct command COMMAND_GENERATE = {
    .name = "generate",
    .arguments = "MODEL",
    .meaning = "continue a text by the most likely tokens, with their probabilities",
    .more = "MODEL is the folder of a language model with its tokenizer. The most likely token is\n"
            "taken at each step; the list is of the first token after the prompt:\n"
            "  taskvec generate MODEL --prompt 'The capital of France is' --tokens 8\n",
    .options = OPTIONS,
    .n_options = sizeof OPTIONS / sizeof *OPTIONS,
    .least_args = 1,
    .most_args = 1,
    .run = generate_command,
};
