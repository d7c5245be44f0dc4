#include "run/verify/verify_file.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "model/hf/hf_weights.h"
#include "run/verify/verify_model.h"

static const char *const PARTS[] = {
    "core",     "grad",      "adam",   "ltv",   "curve",  "fv",        "icv",     "shift",
    "problems", "baselines", "logits", "heads", "hidden", "tokenizer", "methods", NULL};

static bool is_text_model(const struct fixture *f) { return fixture_has(f, "token_ids"); }

static enum err_code compare_file(struct verify_report *r, const struct fixture *f,
                                  struct err *err) {
    if (fixture_has(f, "core") && fixture_has(f, "weights")) return verify_regression(r, f, err);
    if (fixture_has(f, "methods") && fixture_has(f, "weights")) return verify_methods(r, f, err);
    if (is_text_model(f))
        return verify_skip(r, "logits", "token_ids",
                           "of a language model: give the folder that holds its config.json", err);
    if (r->arithmetic != ARITHMETIC_F32)
        return ERR(err, ERR_USAGE, "--arithmetic: %s has no model", fixture_path(f));
    return verify_problems(r, f, err);
}

enum err_code verify_finish(struct text *out, struct verify_report *r, const char *path,
                            const struct verify_request *request, struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(verify_require(r, request->require, PARTS, err));
    if (request->json)
        TRY(verify_print_json(out, r, path, err));
    else
        verify_print(out, r);
    TRY(verify_outcome(r, path, err));
cleanup:
    return rc;
}

static enum err_code collect_file(struct verify_report *r, const char *path, struct err *err) {
    enum err_code rc = ERR_OK;
    struct fixture *f = NULL;
    TRY(fixture_open(&f, path, err));
    TRY(compare_file(r, f, err));
cleanup:
    fixture_close(f);
    return rc;
}

enum err_code verify_file(struct text *out, const char *path, const struct verify_request *request,
                          struct err *err) {
    enum err_code rc = ERR_OK;
    struct verify_report report = {.arithmetic = request->arithmetic};
    TRY(collect_file(&report, path, err));
    TRY(verify_finish(out, &report, path, request, err));
cleanup:
    verify_report_release(&report);
    return rc;
}

static void reference_path(char out[FILE_PATH_MAX], const char *folder) {
    (void)snprintf(out, FILE_PATH_MAX, "%s/expected.h5", folder);
}

bool verify_is_folder(const char *path) {
    char reference[FILE_PATH_MAX];
    reference_path(reference, path);
    return access(reference, F_OK) == 0;
}

/* A file may name the tensors that its numbers are of. */
static enum err_code check_hash(const struct fixture *f, const struct hf_model *model,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    char wanted[HASH_HEX], found[HASH_HEX];
    if (!fixture_has_attribute(f, "tensors_sha256")) return ERR_OK;
    TRY(fixture_text_attribute(wanted, sizeof wanted, f, "tensors_sha256", err));
    tensor_set_hash(found, model->set);
    CHECK(strcmp(wanted, found) == 0, ERR_DATA,
          "%s: its tensors have the SHA-256 %s, but the reference numbers are of %s: another model",
          tensor_set_path(model->set), found, wanted);
cleanup:
    return rc;
}

static enum err_code collect_folder(struct verify_report *r, const char *folder, const char *model,
                                    struct err *err) {
    enum err_code rc = ERR_OK;
    char reference[FILE_PATH_MAX];
    struct fixture *f = NULL;
    struct hf_model read = {0};
    struct params params = {0};
    reference_path(reference, folder);
    TRY(fixture_open(&f, reference, err));
    TRY(hf_model_open(&read, model ? model : folder, err));
    TRY(check_hash(f, &read, err));
    TRY(hf_model_check_finite(&read, err));
    TRY(hf_weights_place(&params, &read, err));
    TRY(verify_use_arithmetic(&params, r, false, err));
    TRY(fixture_has(f, "logits") ? verify_text(r, f, &params, err)
                                 : verify_pretrained(r, f, &params, err));
cleanup:
    params_destroy(&params);
    hf_model_close(&read);
    fixture_close(f);
    return rc;
}

enum err_code verify_folder(struct text *out, const char *folder, const char *model,
                            const struct verify_request *request, struct err *err) {
    enum err_code rc = ERR_OK;
    struct verify_report report = {.arithmetic = request->arithmetic};
    TRY(collect_folder(&report, folder, model, err));
    TRY(verify_finish(out, &report, folder, request, err));
cleanup:
    verify_report_release(&report);
    return rc;
}

enum err_code verify_collect(struct verify_report *r, const char *path, struct err *err) {
    return verify_is_folder(path) ? collect_folder(r, path, NULL, err) : collect_file(r, path, err);
}
