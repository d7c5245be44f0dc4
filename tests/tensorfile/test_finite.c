/* Files with and without a NaN or an infinity. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "tensorfile/finite.h"
#include "twins/error_says.h"
#include "twins/scratch_group.h"

static struct err err;

/* A file of one tensor, built here because the writer only writes F32. */
static void save(char path[SCRATCH_PATH], const char *type, size_t n, const void *data,
                 size_t size) {
    char bytes[256], header[128];
    const int length = snprintf(
        header, sizeof header,
        "{\"w\":{\"dtype\":\"%s\",\"shape\":[%zu],\"data_offsets\":[0,%zu]}}", type, n, size);
    const uint64_t prefix = (uint64_t)length;
    memcpy(bytes, &prefix, sizeof prefix);
    memcpy(bytes + 8, header, (size_t)length);
    memcpy(bytes + 8 + length, data, size);
    scratch_write(path, &scratch, "file.safetensors", bytes, 8 + (size_t)length + size);
}

static void finite_numbers_pass(void **state) {
    (void)state;
    char path[SCRATCH_PATH];
    save(path, "F32", 3, (float[]){1e-40F, -3.4e38F, 0}, 12);
    SUCCEEDS(finite_check(path, &err));
    save(path, "F16", 2, (uint16_t[]){0x7bff, 0x8001}, 4); /* the largest, and a subnormal */
    SUCCEEDS(finite_check(path, &err));
    save(path, "BF16", 2, (uint16_t[]){0x7f7f, 0x8001}, 4);
    SUCCEEDS(finite_check(path, &err));
    save(path, "I32", 1, (uint32_t[]){0x7fc00000}, 4); /* as a float it would be a NaN */
    SUCCEEDS(finite_check(path, &err));
}

static void a_nan_or_infinity_is_named(void **state) {
    (void)state;
    char path[SCRATCH_PATH];
    save(path, "F32", 3, (float[]){1, 2, NAN}, 12);
    ERROR_SAYS(finite_check(path, &err), ERR_DATA,
               "file.safetensors: element 2 of tensor \"w\" is nan");
    save(path, "F32", 2, (float[]){-INFINITY, 2}, 8);
    ERROR_SAYS(finite_check(path, &err), ERR_DATA, "element 0 of tensor \"w\" is -inf");
    save(path, "F16", 2, (uint16_t[]){0x3c00, 0x7c00}, 4);
    ERROR_SAYS(finite_check(path, &err), ERR_DATA, "element 1 of tensor \"w\" is inf");
    save(path, "BF16", 2, (uint16_t[]){0x7f80, 0x3c00}, 4);
    ERROR_SAYS(finite_check(path, &err), ERR_DATA, "element 0 of tensor \"w\" is inf");
    scratch_path(path, &scratch, "absent.safetensors");
    ERROR_SAYS(finite_check(path, &err), ERR_DATA, "absent.safetensors");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(finite_numbers_pass),
                                       cmocka_unit_test(a_nan_or_infinity_is_named)};
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
