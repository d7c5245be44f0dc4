#include "run/verify/verify_tokenizer.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "run/verify/verify_file.h"
#include "tokenizer/tokenizer.h"
#include "json/json.h"

enum { CASES_MOST = 1 << 28 }; /* bytes of the file */

struct tokenizer_cases {
    const struct tokenizer *tokenizer;
    struct json list;
    const char *path;
};

static enum err_code read_want(struct token_ids *out, struct json ids, const char *place,
                               struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(json_expect(ids, JSON_KIND_ARRAY, place, err));
    for (size_t i = 0; i < json_count(ids); i++) {
        int64_t id = 0;
        TRY(json_read_int(&id, json_item(ids, i), place, err));
        CHECK(id >= 0 && id <= TOKEN_ID_MAX, ERR_DATA, "%s: %lld is not a token id", place,
              (long long)id);
        token_ids_add(out, (int32_t)id);
    }
    TRY(token_ids_check(out, err));
cleanup:
    return rc;
}

/* A check finds one case right or wrong; *compared is false where the case does not have what it
 * compares. */
typedef enum err_code case_check(bool *compared, bool *right, const struct tokenizer *t,
                                 struct json one, const char *place, struct err *err);

static enum err_code check_encoding(bool *compared, bool *right, const struct tokenizer *t,
                                    struct json one, const char *key, const char *place,
                                    struct err *err) {
    enum err_code rc = ERR_OK;
    struct token_ids want = {0}, got = {0};
    const struct json text = json_member(one, "text"), ids = json_member(one, key);
    const char *bytes = NULL;
    size_t size = 0;
    *compared = json_kind(text) == JSON_KIND_TEXT && json_kind(ids) != JSON_KIND_ABSENT;
    if (!*compared) return ERR_OK;
    TRY(json_read_sized(&bytes, &size, text, place, err));
    TRY(read_want(&want, ids, place, err));
    TRY(tokenizer_encode(&got, t, bytes, size, strcmp(key, "ids") != 0, err));
    *right =
        got.n == want.n && (got.n == 0 || memcmp(got.ids, want.ids, got.n * sizeof *got.ids) == 0);
cleanup:
    token_ids_release(&want);
    token_ids_release(&got);
    return rc;
}

static enum err_code check_ids(bool *compared, bool *right, const struct tokenizer *t,
                               struct json one, const char *place, struct err *err) {
    return check_encoding(compared, right, t, one, "ids", place, err);
}

static enum err_code check_special(bool *compared, bool *right, const struct tokenizer *t,
                                   struct json one, const char *place, struct err *err) {
    return check_encoding(compared, right, t, one, "ids_with_special", place, err);
}

static enum err_code check_decoding(bool *compared, bool *right, const struct tokenizer *t,
                                    struct json one, const char *place, struct err *err) {
    enum err_code rc = ERR_OK;
    struct token_ids ids = {0};
    struct text got = {0};
    const struct json decoded = json_member(one, "decoded");
    const char *want = NULL;
    size_t size = 0;
    *compared = json_kind(decoded) != JSON_KIND_ABSENT;
    if (!*compared) return ERR_OK;
    TRY(json_read_sized(&want, &size, decoded, place, err));
    TRY(read_want(&ids, json_member(one, "ids"), place, err));
    TRY(tokenizer_decode(&got, t, ids.ids, ids.n, err));
    *right = got.size == size && memcmp(text_str(&got), want, size) == 0;
cleanup:
    token_ids_release(&ids);
    text_release(&got);
    return rc;
}

/* One line: how many cases differ, none may; the first of them is named. */
static enum err_code compare_cases(struct verify_report *r, const struct tokenizer_cases *c,
                                   const char *what, case_check *check, struct err *err) {
    enum err_code rc = ERR_OK;
    char place[512], name[96], first[160] = "";
    size_t n = 0, wrong = 0;
    for (size_t i = 0; i < json_count(c->list); i++) {
        bool compared = false, right = false;
        (void)snprintf(place, sizeof place, "%.400s: case %zu", c->path, i);
        TRY(json_expect(json_item(c->list, i), JSON_KIND_OBJECT, place, err));
        TRY(check(&compared, &right, c->tokenizer, json_item(c->list, i), place, err));
        n += compared;
        if (!compared || right) continue;
        if (wrong++ == 0)
            (void)snprintf(first, sizeof first, "cases that differ; the first is case %zu", i);
    }
    (void)snprintf(name, sizeof name, "%s (%zu cases)", what, n);
    if (n > 0) TRY(verify_count(r, "tokenizer", name, wrong, first, err));
cleanup:
    return rc;
}

enum err_code verify_tokenizer(struct text *out, const char *path, const char *folder,
                               const char *require, bool json, struct err *err) {
    enum err_code rc = ERR_OK;
    struct verify_report report = {0};
    struct tokenizer *t = NULL;
    struct text data = {0};
    struct json root = {0};
    TRY(tokenizer_open(&t, folder, err));
    TRY(file_read(&data, path, CASES_MOST, err));
    TRY(json_parse_any_text(&root, text_str(&data), data.size, path, err));
    TRY(json_expect(root, JSON_KIND_ARRAY, path, err));
    const struct tokenizer_cases cases = {t, root, path};
    TRY(compare_cases(&report, &cases, "ids", check_ids, err));
    TRY(compare_cases(&report, &cases, "ids_with_special", check_special, err));
    TRY(compare_cases(&report, &cases, "decoded", check_decoding, err));
    TRY(verify_finish(out, &report, path,
                      &(struct verify_request){.require = require, .json = json}, err));
cleanup:
    verify_report_release(&report);
    json_release(&root);
    text_release(&data);
    tokenizer_close(t);
    return rc;
}
