/* A program that was built without the headers of oneDNN refuses every use of it and says what to
 * install; f32 by OpenBLAS works. onednn.c is compiled here as in such a build, in place of the
 * one in the library.
 */
#undef TASKVEC_ONEDNN
#include "ops/onednn.c"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "machine/product_speed.h"
#include "model/model_products.h"
#include "ops/products.h"
#include "twins/error_says.h"

static struct err err;

static void every_arithmetic_is_refused(void **state) {
    (void)state;
    struct products *p = NULL;
    for (int a = 0; a < ARITHMETICS; a++) {
        ERROR_SAYS(products_open(&p, (enum arithmetic)a, &err), ERR_CONFIG, "built without oneDNN");
        assert_null(p);
    }
    products_close(p);
}

static void a_model_stays_in_floats(void **state) {
    (void)state;
    struct params p = {.dims = {.L = 1, .H = 1, .E = 8, .inputs = 2, .positions = 4}};
    const struct model_arithmetic floats = {.arithmetic = ARITHMETIC_F32};
    const struct model_arithmetic library = {.arithmetic = ARITHMETIC_F32, .onednn = true};
    const struct model_arithmetic parts = {.arithmetic = ARITHMETIC_BF16X3};
    SUCCEEDS(model_products_use(&p, &floats, false, &err));
    ERROR_SAYS(model_products_use(&p, &library, false, &err), ERR_CONFIG, "libdnnl-dev");
    ERROR_SAYS(model_products_use(&p, &parts, false, &err), ERR_CONFIG, "libdnnl-dev");
    assert_null(p.products);
}

static void doctor_says_why(void **state) {
    (void)state;
    struct text line = {0};
    product_speed_text(&line);
    assert_non_null(strstr(text_str(&line), "OpenBLAS alone: this program was built without"));
    text_release(&line);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_arithmetic_is_refused),
        cmocka_unit_test(a_model_stays_in_floats),
        cmocka_unit_test(doctor_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
