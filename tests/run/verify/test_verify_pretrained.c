/* SmolLM2-135M-Instruct (experiments/text/fetch_smollm2.sh) against
 * ../shared/fixtures/text/smollm2. TASKVEC_SMOLLM2 names the folder of the model; without it, or
 * without the fixture, the comparison is skipped and says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/text.h"
#include "ops/blas.h"
#include "run/verify/verify_file.h"
#include "twins/error_says.h"

static struct err err;

static bool folder_path(char out[FILE_PATH_MAX], const char *name) {
    const char *fixtures = getenv("TASKVEC_FIXTURES"), *source = getenv("TASKVEC_SOURCE");
    if (fixtures)
        (void)snprintf(out, FILE_PATH_MAX, "%s/text/%s", fixtures, name);
    else
        (void)snprintf(out, FILE_PATH_MAX, "%s/../shared/fixtures/text/%s", source ? source : ".",
                       name);
    return file_is_folder(out);
}

static void the_model_has_its_reference_numbers(void **state) {
    (void)state;
    const char *model = getenv("TASKVEC_SMOLLM2");
    char folder[FILE_PATH_MAX];
    struct text report = {0};
    if (!model || !folder_path(folder, "smollm2")) {
        print_message("TASKVEC_SMOLLM2 is not set, or the fixture is not there: not compared\n");
        skip();
    }
    if (verify_folder(&report, folder, model,
                      &(struct verify_request){.require = "core,logits,heads,hidden,ltv,fv"},
                      &err) != ERR_OK)
        fail_msg("%s\n%s", err.msg, text_str(&report));
    text_release(&report);
}

static void another_model_is_refused(void **state) {
    (void)state;
    char folder[FILE_PATH_MAX], other[FILE_PATH_MAX];
    struct text report = {0};
    if (!folder_path(folder, "smollm2") || !folder_path(other, "gpt2_f16")) skip();
    ERROR_SAYS(
        verify_folder(&report, folder, other, &(struct verify_request){.require = NULL}, &err),
        ERR_DATA, "but the reference numbers are of e59996100a2e76b2");
    assert_int_equal(report.size, 0);
}

int main(void) {
    blas_init();
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_model_has_its_reference_numbers),
                                       cmocka_unit_test(another_model_is_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
