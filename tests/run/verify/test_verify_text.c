/* Folders of language models with reference numbers of PyTorch (../shared/fixtures/text;
 * TASKVEC_FIXTURES names another folder of fixtures, TASKVEC_REQUIRE_FIXTURES=1 makes their absence
 * a failure). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "ops/blas.h"
#include "run/verify/verify_file.h"
#include "twins/error_says.h"
#include "twins/scratch_group.h"

static const char *const FOLDERS[] = {"gpt2_f32", "gpt2_f16",   "gptj_f32",   "gptj_bf16",
                                      "neox_f32", "llama_bf16", "llama3_f32", "qwen2_bf16"};
enum { COUNT = sizeof FOLDERS / sizeof *FOLDERS };

static const char *const PARTS = "core,logits,heads,hidden,ltv,fv";
static struct err err;

static void folder_of(char out[FILE_PATH_MAX], const char *name) {
    const char *fixtures = getenv("TASKVEC_FIXTURES"), *source = getenv("TASKVEC_SOURCE");
    if (fixtures)
        (void)snprintf(out, FILE_PATH_MAX, "%s/text/%s", fixtures, name);
    else
        (void)snprintf(out, FILE_PATH_MAX, "%s/../shared/fixtures/text/%s", source ? source : ".",
                       name);
}

static void need_fixtures(void) {
    const char *required = getenv("TASKVEC_REQUIRE_FIXTURES");
    char folder[FILE_PATH_MAX];
    folder_of(folder, FOLDERS[0]);
    if (verify_is_folder(folder)) return;
    if (required && strcmp(required, "1") == 0) fail_msg("%s: no expected.h5", folder);
    print_message("%s is not there: not compared\n", folder);
    skip();
}

static void every_family_agrees(void **state) {
    (void)state;
    need_fixtures();
    for (size_t i = 0; i < COUNT; i++) {
        struct text report = {0};
        char folder[FILE_PATH_MAX];
        folder_of(folder, FOLDERS[i]);
        if (verify_folder(&report, folder, NULL, &(struct verify_request){.require = PARTS},
                          &err) != ERR_OK)
            fail_msg("%s\n%s", err.msg, text_str(&report));
        text_release(&report);
    }
}

static char *read_file(size_t *size, const char *folder, const char *name) {
    char path[FILE_PATH_MAX + 32];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "re");
    assert_non_null(f);
    char *bytes = malloc(1 << 22);
    assert_non_null(bytes);
    *size = fread(bytes, 1, 1 << 22, f);
    (void)fclose(f);
    return bytes;
}

static void copy_file(const char *folder, const char *name, bool changes) {
    char path[SCRATCH_PATH];
    size_t size;
    char *bytes = read_file(&size, folder, name);
    if (changes) bytes[size - 1] ^= 0x20; /* the exponent of the last weight */
    scratch_write(path, &scratch, name, bytes, size);
    free(bytes);
}

/* A weight that differs is found, and so is a part that the file lacks. */
static void differences_are_found(void **state) {
    (void)state;
    need_fixtures();
    char folder[FILE_PATH_MAX];
    struct text report = {0};
    folder_of(folder, "llama_bf16");
    copy_file(folder, "config.json", false);
    copy_file(folder, "expected.h5", false);
    copy_file(folder, "model.safetensors", true);
    assert_int_equal(verify_folder(&report, scratch.folder, NULL,
                                   &(struct verify_request){.require = NULL}, &err),
                     ERR_DIFFERS);
    text_release(&report);
    assert_int_equal(
        verify_folder(&report, folder, NULL, &(struct verify_request){.require = "core,icv"}, &err),
        ERR_DIFFERS);
    assert_non_null(strstr(text_str(&report), "required, but nothing of it is in the file"));
    text_release(&report);
}

/* The folder of llama_bf16 with another config.json. */
static void put_mistral(const char *folder, const char *members) {
    char path[SCRATCH_PATH], config[4096];
    size_t size;
    char *bytes = read_file(&size, folder, "config.json");
    bytes[size] = '\0';
    char *type = strstr(bytes, "\"model_type\": \"llama\"");
    assert_non_null(type);
    *type = '\0';
    (void)snprintf(config, sizeof config, "%s\"model_type\": \"mistral\", %s%s", bytes, members,
                   strchr(type + 1, ','));
    scratch_write(path, &scratch, "config.json", config, strlen(config));
    free(bytes);
}

static void prompts_longer_than_a_sliding_window_are_refused(void **state) {
    (void)state;
    need_fixtures();
    char folder[FILE_PATH_MAX];
    struct text report = {0};
    folder_of(folder, "llama_bf16");
    copy_file(folder, "expected.h5", false);
    copy_file(folder, "model.safetensors", false);
    put_mistral(folder, "\"sliding_window\": null");
    SUCCEEDS(verify_folder(&report, scratch.folder, NULL,
                           &(struct verify_request){.require = PARTS}, &err));
    text_release(&report);
    put_mistral(folder, "\"sliding_window\": 4");
    ERROR_SAYS(verify_folder(&report, scratch.folder, NULL,
                             &(struct verify_request){.require = PARTS}, &err),
               ERR_DATA, "but a sliding window of 4 tokens is in use");
    text_release(&report);
}

int main(void) {
    blas_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_family_agrees), cmocka_unit_test(differences_are_found),
        cmocka_unit_test(prompts_longer_than_a_sliding_window_are_refused)};
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
