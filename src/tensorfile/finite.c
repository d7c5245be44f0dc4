#include "tensorfile/finite.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "tensorfile/half.h"
#include "tensorfile/tensorfile.h"

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

static enum err_code check_tensor(const struct tensor_info *t, const char *path, struct err *err) {
    for (size_t i = 0; i < t->elements; i++) {
        const float number = number_at(t, i);
        if (!isfinite(number))
            return ERR(err, ERR_DATA,
                       "%s: element %zu of tensor \"%s\" is %g: write the file again", path, i,
                       t->name, (double)number);
    }
    return ERR_OK;
}

enum err_code finite_check(const char *path, struct err *err) {
    enum err_code rc = ERR_OK;
    struct tensorfile *f = NULL;
    TRY(tensorfile_open(&f, path, err));
    for (size_t i = 0; i < tensorfile_count(f); i++)
        TRY(check_tensor(tensorfile_at(f, i), path, err));
cleanup:
    tensorfile_close(f);
    return rc;
}
