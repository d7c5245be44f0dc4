/* Weights of a folder: one file, shards with an index, and folders that are not whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "tensorfile/shard_index.h"
#include "tensorfile/tensor_set.h"
#include "twins/error_says.h"
#include "twins/scratch_group.h"

static struct err err;

static void put(const char *name, const void *data, size_t size) {
    char path[SCRATCH_PATH];
    scratch_write(path, &scratch, name, data, size);
}

static void put_text(const char *name, const char *text) { put(name, text, strlen(text)); }

static void drop(const char *name) {
    char path[SCRATCH_PATH];
    scratch_path(path, &scratch, name);
    (void)unlink(path);
}

/* A file of F16 tensors [2]; each holds (value, value + 1) as bits, value counted from `first`. */
static void put_file(const char *name, size_t n, const char *const *tensors, uint16_t first) {
    struct text header = {0}, all = {0};
    text_add(&header, "{");
    for (size_t i = 0; i < n; i++)
        text_add(&header, "%s\"%s\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[%zu,%zu]}",
                 i > 0 ? "," : "", tensors[i], 4 * i, 4 * i + 4);
    text_add(&header, "}");
    const uint64_t length = header.size;
    text_bytes(&all, &length, sizeof length);
    text_bytes(&all, header.data, header.size);
    for (size_t i = 0; i < 2 * n; i++) {
        const uint16_t bits = (uint16_t)(first + i);
        text_bytes(&all, &bits, sizeof bits);
    }
    put(name, all.data, all.size);
    text_release(&header);
    text_release(&all);
}

static const char *const FIRST[] = {"w.b", "a"}, *const SECOND[] = {"c", "w.a"};
static const char INDEX[] = "{\"metadata\":{\"total_size\":16},\"weight_map\":{"
                            "\"w.b\":\"m-1.safetensors\",\"a\":\"m-1.safetensors\","
                            "\"c\":\"m-2.safetensors\",\"w.a\":\"m-2.safetensors\"}}";

static void put_shards(void) {
    drop(TENSOR_SET_SINGLE);
    put_file("m-1.safetensors", 2, FIRST, 1);
    put_file("m-2.safetensors", 2, SECOND, 5);
    put_text(TENSOR_SET_INDEX, INDEX);
}

static struct tensor_set *opened(void) {
    struct tensor_set *s = NULL;
    SUCCEEDS(tensor_set_open(&s, scratch.folder, &err));
    return s;
}

static void refused(const char *words) {
    struct tensor_set *s = NULL;
    ERROR_SAYS(tensor_set_open(&s, scratch.folder, &err), ERR_DATA, words);
    assert_null(s);
}

static uint16_t first_of(const struct tensor_set *s, const char *name) {
    uint16_t bits = 0;
    const struct tensor_info *t = tensor_set_find(s, name);
    assert_non_null(t);
    memcpy(&bits, t->data, sizeof bits);
    return bits;
}

static void shards_are_one_set(void **state) {
    (void)state;
    static const char *const SORTED[] = {"a", "c", "w.a", "w.b"};
    put_shards();
    struct tensor_set *s = opened();
    assert_int_equal(tensor_set_files(s), 2);
    assert_int_equal(tensor_set_count(s), 4);
    for (size_t i = 0; i < 4; i++) assert_string_equal(tensor_set_at(s, i)->name, SORTED[i]);
    assert_int_equal(first_of(s, "w.b"), 1);
    assert_int_equal(first_of(s, "a"), 3);
    assert_int_equal(first_of(s, "w.a"), 7);
    assert_null(tensor_set_find(s, "w"));
    tensor_set_close(s);
}

/* The hash of the tensors is that of one file with the same tensors, and was computed by hashlib.
 */
static void the_hash_is_of_the_tensors_alone(void **state) {
    (void)state;
    static const char *const ALL[] = {"w.b", "a", "c", "w.a"};
    char sharded[HASH_HEX], single[HASH_HEX];
    put_shards();
    struct tensor_set *s = opened();
    tensor_set_hash(sharded, s);
    tensor_set_close(s);
    assert_string_equal(sharded,
                        "b710cd24a00d311d913227cc2555f7d5264a96cd505aa30920054dcd90ef0348");
    put_file(TENSOR_SET_SINGLE, 4, ALL, 1);
    s = opened();
    assert_int_equal(tensor_set_files(s), 1);
    tensor_set_hash(single, s);
    tensor_set_close(s);
    assert_string_equal(single, sharded);
}

static void incomplete_folders_are_refused(void **state) {
    (void)state;
    put_shards();
    drop(TENSOR_SET_INDEX);
    refused("holds neither model.safetensors nor model.safetensors.index.json");
    put_shards();
    drop("m-2.safetensors");
    refused("m-2.safetensors: no such file, but model.safetensors.index.json places 2 tensors");
    put_shards();
    put_file("m-2.safetensors", 1, SECOND, 5);
    refused("m-2.safetensors: no tensor \"w.a\", which model.safetensors.index.json places there");
    put_file("m-2.safetensors", 2, FIRST, 5);
    refused("m-2.safetensors: no tensor \"c\"");
    put_shards();
    put_file("m-2.safetensors", 3, (const char *const[]){"c", "w.a", "a"}, 5);
    refused("two shards hold the tensor \"a\"");
    put_shards();
    put("m-1.safetensors", "too few", 7);
    refused("m-1.safetensors: 7 bytes are too few");
}

static void malformed_indices_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *text, *words;
    } CASES[] = {
        {"", "model.safetensors.index.json: line 1"},
        {"[]", "expected an object, received an array"},
        {"{}", "weight_map: expected an object, received nothing"},
        {"{\"weight_map\":{}}", "weight_map names no tensor"},
        {"{\"weight_map\":[\"a\"]}", "weight_map: expected an object, received an array"},
        {"{\"weight_map\":{\"a\":3}}", "weight_map: \"a\": expected a text, received 3"},
        {"{\"weight_map\":{\"a\":\"\"}}", "a name must not be empty"},
        {"{\"weight_map\":{\"\":\"m.safetensors\"}}", "a name must not be empty"},
        {"{\"weight_map\":{\"a\":\"../m.safetensors\"}}", "is a path: shards lie beside"},
        {"{\"weight_map\":{\"a\":\"/m.safetensors\"}}", "is a path: shards lie beside"},
        {"{\"weight_map\":{\"a\":\"m.bin\"}}", "\"m.bin\" is not a .safetensors file: convert"},
        {"{\"weight_map\":{\"a\":\"m\\n.safetensors\"}}", "control character 0x0a"},
        {"{\"weight_map\":{\"a\":\"m.safetensors\",\"a\":\"n.safetensors\"}}", "duplicate"},
        {"{\"weight_map\":{\"a\":\"m.safetensors\"", "not valid JSON"},
    };
    put_shards();
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        put_text(TENSOR_SET_INDEX, CASES[i].text);
        refused(CASES[i].words);
    }
    struct text deep = {0};
    for (size_t i = 0; i < 100000; i++) text_add(&deep, "{\"a\":");
    put(TENSOR_SET_INDEX, deep.data, deep.size);
    refused("nested deeper than 64 levels");
    text_release(&deep);
}

static void many_tensors_open_in_time(void **state) {
    (void)state;
    enum { MANY = 100000 };
    const char *names[MANY];
    struct text all = {0};
    for (size_t i = 0; i < MANY; i++) text_add(&all, "model.layers.%zu.w%c", i, '\0');
    const char *at = all.data;
    for (size_t i = 0; i < MANY; at += strlen(at) + 1, i++) names[i] = at;
    put_file(TENSOR_SET_SINGLE, MANY, names, 0);
    const clock_t begin = clock();
    struct tensor_set *s = opened();
    for (size_t i = 0; i < MANY; i++) assert_non_null(tensor_set_find(s, names[i]));
    const double seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
    tensor_set_close(s);
    text_release(&all);
    drop(TENSOR_SET_SINGLE);
#ifdef __SANITIZE_ADDRESS__
    const double limit = 5;
#else
    const double limit = 1;
#endif
    if (seconds > limit) fail_msg("%d tensors took %.2f s, at most %g", MANY, seconds, limit);
    if (getenv("VERBOSE")) print_message("%d tensors: %.2f s\n", MANY, seconds);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shards_are_one_set),
        cmocka_unit_test(the_hash_is_of_the_tensors_alone),
        cmocka_unit_test(incomplete_folders_are_refused),
        cmocka_unit_test(malformed_indices_are_refused),
        cmocka_unit_test(many_tensors_open_in_time),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
