/* A tokenizer.json: refused with one line that names it, or opened; then text becomes ids of its
 * vocabulary and ids become text. The text is what stands behind the first NUL, if there is one. */
#include <string.h>

#include "fuzz/fuzz.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/unicode.h"

static const char *const TEXTS[] = {"", " Hello world\n\n  it's 123 ",
                                    "<s>a\xc3\xa9\xcc\x81 </s><s> <s>",
                                    "\xe2\x96\x81 abab__ab\t\r\n\xe6\x95\x8f"};

static void must_be_one_line(const struct err *err) {
    MUST(err->msg[0] && !strchr(err->msg, '\n'));
}

static void decode(const struct tokenizer *t, const struct token_ids *ids) {
    struct text out = {0};
    struct err err = {.msg = ""};
    const enum err_code rc = tokenizer_decode(&out, t, ids->ids, ids->n, &err);
    MUST(rc == ERR_OK || rc == ERR_DATA);
    if (rc == ERR_OK) MUST(unicode_check(text_str(&out), out.size) == out.size);
    if (rc != ERR_OK) must_be_one_line(&err);
    text_release(&out);
}

static void encode(const struct tokenizer *t, const char *text, size_t size) {
    struct token_ids ids = {0};
    struct err err = {.msg = ""};
    int32_t bos = -1;
    (void)tokenizer_bos(&bos, t, "auto", NULL);
    enum err_code rc = tokenizer_encode(&ids, t, text, size, true, &err);
    if (rc == ERR_OK) rc = tokenizer_encode_prompt(&ids, t, bos, text, size, &err);
    MUST(rc == ERR_OK || rc == ERR_DATA);
    if (rc != ERR_OK) must_be_one_line(&err);
    for (size_t i = 0; i < ids.n; i++)
        MUST(ids.ids[i] >= 0 && (size_t)ids.ids[i] < tokenizer_count(t));
    decode(t, &ids);
    token_ids_release(&ids);
}

static void decode_every_token(const struct tokenizer *t) {
    struct token_ids ids = {0};
    for (size_t i = 0; i < tokenizer_count(t); i++) token_ids_add(&ids, (int32_t)i);
    decode(t, &ids);
    token_ids_release(&ids);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct tokenizer *t = NULL;
    struct err err = {.msg = ""};
    const uint8_t *end = size ? memchr(data, 0, size) : NULL;
    const size_t length = end ? (size_t)(end - data) : size;
    const char *path = fuzz_file("tokenizer.json", data, length);
    if (tokenizer_open(&t, path, &err) != ERR_OK) {
        MUST(err.code == ERR_DATA && strncmp(err.msg, path, strlen(path)) == 0);
        must_be_one_line(&err);
        return 0;
    }
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) encode(t, TEXTS[i], strlen(TEXTS[i]));
    if (end) encode(t, (const char *)end + 1, size - length - 1);
    decode_every_token(t);
    tokenizer_close(t);
    return 0;
}
