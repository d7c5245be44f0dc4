#include "tensorfile/finite.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "tensorfile/half.h"

enum { BLOCK = 1 << 14 }; /* elements between two looks at the result */

/* Element i as a float; 0 for types that cannot hold a NaN or an infinity. */
static float number_at(const struct tensor_info *t, size_t i) {
    const unsigned char *at = (const unsigned char *)t->data + i * tensor_type_size(t->type);
    float whole;
    uint16_t half;
    switch (t->type) {
    case TENSOR_F32:
        memcpy(&whole, at, sizeof whole);
        return whole;
    case TENSOR_F16:
        memcpy(&half, at, sizeof half);
        return half_widen(half);
    case TENSOR_BF16:
        memcpy(&half, at, sizeof half);
        return half_widen_bfloat(half);
    default:
        return 0;
    }
}

/* A float is finite unless all bits of its exponent are set: integer tests, which compilers
 * vectorise. n elements from `at` on, which may be unaligned. */
static bool words_are_finite(const unsigned char *at, size_t n) {
    uint32_t bad = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, at + 4 * i, sizeof bits);
        bad |= (bits & 0x7f800000U) == 0x7f800000U;
    }
    return bad == 0;
}

static bool halves_are_finite(const unsigned char *at, size_t n, uint16_t exponent) {
    uint16_t bad = 0;
    for (size_t i = 0; i < n; i++) {
        uint16_t bits;
        memcpy(&bits, at + 2 * i, sizeof bits);
        bad |= (uint16_t)((bits & exponent) == exponent);
    }
    return bad == 0;
}

static bool block_is_finite(const struct tensor_info *t, size_t begin, size_t n) {
    const unsigned char *at = (const unsigned char *)t->data + begin * tensor_type_size(t->type);
    switch (t->type) {
    case TENSOR_F32:
        return words_are_finite(at, n);
    case TENSOR_F16:
        return halves_are_finite(at, n, 0x7c00);
    case TENSOR_BF16:
        return halves_are_finite(at, n, 0x7f80);
    default:
        return true;
    }
}

enum err_code finite_check_tensor(const struct tensor_info *t, const char *path, struct err *err) {
    for (size_t i = 0, n; i < t->elements; i += n) {
        n = t->elements - i < BLOCK ? t->elements - i : BLOCK;
        if (block_is_finite(t, i, n)) continue;
        while (isfinite(number_at(t, i))) i++;
        return ERR(err, ERR_DATA, "%s: element %zu of tensor \"%s\" is %g: write the file again",
                   path, i, t->name, text_nan((double)number_at(t, i)));
    }
    return ERR_OK;
}

enum err_code finite_check(const char *path, struct err *err) {
    enum err_code rc = ERR_OK;
    struct tensorfile *f = NULL;
    TRY(tensorfile_open(&f, path, err));
    for (size_t i = 0; i < tensorfile_count(f); i++)
        TRY(finite_check_tensor(tensorfile_at(f, i), path, err));
cleanup:
    tensorfile_close(f);
    return rc;
}
