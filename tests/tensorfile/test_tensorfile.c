#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/hash.h"
#include "tensorfile/tensorfile.h"
#include "twins/error_says.h"
#include "twins/scratch_group.h"

static struct err err;
static const float WEIGHTS[6] = {1.5f, -0.0f, 1e-40f, 3.4e38f, -7, 0.1f};

static void save(const char *path) {
    struct tensor_writer *w = NULL;
    SUCCEEDS(tensor_writer_create(&w, &err));
    SUCCEEDS(tensor_writer_note(w, "format", "pt", &err));
    SUCCEEDS(tensor_writer_note(w, "config", "a = \"b\";\nline \xc3\xa9", &err));
    SUCCEEDS(tensor_writer_add(w, "z.weight", 2, (size_t[]){2, 3}, WEIGHTS, &err));
    SUCCEEDS(tensor_writer_add(w, "a.scalar", 0, NULL, WEIGHTS + 5, &err));
    SUCCEEDS(tensor_writer_add(w, "empty", 2, (size_t[]){0, 3}, NULL, &err));
    SUCCEEDS(tensor_writer_add(w, "m.bias", 1, (size_t[]){3}, WEIGHTS, &err));
    SUCCEEDS(tensor_writer_save(w, path, &err));
    tensor_writer_destroy(w);
}

static void a_written_file_is_read(void **state) {
    (void)state;
    char path[SCRATCH_PATH];
    struct tensorfile *f = NULL;
    float out[6];
    const char *key, *value;
    scratch_path(path, &scratch, "good.safetensors");
    save(path);
    SUCCEEDS(tensorfile_open(&f, path, &err));
    assert_string_equal(tensorfile_path(f), path);
    assert_int_equal(tensorfile_count(f), 4);
    assert_string_equal(tensorfile_at(f, 0)->name, "z.weight");
    assert_string_equal(tensorfile_at(f, 3)->name, "m.bias");
    assert_int_equal((uintptr_t)tensorfile_at(f, 0)->data % 64, 0);
    assert_int_equal(tensorfile_find(f, "empty")->elements, 0);
    assert_int_equal(tensorfile_find(f, "a.scalar")->elements, 1);
    assert_string_equal(tensor_type_name(tensorfile_find(f, "m.bias")->type), "F32");
    SUCCEEDS(tensorfile_floats(out, f, "z.weight", 2, (size_t[]){2, 3}, &err));
    assert_memory_equal(out, WEIGHTS, sizeof WEIGHTS);
    SUCCEEDS(tensorfile_floats(out, f, "a.scalar", 0, NULL, &err));
    assert_true(out[0] == WEIGHTS[5]);
    SUCCEEDS(tensorfile_floats(NULL, f, "empty", 2, (size_t[]){0, 3}, &err));
    assert_int_equal(tensorfile_note_count(f), 2);
    tensorfile_note_at(f, 0, &key, &value);
    assert_string_equal(key, "format");
    assert_string_equal(tensorfile_note(f, "config"), "a = \"b\";\nline \xc3\xa9");
    assert_null(tensorfile_note(f, "absent"));
    tensorfile_close(f);
}

static void halves_are_written_beside_floats(void **state) {
    (void)state;
    const uint16_t halves[3] = {0x3c00, 0xc000, 0x0001};
    char path[SCRATCH_PATH];
    struct tensor_writer *w = NULL;
    struct tensorfile *f = NULL;
    float out[3];
    scratch_path(path, &scratch, "halves.safetensors");
    SUCCEEDS(tensor_writer_create(&w, &err));
    SUCCEEDS(tensor_writer_add_halves(w, "half", 1, (size_t[]){3}, halves, &err));
    SUCCEEDS(tensor_writer_add(w, "float", 1, (size_t[]){3}, WEIGHTS, &err));
    SUCCEEDS(tensor_writer_save(w, path, &err));
    SUCCEEDS(tensorfile_open(&f, path, &err));
    assert_string_equal(tensor_type_name(tensorfile_find(f, "half")->type), "F16");
    SUCCEEDS(tensorfile_floats(out, f, "half", 1, (size_t[]){3}, &err));
    assert_true(out[0] == 1 && out[1] == -2 && out[2] == 0x1p-24f);
    SUCCEEDS(tensorfile_floats(out, f, "float", 1, (size_t[]){3}, &err));
    assert_memory_equal(out, WEIGHTS, sizeof out);
    tensorfile_close(f);
    tensor_writer_destroy(w);
}

static void the_same_calls_give_the_same_bytes(void **state) {
    (void)state;
    char one[SCRATCH_PATH], two[SCRATCH_PATH], hash_one[HASH_HEX], hash_two[HASH_HEX];
    scratch_path(one, &scratch, "one"), scratch_path(two, &scratch, "two");
    save(one), save(two);
    SUCCEEDS(hash_file(hash_one, one, &err));
    SUCCEEDS(hash_file(hash_two, two, &err));
    assert_string_equal(hash_one, hash_two);
}

static void saving_what_was_read_gives_the_same_bytes(void **state) {
    (void)state;
    char path[SCRATCH_PATH], again[SCRATCH_PATH];
    struct text before = {0}, after = {0};
    struct tensorfile *f = NULL;
    struct tensor_writer *w = NULL;
    scratch_path(path, &scratch, "first"), scratch_path(again, &scratch, "second");
    save(path);
    SUCCEEDS(tensorfile_open(&f, path, &err));
    SUCCEEDS(tensor_writer_create(&w, &err));
    for (size_t i = 0; i < tensorfile_note_count(f); i++) {
        const char *key, *value;
        tensorfile_note_at(f, i, &key, &value);
        SUCCEEDS(tensor_writer_note(w, key, value, &err));
    }
    /* "empty" lies between two tensors; tensors that start at one offset are sorted by name. */
    for (size_t i = 0; i < tensorfile_count(f); i++) {
        const struct tensor_info *t = tensorfile_at(f, i);
        SUCCEEDS(tensor_writer_add(w, t->name, t->rank, t->shape, t->data, &err));
    }
    SUCCEEDS(tensor_writer_save(w, again, &err));
    tensor_writer_destroy(w);
    tensorfile_close(f);
    SUCCEEDS(file_read(&before, path, 1 << 20, &err));
    SUCCEEDS(file_read(&after, again, 1 << 20, &err));
    assert_int_equal(before.size, after.size);
    assert_memory_equal(before.data, after.data, before.size);
    text_release(&before), text_release(&after);
}

static void the_header_is_the_documented_one(void **state) {
    (void)state;
    char path[SCRATCH_PATH];
    struct text bytes = {0};
    struct tensor_writer *w = NULL;
    uint64_t length = 0;
    scratch_path(path, &scratch, "plain");
    SUCCEEDS(tensor_writer_create(&w, &err));
    SUCCEEDS(tensor_writer_add(w, "a", 2, (size_t[]){1, 2}, WEIGHTS, &err));
    SUCCEEDS(tensor_writer_save(w, path, &err));
    tensor_writer_destroy(w);
    SUCCEEDS(file_read(&bytes, path, 1 << 20, &err));
    memcpy(&length, bytes.data, 8);
    assert_int_equal((8 + length) % 64, 0);
    assert_int_equal(bytes.size, 8 + length + 8);
    const char *header = "{\"a\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]}}";
    assert_memory_equal(bytes.data + 8, header, strlen(header));
    for (size_t i = 8 + strlen(header); i < 8 + length; i++) assert_int_equal(bytes.data[i], ' ');
    assert_memory_equal(bytes.data + 8 + length, WEIGHTS, 8);
    text_release(&bytes);
}

static void halves_are_widened_at_any_alignment(void **state) {
    (void)state;
    /* An odd header length: the data is not aligned, as in some published files. */
    const char *header = "{\"h\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[0,4]},"
                         "\"b\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[4,8]},"
                         "\"f\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]},"
                         "\"i\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[12,20]}}";
    const uint16_t halves[4] = {0x3c00, 0xfc00, 0x3f80, 0xff80};
    char path[SCRATCH_PATH], bytes[512] = {0};
    uint64_t length = strlen(header);
    if (length % 2 == 0) length++;
    memcpy(bytes, &length, 8);
    memset(bytes + 8, ' ', length);
    memcpy(bytes + 8, header, strlen(header));
    memcpy(bytes + 8 + length, halves, 8);
    memcpy(bytes + 8 + length + 8, &WEIGHTS[5], 4);
    scratch_write(path, &scratch, "halves", bytes, 8 + length + 20);
    struct tensorfile *f = NULL;
    float out[2];
    SUCCEEDS(tensorfile_open(&f, path, &err));
    SUCCEEDS(tensorfile_floats(out, f, "h", 1, (size_t[]){2}, &err));
    assert_true(out[0] == 1 && out[1] == -INFINITY);
    SUCCEEDS(tensorfile_floats(out, f, "b", 1, (size_t[]){2}, &err));
    assert_true(out[0] == 1 && out[1] == -INFINITY);
    SUCCEEDS(tensorfile_floats(out, f, "f", 1, (size_t[]){1}, &err));
    assert_true(out[0] == WEIGHTS[5]);
    ERROR_SAYS(tensorfile_floats(out, f, "i", 1, (size_t[]){1}, &err), ERR_DATA,
               "tensor \"i\": dtype I64, expected F32, F16 or BF16");
    tensorfile_close(f);
}

static void absent_or_of_another_shape(void **state) {
    (void)state;
    char path[SCRATCH_PATH];
    struct tensorfile *f = NULL;
    float out[6];
    scratch_path(path, &scratch, "shapes");
    save(path);
    SUCCEEDS(tensorfile_open(&f, path, &err));
    ERROR_SAYS(tensorfile_floats(out, f, "z.wieght", 2, (size_t[]){2, 3}, &err), ERR_DATA,
               "no tensor named \"z.wieght\" (did you mean \"z.weight\"?)");
    ERROR_SAYS(tensorfile_floats(out, f, "something.else", 1, (size_t[]){1}, &err), ERR_DATA,
               "shapes: no tensor named \"something.else\"");
    ERROR_SAYS(tensorfile_floats(out, f, "z.weight", 2, (size_t[]){3, 0}, &err), ERR_DATA,
               "tensor \"z.weight\": shape [2, 3], expected [3, any]");
    ERROR_SAYS(tensorfile_floats(out, f, "z.weight", 1, (size_t[]){6}, &err), ERR_DATA,
               "shape [2, 3], expected [6]");
    SUCCEEDS(tensorfile_floats(out, f, "z.weight", 2, (size_t[]){0, 3}, &err));
    tensorfile_close(f);
}

static void invalid_names_are_not_written(void **state) {
    (void)state;
    struct tensor_writer *w = NULL;
    char path[SCRATCH_PATH];
    SUCCEEDS(tensor_writer_create(&w, &err));
    SUCCEEDS(tensor_writer_add(w, "a", 1, (size_t[]){1}, WEIGHTS, &err));
    ERROR_SAYS(tensor_writer_add(w, "a", 1, (size_t[]){1}, WEIGHTS, &err), ERR_DATA,
               "tensor \"a\" was added twice");
    ERROR_SAYS(tensor_writer_add(w, "", 1, (size_t[]){1}, WEIGHTS, &err), ERR_DATA, "empty");
    SUCCEEDS(tensor_writer_note(w, "k", "\xff", &err));
    ERROR_SAYS(tensor_writer_note(w, "k", "v", &err), ERR_DATA, "note \"k\" was added twice");
    scratch_path(path, &scratch, "never");
    ERROR_SAYS(tensor_writer_save(w, path, &err), ERR_DATA, "not valid UTF-8");
    assert_false(file_exists(path));
    tensor_writer_destroy(w);
    tensor_writer_destroy(NULL);
}

static void saving_into_a_missing_folder_fails(void **state) {
    (void)state;
    struct tensor_writer *w = NULL;
    char path[SCRATCH_PATH];
    SUCCEEDS(tensor_writer_create(&w, &err));
    scratch_path(path, &scratch, "none/file");
    ERROR_SAYS(tensor_writer_save(w, path, &err), ERR_IO, "cannot create: No such file");
    tensor_writer_destroy(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_written_file_is_read),
        cmocka_unit_test(halves_are_written_beside_floats),
        cmocka_unit_test(the_same_calls_give_the_same_bytes),
        cmocka_unit_test(saving_what_was_read_gives_the_same_bytes),
        cmocka_unit_test(the_header_is_the_documented_one),
        cmocka_unit_test(halves_are_widened_at_any_alignment),
        cmocka_unit_test(absent_or_of_another_shape),
        cmocka_unit_test(invalid_names_are_not_written),
        cmocka_unit_test(saving_into_a_missing_folder_fails),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
