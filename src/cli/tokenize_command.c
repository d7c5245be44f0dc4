#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/standard_input.h"
#include "cli/token_line.h"
#include "tokenizer/tokenizer.h"
#include "json/json_writer.h"

static const struct option_row OPTIONS[] = {
    {"--decode", NULL, NULL, "standard input has ids; print their text"},
    {"--bos", NULL, "BOS", "first token: auto (default), none, or a token by its text"},
    {"--special", NULL, NULL, "add the post-processor's special tokens instead of a first token"},
    {"--json", NULL, NULL, "print ids and tokens, or the text, as JSON"},
};

/* ---- text to ids */

static void print_ids(struct text *out, const struct tokenizer *t, const struct token_ids *ids) {
    text_add(out, "%8s %8s  %s\n", "position", "id", "token");
    for (size_t i = 0; i < ids->n; i++) {
        text_add(out, "%8zu %8d  ", i, ids->ids[i]);
        token_line(out, t, ids->ids[i]);
    }
}

static enum err_code print_ids_json(struct text *out, const struct tokenizer *t,
                                    const struct token_ids *ids, struct err *err) {
    struct json_writer w = json_writer_begin(out);
    json_write_object(&w);
    json_write_key(&w, "ids"), json_write_array(&w);
    for (size_t i = 0; i < ids->n; i++) json_write_int(&w, ids->ids[i]);
    json_write_close(&w);
    json_write_key(&w, "tokens"), json_write_array(&w);
    for (size_t i = 0; i < ids->n; i++) {
        const struct token_text token = tokenizer_token(t, ids->ids[i]);
        json_write_sized(&w, token.data, token.size);
    }
    json_write_close(&w);
    json_write_close(&w);
    text_add(out, "\n");
    return json_writer_end(&w, err);
}

static enum err_code encode_input(struct text *out, const struct tokenizer *t,
                                  const struct text *input, const struct options *o,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    struct token_ids ids = {0};
    int32_t bos = -1;
    const char *setting = options_value(o, "--bos");
    if (options_has(o, "--special")) {
        TRY(tokenizer_encode(&ids, t, text_str(input), input->size, true, err));
    } else {
        TRY(tokenizer_bos(&bos, t, setting ? setting : "auto", err));
        TRY(tokenizer_encode_prompt(&ids, t, bos, text_str(input), input->size, err));
    }
    if (options_has(o, "--json"))
        TRY(print_ids_json(out, t, &ids, err));
    else
        print_ids(out, t, &ids);
cleanup:
    token_ids_release(&ids);
    return rc;
}

/* ---- ids to text */

/* Integers between spaces, line breaks, commas or the brackets of a JSON array. */
static enum err_code read_ids(struct token_ids *ids, const char *text, size_t size,
                              struct err *err) {
    static const char BETWEEN[] = " \t\r\n,[]";
    const char *at = text + strspn(text, BETWEEN);
    while (*at) {
        char *end = NULL;
        errno = 0;
        const long id = strtol(at, &end, 10);
        if (end == at || (*end && !strchr(BETWEEN, *end)) || errno || id < 0 || id > TOKEN_ID_MAX)
            return ERR(err, ERR_DATA, "standard input: byte %zu: expected an id, received '%.*s'",
                       (size_t)(at - text), (int)(strcspn(at, BETWEEN) % 40), at);
        token_ids_add(ids, (int32_t)id);
        at = end + strspn(end, BETWEEN);
    }
    if ((size_t)(at - text) < size)
        return ERR(err, ERR_DATA, "standard input: byte %zu is 0, not text", (size_t)(at - text));
    return token_ids_check(ids, err);
}

static enum err_code decode_input(struct text *out, const struct tokenizer *t,
                                  const struct text *input, bool json, struct err *err) {
    enum err_code rc = ERR_OK;
    struct token_ids ids = {0};
    struct text decoded = {0};
    struct json_writer w = json_writer_begin(out);
    TRY(read_ids(&ids, text_str(input), input->size, err));
    TRY(tokenizer_decode(json ? &decoded : out, t, ids.ids, ids.n, err));
    if (json) {
        json_write_object(&w);
        json_write_key(&w, "text"), json_write_sized(&w, text_str(&decoded), decoded.size);
        json_write_close(&w);
        text_add(out, "\n");
        TRY(json_writer_end(&w, err));
    }
cleanup:
    text_release(&decoded);
    token_ids_release(&ids);
    return rc;
}

static enum err_code tokenize_command(struct text *out, int *exit_code, const struct options *o,
                                      char *const *argv, struct err *err) {
    enum err_code rc = ERR_OK;
    struct tokenizer *t = NULL;
    struct text input = {0};
    const bool decode = options_has(o, "--decode");
    (void)argv, (void)exit_code;
    CHECK(!decode || !(options_has(o, "--bos") || options_has(o, "--special")), ERR_USAGE,
          "tokenize: --bos and --special are for text, not for --decode");
    CHECK(!options_has(o, "--bos") || !options_has(o, "--special"), ERR_USAGE,
          "tokenize: --bos and --special exclude each other");
    TRY(tokenizer_open(&t, o->args[0], err));
    TRY(standard_input_read(&input, err));
    if (decode)
        TRY(decode_input(out, t, &input, options_has(o, "--json"), err));
    else
        TRY(encode_input(out, t, &input, o, err));
cleanup:
    text_release(&input);
    tokenizer_close(t);
    return rc;
}

const struct command COMMAND_TOKENIZE = {
    .name = "tokenize",
    .arguments = "MODEL",
    .meaning = "print the token ids of standard input, or with --decode the text of ids",
    .more = "MODEL is a folder with tokenizer.json, or vocab.json and merges.txt, or a\n"
            "tokenizer.json. A line break at the end of the text belongs to the text:\n"
            "  printf 'Hello world' | taskvec tokenize MODEL\n",
    .options = OPTIONS,
    .n_options = sizeof OPTIONS / sizeof *OPTIONS,
    .least_args = 1,
    .most_args = 1,
    .run = tokenize_command,
};
