#include "tokenizer/token_template.h"

#include <string.h>

/* The ids of a special token stand in the map `special_tokens`, under its name. */
static enum err_code add_special(struct token_ids *out, const struct token_vocab *vocab,
                                 const struct component *c, struct json token, struct err *err) {
    enum err_code rc = ERR_OK;
    char place[COMPONENT_PLACE];
    const char *name = NULL;
    int64_t id = -1;
    component_place(place, c);
    TRY(json_read_text(&name, json_member(token, "id"), place, err));
    const struct json entry = json_member(json_member(c->object, "special_tokens"), name);
    const struct json ids = json_member(entry, "ids");
    CHECK(json_kind(ids) == JSON_KIND_ARRAY, ERR_DATA,
          "%s: special_tokens has no ids of the token '%.60s'", place, name);
    for (size_t i = 0; i < json_count(ids); i++) {
        TRY(json_read_int(&id, json_item(ids, i), place, err));
        CHECK(id >= 0 && (size_t)id < vocab->n, ERR_DATA,
              "%s: the token '%.60s' has the id %lld; the vocabulary has 0 to %zu", place, name,
              (long long)id, vocab->n - 1);
        token_ids_add(out, (int32_t)id);
    }
cleanup:
    return rc;
}

/* `single`: special tokens, and the text once. */
static enum err_code read_single(struct token_template *t, const struct token_vocab *vocab,
                                 const struct component *c, struct err *err) {
    enum err_code rc = ERR_OK;
    char place[COMPONENT_PLACE];
    const struct json single = json_member(c->object, "single");
    size_t texts = 0;
    component_place(place, c);
    TRY(json_expect(single, JSON_KIND_ARRAY, place, err));
    for (size_t i = 0; i < json_count(single); i++) {
        const struct json special = json_member(json_item(single, i), "SpecialToken");
        const struct json text = json_member(json_item(single, i), "Sequence");
        const char *name = "";
        if (json_kind(special) == JSON_KIND_OBJECT) {
            TRY(add_special(texts ? &t->after : &t->before, vocab, c, special, err));
            continue;
        }
        TRY(json_read_text(&name, json_member(text, "id"), place, err));
        CHECK(strcmp(name, "A") == 0, ERR_DATA, "%s: single has the sequence '%.60s', not A", place,
              name);
        texts++;
    }
    CHECK(texts == 1, ERR_DATA, "%s: single has the text %zu times, which is not supported", place,
          texts);
cleanup:
    return rc;
}

static enum err_code read_template(struct token_template *t, const struct token_vocab *vocab,
                                   const struct component *c, struct err *err) {
    static const char *const KEYS[] = {"single", "pair", "special_tokens", NULL};
    enum err_code rc = ERR_OK;
    TRY(component_keys(c, KEYS, err)); /* `pair` is for two texts, which no prompt has */
    TRY(read_single(t, vocab, c, err));
    TRY(token_ids_check(&t->before, err));
    TRY(token_ids_check(&t->after, err));
cleanup:
    return rc;
}

/* As a post-processor ByteLevel changes offsets only, which are not computed. */
static enum err_code check_byte_level(const struct component *c, struct err *err) {
    static const char *const KEYS[] = {"add_prefix_space", "trim_offsets", "use_regex", NULL};
    enum err_code rc = ERR_OK;
    bool unused = false;
    TRY(component_keys(c, KEYS, err));
    for (size_t i = 0; KEYS[i]; i++) TRY(component_bool(&unused, c, KEYS[i], err));
cleanup:
    return rc;
}

enum err_code token_template_read(struct token_template *out, const struct token_vocab *vocab,
                                  struct json value, const char *file, struct err *err) {
    enum err_code rc = ERR_OK;
    struct component_list list;
    size_t templates = 0;
    TRY(component_list_read(&list, value, file, "post_processor", "processors", err));
    for (size_t i = 0; i < list.n; i++) {
        const struct component *c = &list.items[i];
        if (strcmp(c->type, "ByteLevel") == 0)
            TRY(check_byte_level(c, err));
        else if (strcmp(c->type, "TemplateProcessing") != 0)
            TRY(component_refuse(c, "Sequence, ByteLevel, TemplateProcessing", err));
        else if (templates++ == 0)
            TRY(read_template(out, vocab, c, err));
    }
    /* The reference library takes what the first template made for two texts. */
    CHECK(templates < 2, ERR_DATA, "%.400s: post_processor: %zu TemplateProcessing, at most 1",
          file, templates);
cleanup:
    return rc;
}

void token_template_release(struct token_template *t) {
    token_ids_release(&t->before);
    token_ids_release(&t->after);
}
