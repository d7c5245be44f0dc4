#include "cli/doctor_tokenizer.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "tokenizer/tokenizer.h"

enum { IDS_SHOWN = 8, TOKEN_SHOWN = 40 /* bytes */ };

#define SAMPLE "Q: hot\nA:"

static bool holds(const char *folder, const char *name) {
    char path[FILE_PATH_MAX];
    (void)snprintf(path, sizeof path, "%.3800s/%.200s", folder, name);
    return file_exists(path);
}

static void add_token(struct text *line, const struct tokenizer *t, int32_t id) {
    const struct token_text token = tokenizer_token(t, id);
    char shown[TOKEN_SHOWN + 1];
    const size_t n = token.size < TOKEN_SHOWN ? token.size : TOKEN_SHOWN;
    memcpy(shown, token.data, n);
    shown[n] = '\0';
    for (char *c = shown; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = '?';
    text_add(line, "\"%s\" (id %d)", shown, (int)id);
}

static enum err_code add_sample(struct text *line, const struct tokenizer *t, int32_t bos,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    struct token_ids ids = {0};
    struct err why = {0};
    if (tokenizer_encode_prompt(&ids, t, bos, SAMPLE, strlen(SAMPLE), &why) != ERR_OK) {
        text_add(line, "; it cannot write \"Q: hot\\nA:\""); /* a small vocabulary */
        goto cleanup;
    }
    TRY(token_ids_check(&ids, err));
    text_add(line, "; \"Q: hot\\nA:\" is");
    for (size_t i = 0; i < ids.n && i < IDS_SHOWN; i++) text_add(line, " %d", (int)ids.ids[i]);
    if (ids.n > IDS_SHOWN) text_add(line, " ...");
cleanup:
    token_ids_release(&ids);
    return rc;
}

static enum err_code describe_tokenizer(struct text *line, const struct tokenizer *t,
                                        struct err *err) {
    enum err_code rc = ERR_OK;
    int32_t bos = -1;
    TRY(tokenizer_bos(&bos, t, "auto", err));
    text_add(line, "%zu tokens, ", tokenizer_count(t));
    if (bos < 0)
        text_add(line, "no token begins a prompt (bos = \"auto\")");
    else
        text_add(line, "a prompt begins with "), add_token(line, t, bos);
    TRY(add_sample(line, t, bos, err));
cleanup:
    return rc;
}

enum err_code doctor_tokenizer(struct doctor *d, const char *folder, size_t vocabulary,
                               struct err *err) {
    enum err_code rc = ERR_OK;
    struct tokenizer *t = NULL;
    struct text line = {0};
    if (!holds(folder, "tokenizer.json") && !holds(folder, "vocab.json")) {
        doctor_well(d, "tokenizer", "none in the folder: prompts can only be token ids");
        return ERR_OK;
    }
    TRY(tokenizer_open(&t, folder, err));
    CHECK(
        tokenizer_count(t) <= vocabulary, ERR_DATA,
        "%s: the tokenizer has %zu tokens, but the embedding has %zu rows: files of two models are "
        "mixed",
        folder, tokenizer_count(t), vocabulary);
    TRY(describe_tokenizer(&line, t, err));
    doctor_well(d, "tokenizer", text_str(&line));
cleanup:
    text_release(&line);
    tokenizer_close(t);
    return rc;
}
