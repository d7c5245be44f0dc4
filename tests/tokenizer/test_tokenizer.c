#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "tokenizer/tokenizer.h"
#include "twins/error_says.h"
#include "twins/scratch.h"

/* A tokenizer.json: ids 0 to 8 are a b c ab abc <0xC3> <0xA9> ? and the mark for a space. */
#define VOCAB                                                                                      \
    "{\"a\":0,\"b\":1,\"c\":2,\"ab\":3,\"abc\":4,\"<0xC3>\":5,\"<0xA9>\":6,\"?\":7,\"_\":8}"
#define BPE(options)                                                                               \
    "\"model\":{\"type\":\"BPE\",\"vocab\":" VOCAB ",\"merges\":[\"a b\",[\"ab\",\"c\"]]" options  \
    "}"
#define ADDED(id, content, options)                                                                \
    "{\"id\":" id ",\"content\":\"" content "\",\"normalized\":false" options "}"

static void write_json(char path[SCRATCH_PATH], const struct scratch *s, const char *json) {
    scratch_write(path, s, "tokenizer.json", json, strlen(json));
}

static struct tokenizer *opened(const char *json, const char *config) {
    struct err err;
    struct scratch s;
    struct tokenizer *t = NULL;
    char path[SCRATCH_PATH];
    scratch_create(&s);
    write_json(path, &s, json);
    if (config) scratch_write(path, &s, "tokenizer_config.json", config, strlen(config));
    SUCCEEDS(tokenizer_open(&t, s.folder, &err));
    scratch_destroy(&s);
    return t;
}

static void print_list(struct text *out, const struct token_ids *ids) {
    for (size_t i = 0; i < ids->n; i++) text_add(out, "%s%d", i ? " " : "", ids->ids[i]);
}

static void ids_are(const struct tokenizer *t, const char *text, bool special, const char *wanted) {
    struct err err;
    struct token_ids ids = {0};
    struct text line = {0};
    SUCCEEDS(tokenizer_encode(&ids, t, text, strlen(text), special, &err));
    print_list(&line, &ids);
    assert_string_equal(text_str(&line), wanted);
    text_release(&line);
    token_ids_release(&ids);
}

static void encodes(const char *json, const char *text, const char *wanted) {
    struct tokenizer *t = opened(json, NULL);
    ids_are(t, text, false, wanted);
    tokenizer_close(t);
}

static void refused(const char *json, const char *words) {
    struct err err;
    struct scratch s;
    struct tokenizer *t = NULL;
    char path[SCRATCH_PATH];
    scratch_create(&s);
    write_json(path, &s, json);
    ERROR_SAYS(tokenizer_open(&t, s.folder, &err), ERR_DATA, words);
    assert_non_null(strstr(err.msg, "tokenizer.json"));
    assert_null(t);
    scratch_destroy(&s);
}

static void merges_bytes_and_unknown_characters(void **state) {
    (void)state;
    encodes("{" BPE("") "}", "abcab", "4 3");
    encodes("{" BPE("") "}", "a\xc3\xa9z", "0");
    encodes("{" BPE(",\"byte_fallback\":true") "}", "a\xc3\xa9", "0 5 6");
    encodes("{" BPE(",\"byte_fallback\":true,\"unk_token\":\"?\"") "}",
            "z\xc3\xa9"
            "b",
            "5 6 7 1");
    encodes("{" BPE(",\"unk_token\":\"?\",\"fuse_unk\":true") "}", "xyabz", "7 3 7");
}

static void steps_in_their_order(void **state) {
    (void)state;
    encodes("{\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Replace\","
            "\"pattern\":{\"String\":\"x\"},\"content\":\"ab\"},{\"type\":\"Prepend\","
            "\"prepend\":\"c\"}]}," BPE("") "}",
            "xc", "2 4");
    encodes("{\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\","
            "\"pattern\":{\"Regex\":\"b\"},\"behavior\":\"MergedWithPrevious\",\"invert\":false},"
            "{\"type\":\"WhitespaceSplit\"}]}," BPE("") "}",
            "abcab ca b", "3 2 3 2 0 1");
}

#define META(scheme)                                                                               \
    "{\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"_\",\"prepend_scheme\":"         \
    "\"" scheme "\"},\"added_tokens\":[" ADDED("9", "<s>", "") "]," BPE("") "}"

static void metaspace_schemes(void **state) {
    (void)state;
    encodes(META("always"), "a b<s>c", "8 0 8 1 9 8 2");
    encodes(META("first"), "a b<s>c", "8 0 8 1 9 2");
    encodes(META("first"), "<s>c", "9 2");
    encodes(META("never"), "a b<s>c", "0 8 1 9 2");
    encodes(META("always"), " a", "8 0");
}

static void flags_of_added_tokens(void **state) {
    (void)state;
    encodes(
        "{\"added_tokens\":[" ADDED("9", "<s>", "") "," ADDED("10", "<s><s>", "") "]," BPE("") "}",
        "a<s>b<s><s><s>", "0 9 1 10 9");
    encodes("{\"added_tokens\":[" ADDED("9", "<s>", ",\"lstrip\":true") "]," BPE("") "}", "_ <s>_",
            "8 9 8");
    encodes("{\"added_tokens\":[" ADDED("9", "<s>", ",\"rstrip\":true") "]," BPE("") "}", "a<s>  b",
            "0 9 1");
    encodes("{\"added_tokens\":[" ADDED("2", "c", ",\"single_word\":true") "]," BPE("") "}",
            "abc ?c?", "4 7 2 7");
    encodes(
        "{\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"String\":\"x\"},\"content\":\"c\"},"
        "\"added_tokens\":[{\"id\":9,\"content\":\"xx\",\"normalized\":true}]," BPE("") "}",
        "abxcab", "3 9 3");
}

#define TEMPLATE                                                                                   \
    "\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":"   \
    "\"S\",\"type_id\":0}},{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}%s],\"pair\":[],"            \
    "\"special_tokens\":{\"S\":{\"id\":\"S\",\"ids\":[9],\"tokens\":[\"S\"]}}},"

static void bos_is(const char *after, const char *config, const char *setting, const char *text,
                   const char *wanted) {
    struct err err;
    char json[2048];
    int32_t bos = -2;
    struct token_ids ids = {0};
    struct text line = {0};
    (void)snprintf(json, sizeof json,
                   "{\"added_tokens\":[" ADDED("9", "<s>", "") "]," TEMPLATE BPE("") "}", after);
    struct tokenizer *t = opened(json, config);
    const enum err_code rc = tokenizer_bos(&bos, t, setting, &err);
    if (rc != ERR_OK) {
        ERROR_SAYS(rc, ERR_DATA, wanted);
    } else {
        SUCCEEDS(tokenizer_encode_prompt(&ids, t, bos, text, strlen(text), &err));
        print_list(&line, &ids);
        assert_string_equal(text_str(&line), wanted);
    }
    text_release(&line);
    token_ids_release(&ids);
    tokenizer_close(t);
}

static void the_first_token_and_never_twice(void **state) {
    (void)state;
    const char *end = ",{\"SpecialToken\":{\"id\":\"S\",\"type_id\":0}}";
    bos_is("", NULL, "auto", "ab", "9 3");
    bos_is("", NULL, "auto", "<s>ab", "9 3");
    bos_is("", NULL, "auto", "", "9");
    bos_is("", NULL, "none", "ab", "3");
    bos_is("", NULL, "?", "ab", "7 3");
    bos_is("", NULL, "?", "?ab", "7 3");
    bos_is("", NULL, "abc", "abcab", "4 3");
    bos_is("", NULL, "[]", "", "bos: the vocabulary of 10 tokens has no token '[]'");
    bos_is("", "{\"add_bos_token\":false}", "auto", "ab", "3");
    bos_is("", "{\"add_bos_token\":true,\"bos_token\":\"?\"}", "auto", "ab", "7 3");
    bos_is("", "{\"add_bos_token\":true,\"bos_token\":{\"content\":\"c\"}}", "auto", "ab", "2 3");
    bos_is("", "{\"add_bos_token\":null,\"bos_token\":null}", "auto", "ab", "9 3");
    bos_is("", "{\"add_eos_token\":true}", "auto", "", "add_eos_token");
    bos_is(end, NULL, "auto", "", "puts 1 tokens before a text and 1 behind");
    bos_is(end, NULL, "c", "ab", "2 3");
}

static void post_processor(void **state) {
    (void)state;
    char json[2048];
    (void)snprintf(json, sizeof json,
                   "{\"added_tokens\":[" ADDED("9", "<s>", "") "]," TEMPLATE BPE("") "}",
                   ",{\"SpecialToken\":{\"id\":\"S\",\"type_id\":0}}");
    struct tokenizer *t = opened(json, NULL);
    ids_are(t, "ab", true, "9 3 9");
    ids_are(t, "", true, "9 9");
    ids_are(t, "ab", false, "3");
    tokenizer_close(t);
}

static void decodes(const char *json, const char *ids, const char *wanted) {
    struct err err;
    struct tokenizer *t = opened(json, NULL);
    struct text out = {0};
    int32_t list[16];
    size_t n = 0;
    for (char *end; *ids; ids = end) list[n++] = (int32_t)strtol(ids, &end, 10);
    SUCCEEDS(tokenizer_decode(&out, t, list, n, &err));
    assert_string_equal(text_str(&out), wanted);
    ERROR_SAYS(tokenizer_decode(&out, t, (const int32_t[]){0, 99}, 2, &err), ERR_DATA,
               "id 99 at position 1: the vocabulary has the ids 0 to ");
    text_release(&out);
    tokenizer_close(t);
}

static void decoders(void **state) {
    (void)state;
    decodes("{" BPE("") "}", "3 0", "ab a");
    decodes("{\"decoder\":{\"type\":\"ByteFallback\"}," BPE("") "}", "0 5 6 1 5",
            "a\xc3\xa9"
            "b\xef\xbf\xbd");
    decodes("{\"decoder\":{\"type\":\"ByteFallback\"}," BPE("") "}", "5 6 5",
            "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    decodes("{\"decoder\":{\"type\":\"Metaspace\",\"replacement\":\"_\"}," BPE("") "}", "8 0 8 1",
            "a b");
    decodes("{\"decoder\":{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Replace\",\"pattern\":"
            "{\"String\":\"_\"},\"content\":\" \"},{\"type\":\"Fuse\"},{\"type\":\"Strip\","
            "\"content\":\" \",\"start\":1,\"stop\":2}]}," BPE("") "}",
            "8 8 0 8 1 8 8 8", " a b ");
}

static void words(void **state) {
    (void)state;
    struct err err;
    struct token_ids ids = {0};
    const char *json = "{\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":"
                       "\"Split\",\"pattern\":{\"String\":\" \"},\"behavior\":\"Removed\"},{"
                       "\"type\":\"Split\",\"pattern\":{\"String\":\"\\n\"},\"behavior\":"
                       "\"Isolated\"}]},\"model\":{\"type\":\"WordLevel\",\"unk_token\":\"%s\","
                       "\"vocab\":{\"big\":0,\"\\n\":1,\"small\":2,\"?\":3}}}";
    char text[1024];
    (void)snprintf(text, sizeof text, json, "?");
    encodes(text, "big  small\n\nred big", "0 2 1 1 3 0");
    (void)snprintf(text, sizeof text, json, "none");
    struct tokenizer *t = opened(text, NULL);
    ERROR_SAYS(tokenizer_encode(&ids, t, "big red", 7, false, &err), ERR_DATA,
               "the word 'red' is not in the vocabulary");
    token_ids_release(&ids);
    tokenizer_close(t);
}

static void unknown_is(const char *json, int32_t id) {
    struct tokenizer *t = opened(json, NULL);
    assert_int_equal(tokenizer_unknown(t), id);
    tokenizer_close(t);
}

static void the_token_for_unknown_words(void **state) {
    (void)state;
    unknown_is(
        "{\"model\":{\"type\":\"WordLevel\",\"unk_token\":\"?\",\"vocab\":{\"a\":0,\"?\":1}}}", 1);
    unknown_is(
        "{\"model\":{\"type\":\"WordLevel\",\"unk_token\":\"!\",\"vocab\":{\"a\":0,\"?\":1}}}", -1);
    unknown_is("{" BPE(",\"unk_token\":\"?\"") "}", 7);
    unknown_is("{" BPE("") "}", -1);
}

static void gpt2_files(void **state) {
    (void)state;
    struct err err;
    struct scratch s;
    struct tokenizer *t = NULL;
    struct token_ids ids = {0};
    char path[SCRATCH_PATH];
    int32_t bos;
    static const char vocab[] = "{\"a\":0,\"b\":1,\"\xc4\xa0\":2,\"ab\":3,\"<|endoftext|>\":4}";
    static const char merges[] = "#version: 0.2\na b\n";
    scratch_create(&s);
    ERROR_SAYS(tokenizer_open(&t, s.folder, &err), ERR_DATA,
               "has no tokenizer.json, and no vocab.json");
    scratch_write(path, &s, "tokenizer.model", "x", 1);
    ERROR_SAYS(tokenizer_open(&t, s.folder, &err), ERR_DATA, "to_safetensors.py --tokenizer /");
    scratch_write(path, &s, "vocab.json", vocab, sizeof vocab - 1);
    ERROR_SAYS(tokenizer_open(&t, s.folder, &err), ERR_DATA, "neither merges.txt nor");
    scratch_write(path, &s, "merges.txt", "#version\na  b\n", 14);
    ERROR_SAYS(tokenizer_open(&t, s.folder, &err), ERR_DATA,
               "merges.txt:2: the merge 'a  b' is not");
    scratch_write(path, &s, "merges.txt", "a b\n\xff b\n", 8);
    ERROR_SAYS(tokenizer_open(&t, s.folder, &err), ERR_DATA, "merges.txt: byte 4 is not UTF-8");
    scratch_write(path, &s, "merges.txt", merges, sizeof merges - 1);
    scratch_write(path, &s, "tokenizer_config.json", "{\"tokenizer_class\":\"Qwen2Tokenizer\"}",
                  36);
    ERROR_SAYS(tokenizer_open(&t, s.folder, &err), ERR_DATA, "not as the 'Qwen2Tokenizer'");
    scratch_write(path, &s, "tokenizer_config.json", "{\"tokenizer_class\":\"GPT2Tokenizer\"}", 35);
    SUCCEEDS(tokenizer_open(&t, s.folder, &err));
    ids_are(t, "ab ab", false, "3 2 3");
    SUCCEEDS(tokenizer_bos(&bos, t, "<|endoftext|>", &err));
    SUCCEEDS(tokenizer_encode_prompt(&ids, t, bos, "<|endoftext|>ab", 15, &err));
    assert_int_equal(ids.n, 2);
    assert_int_equal(ids.ids[0], 4);
    assert_int_equal(ids.ids[1], 3);
    token_ids_release(&ids);
    tokenizer_close(t);
    scratch_destroy(&s);
}

static void what_is_not_supported_is_refused_by_name(void **state) {
    (void)state;
    refused("{" BPE("") ",\"extra\":1}", "the option 'extra' is not supported");
    refused("{" BPE("") ",\"ex\\ntra\":1}", "the option 'ex?tra' is not supported");
    refused("{\"version\":\"2.0\"," BPE("") "}", "version '2.0', not 1.0");
    refused("{\"truncation\":{\"max_length\":5}," BPE("") "}", "truncation is not supported");
    refused("{\"padding\":{}," BPE("") "}", "padding is not supported");
    refused("{\"normalizer\":{\"type\":\"BertNormalizer\"}," BPE("") "}",
            "normalizer: the type 'BertNormalizer' is not supported; supported: ");
    refused("{\"normalizer\":{\"type\":\"NFC\",\"x\":1}," BPE("") "}",
            "normalizer NFC: the option 'x' is not");
    refused("{\"pre_tokenizer\":{\"type\":\"Whitespace\"}," BPE("") "}", "the type 'Whitespace'");
    refused("{\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"Regex\":\"a\"},\"behavior\":"
            "\"Odd\"}," BPE("") "}",
            "behavior: 'Odd' is not supported");
    refused("{\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(\"},\"behavior\":"
            "\"Isolated\"}," BPE("") "}",
            "the pattern is not valid");
    refused("{\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"use_regex\":1}," BPE("") "}",
            "use_regex: expected a boolean, received 1");
    refused("{\"post_processor\":{\"type\":\"BertProcessing\"}," BPE("") "}",
            "the type 'BertProcessing'");
    refused("{\"decoder\":{\"type\":\"WordPiece\"}," BPE("") "}", "the type 'WordPiece'");
    refused("{\"model\":{\"type\":\"Unigram\"}}", "model: the type 'Unigram'");
    refused("{" BPE(",\"dropout\":0.1") "}",
            "the option 'dropout' is not supported with this value");
    refused("{" BPE(",\"end_of_word_suffix\":\"w\"") "}", "'end_of_word_suffix' is not supported");
    refused("{\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"_\",\"add_prefix_space\":"
            "false}," BPE("") "}",
            "contradict each other");
    refused("{\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"__\"}," BPE("") "}",
            "expected one character, received '__'");
}

static void wrong_data_is_refused(void **state) {
    (void)state;
    refused("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":0},\"merges\":[]}}",
            "the tokens 'a' and 'b' have the same id 0");
    refused("{\"model\":{\"vocab\":{\"a\":0,\"b\":2},\"merges\":[]}}",
            "the token 'b' has the id 2; ids must run from 0 without a gap, here to 1");
    refused("{\"model\":{\"vocab\":{\"a\":-1},\"merges\":[]}}", "the token 'a' has the id -1");
    refused("{\"model\":{\"vocab\":{\"a\":99999999999},\"merges\":[]}}", "has the id 99999999999");
    refused("{\"model\":{\"vocab\":{},\"merges\":[]}}", "the vocabulary is empty");
    refused("{\"model\":{\"vocab\":{\"a\":0,\"a\":1},\"merges\":[]}}", "duplicate object key");
    refused("{\"model\":{\"vocab\":{\"a\":0},\"merges\":[\"a x\"]}}",
            "merges[0]: the merge needs the token 'x'");
    refused("{\"model\":{\"vocab\":{\"a\":0},\"merges\":[\"aa\"]}}",
            "merges[0]: the merge 'aa' is not two tokens");
    refused("{\"model\":{\"vocab\":{\"a\":0},\"merges\":[[\"a\"]]}}",
            "expected a text \"LEFT RIGHT\" or an array");
    refused("{\"model\":{\"vocab\":{\"a\":0}}}",
            "model: merges: expected an array, received nothing");
    refused("{\"added_tokens\":[" ADDED("10", "<s>", "") "]," BPE("") "}",
            "'<s>' has the id 10; ids must run from 0 without a gap, here to 9");
    refused("{\"added_tokens\":[" ADDED("9", "<s>", "") "," ADDED("9", "<t>", "") "]," BPE("") "}",
            "the tokens '<s>' and '<t>' have the same id 9");
    refused("{\"added_tokens\":[" ADDED("9", "a", "") "]," BPE("") "}",
            "the token 'a' has two ids, 0 and 9");
    refused("{\"added_tokens\":[" ADDED("0", "a", "") "," ADDED("0", "a", "") "]," BPE("") "}",
            "the ids 0 and 0 have the same text 'a'");
    refused("{\"added_tokens\":[" ADDED("9", "", "") "]," BPE("") "}",
            "the token of id 9 is empty");
    refused("{\"added_tokens\":[3]," BPE("") "}", "added_tokens: expected an object, received 3");
    refused("{\"model\":{\"vocab\":{\"a\":0", "not valid JSON");
    refused("[]", "expected an object, received an array");
    refused("", "not valid JSON");
}

/* A vocabulary of one token after another: "SIZE times the letter x, then its number". */
static void add_tokens(struct text *out, size_t n) {
    for (size_t i = 0; i < n; i++) text_add(out, "%s\"x%zu\":%zu", i ? "," : "", i, i);
}

static void large_files(void **state) {
    (void)state;
    enum { TOKENS = 250000, LONG = 1000000, DEEP = 100000 };
    struct text json = {0};
    const clock_t before = clock();
    text_add(&json, "{\"model\":{\"type\":\"WordLevel\",\"unk_token\":\"x7\",\"vocab\":{");
    add_tokens(&json, TOKENS);
    text_add(&json, "}}}");
    struct tokenizer *t = opened(text_str(&json), NULL);
    assert_int_equal(tokenizer_count(t), TOKENS);
    assert_int_equal(tokenizer_find(t, "x249999"), 249999);
    tokenizer_close(t);
    assert_true((double)(clock() - before) / CLOCKS_PER_SEC < 10);
    text_clear(&json);
    text_add(&json, "{\"model\":{\"vocab\":{\"");
    for (size_t i = 0; i < LONG; i++) text_bytes(&json, "y", 1);
    text_add(&json, "\":0},\"merges\":[]}}");
    refused(text_str(&json), "has 1000000 bytes; at most 4096");
    text_clear(&json);
    for (size_t i = 0; i < DEEP; i++) text_bytes(&json, "[", 1);
    refused(text_str(&json), "nested deeper than");
    text_release(&json);
}

static void text_that_is_not_utf8(void **state) {
    (void)state;
    struct err err;
    struct token_ids ids = {0};
    struct tokenizer *t = opened("{" BPE("") "}", NULL);
    ERROR_SAYS(tokenizer_encode(&ids, t, "ab\xc3(", 4, false, &err), ERR_DATA,
               "byte 2 of the text (0xc3) is not UTF-8");
    ERROR_SAYS(tokenizer_encode(&ids, t, "\xed\xa0\x80", 3, false, &err), ERR_DATA, "byte 0");
    assert_int_equal(ids.n, 0);
    SUCCEEDS(tokenizer_encode(&ids, t, "a\0b", 3, false, &err));
    assert_int_equal(ids.n, 1); /* NUL is a character without token; then a and b are merged */
    token_ids_release(&ids);
    tokenizer_close(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merges_bytes_and_unknown_characters),
        cmocka_unit_test(steps_in_their_order),
        cmocka_unit_test(metaspace_schemes),
        cmocka_unit_test(flags_of_added_tokens),
        cmocka_unit_test(the_first_token_and_never_twice),
        cmocka_unit_test(post_processor),
        cmocka_unit_test(decoders),
        cmocka_unit_test(words),
        cmocka_unit_test(the_token_for_unknown_words),
        cmocka_unit_test(gpt2_files),
        cmocka_unit_test(what_is_not_supported_is_refused_by_name),
        cmocka_unit_test(wrong_data_is_refused),
        cmocka_unit_test(large_files),
        cmocka_unit_test(text_that_is_not_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
