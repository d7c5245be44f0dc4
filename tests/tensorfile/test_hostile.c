/* Malformed files: each is refused with one line that names the file and what was found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "tensorfile/tensorfile.h"
#include "twins/error_says.h"
#include "twins/scratch_group.h"

static void refused_bytes(const void *bytes, size_t size, const char *words) {
    struct err err = {0};
    struct tensorfile *f = NULL;
    char path[SCRATCH_PATH];
    scratch_write(path, &scratch, "bad.safetensors", bytes, size);
    ERROR_SAYS(tensorfile_open(&f, path, &err), ERR_DATA, words);
    if (strncmp(err.msg, path, strlen(path)) != 0)
        fail_msg("the message does not open with the path: %s", err.msg);
    assert_null(f);
}

/* A file with this header and `data` zero bytes. */
static void refused(const char *header, size_t data, const char *words) {
    const uint64_t length = strlen(header);
    const size_t size = 8 + length + data;
    char *bytes = calloc(1, size);
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, header, length);
    refused_bytes(bytes, size, words);
    free(bytes);
}

static void refused_length(uint64_t length, size_t size, const char *words) {
    char bytes[64] = {0};
    memcpy(bytes, &length, 8);
    refused_bytes(bytes, size, words);
}

#define T(name, dtype, shape, range)                                                               \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":[" shape "],\"data_offsets\":[" range "]}"

static void bad_lengths(void **state) {
    (void)state;
    refused_length(0, 0, "the file is empty");
    refused_length(0, 7, "7 bytes are too few");
    refused_length(0, 8, "not valid JSON");
    refused_length(1, 8, "a header of 1 bytes does not fit into a file of 8 (is it truncated?)");
    refused_length(57, 64, "does not fit");
    refused_length((16 << 20) + 1, 64, "a header of 16777217 bytes, at most 16777216");
    refused_length(UINT64_MAX, 64, "a header of 18446744073709551615 bytes");
    refused_length(UINT64_MAX - 7, 64, "is it a safetensors file?");
}

static void bad_json(void **state) {
    (void)state;
    refused("{", 0, "not valid JSON");
    refused("[]", 0, "expected an object, received an array");
    refused("{}{}", 0, "end of file expected");
    refused("{" T("a", "F32", "1", "0,4") "," T("a", "F32", "1", "4,8") "}", 8, "duplicate");
    refused("{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F16\"}}", 0, "duplicate");
    refused("{\"a\":[]}", 0, "tensor \"a\": expected an object, received an array");
    refused("{\"a\":{}}", 0, "tensor \"a\": expected a text, received nothing");
    refused("{\"__metadata__\":3}", 0, "__metadata__: expected an object, received 3");
    refused("{\"__metadata__\":{\"k\":3}}", 0, "key \"k\": expected a text, received 3");
    refused("{\"__metadata__\":{\"k\\n\":\"v\"}}", 0, "control character 0x0a");
}

static void bad_names(void **state) {
    (void)state;
    char header[2048];
    char name[601];
    memset(name, 'n', 600);
    name[600] = '\0';
    (void)snprintf(header, sizeof header, "{\"%s\":{}}", name);
    refused(header, 0, "a name of 600 bytes, at most 512");
    refused("{" T("a\\u001bb", "F32", "1", "0,4") "}", 4, "control character 0x1b");
    refused("{" T("a\\u007f", "F32", "1", "0,4") "}", 4, "control character 0x7f");
    refused("{" T("", "F32", "1", "0,4") "}", 4, "must not be empty");
    refused("{" T("a\\u0000b", "F32", "1", "0,4") "}", 4, "not valid JSON");
    refused("{\"\xff\":1}", 4, "not valid JSON");
}

static void bad_types_and_shapes(void **state) {
    (void)state;
    refused("{" T("a", "F31", "1", "0,4") "}", 4, "tensor \"a\": unknown dtype \"F31\"");
    refused("{" T("a", "f32", "1", "0,4") "}", 4, "unknown dtype \"f32\"");
    refused("{\"a\":{\"dtype\":5}}", 0, "expected a text, received 5");
    refused("{" T("a", "F32", "-1", "0,4") "}", 4, "negative number -1");
    refused("{" T("a", "F32", "1.0", "0,4") "}", 4, "expected an integer, received 1");
    refused("{" T("a", "F32", "\"1\"", "0,4") "}", 4, "expected an integer, received \"1\"");
    refused("{" T("a", "F32", "1,1,1,1,1,1,1,1,1", "0,4") "}", 4, "9 dimensions, at most 8");
    refused("{" T("a", "F32", "4294967296,4294967296", "0,0") "}", 0, "does not fit in 64 bits");
    refused("{" T("a", "F32", "4611686018427387904", "0,0") "}", 0, "do not fill");
    refused("{" T("a", "F32", "2", "0,4") "}", 4, "2 elements of F32 do not fill");
    refused("{" T("a", "F32", "", "0,8") "}", 8, "1 elements of F32 do not fill");
    refused("{\"a\":{\"dtype\":\"F32\",\"shape\":3,\"data_offsets\":[0,4]}}", 4,
            "expected an array, received 3");
    refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":1}}", 4,
            "4 entries, expected only");
}

static void bad_ranges(void **state) {
    (void)state;
    refused("{" T("a", "F32", "1", "0") "}", 4, "expected 2 data_offsets, received 1");
    refused("{" T("a", "F32", "1", "4,0") "}", 4, "run backwards: 4 to 0");
    refused("{" T("a", "F32", "1", "-4,0") "}", 4, "negative number -4");
    refused("{" T("a", "F32", "2", "0,8") "}", 4, "end at 8, but the file holds 4 bytes");
    refused("{" T("a", "F32", "1", "9223372036854775800,9223372036854775804") "}", 4,
            "the file holds 4 bytes");
    refused("{" T("a", "F32", "1", "18446744073709551612,0") "}", 4, "too big integer");
    refused("{" T("a", "F32", "2", "0,8") "," T("b", "F32", "2", "4,12") "}", 12,
            "tensor \"b\": starts at 4 and overlaps \"a\"");
    refused("{" T("a", "F32", "1", "0,4") "," T("b", "F32", "1", "0,4") "}", 4, "overlaps \"a\"");
    refused("{" T("a", "F32", "1", "0,4") "," T("b", "F32", "1", "8,12") "}", 12,
            "tensor \"b\": starts at 8 and leaves a gap of 4 bytes");
    refused("{" T("a", "F32", "1", "4,8") "}", 8, "leaves a gap of 4 bytes");
    refused("{" T("a", "F32", "1", "0,4") "}", 9, "5 bytes after the last tensor");
    refused("{}", 3, "3 bytes after the last tensor");
}

static void every_truncation_is_refused(void **state) {
    (void)state;
    const char *header = "{" T("a", "F32", "2", "0,8") "}";
    const uint64_t length = strlen(header);
    char bytes[256] = {0};
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, header, length);
    for (size_t size = 0; size < 8 + length + 8; size++) refused_bytes(bytes, size, "bad.");
}

/* Each byte of a valid header changed in turn: the file is refused or read without a fault (under
 * ASan). */
static void changed_bytes_are_refused_or_read(void **state) {
    (void)state;
    static const char STRANGE[] = {'\0', '"', '}', '9', '\xff'};
    const char *header = "{" T("a", "F32", "2", "0,8") "," T("b", "F16", "2,1", "8,12") "}";
    const uint64_t length = strlen(header);
    struct err err;
    char path[SCRATCH_PATH], bytes[256] = {0};
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, header, length);
    for (size_t i = 0; i < 8 + length; i++)
        for (size_t c = 0; c < sizeof STRANGE; c++) {
            struct tensorfile *f = NULL;
            const char keep = bytes[i];
            bytes[i] = STRANGE[c];
            scratch_write(path, &scratch, "odd", bytes, 8 + length + 12);
            float out[64];
            if (tensorfile_open(&f, path, &err) == ERR_OK && tensorfile_at(f, 0)->elements <= 64)
                (void)tensorfile_floats(out, f, tensorfile_at(f, 0)->name, 1, (size_t[]){0}, &err);
            tensorfile_close(f);
            bytes[i] = keep;
        }
}

static void paths_without_a_regular_file_are_refused(void **state) {
    (void)state;
    struct err err;
    struct tensorfile *f = NULL;
    char path[SCRATCH_PATH];
    scratch_path(path, &scratch, "absent");
    ERROR_SAYS(tensorfile_open(&f, path, &err), ERR_DATA, "absent: cannot open: No such file");
    ERROR_SAYS(tensorfile_open(&f, scratch.folder, &err), ERR_DATA, "not a regular file");
    scratch_path(path, &scratch, "pipe");
    assert_int_equal(mkfifo(path, 0600), 0);
    ERROR_SAYS(tensorfile_open(&f, path, &err), ERR_DATA, "pipe: not a regular file");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_lengths),
        cmocka_unit_test(bad_json),
        cmocka_unit_test(bad_names),
        cmocka_unit_test(bad_types_and_shapes),
        cmocka_unit_test(bad_ranges),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(changed_bytes_are_refused_or_read),
        cmocka_unit_test(paths_without_a_regular_file_are_refused),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
