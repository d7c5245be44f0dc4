/*
 * choose - keeps the best of several fits that differ in one key, by their validation losses.
 *
 * The jobs are made in run/plan/plan_choices.c: each reads the fits of one group, in the order of
 * the config. Its artifact has the tensors of the chosen fit, so that a job which reads a choice
 * reads it as that fit (run/plan/job_message.c). Of equal losses the first counts. All candidates
 * have to be DONE: if the rest were used where one failed, the choice would depend on more than
 * the job's identity.
 */
#include "stages/choose.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "methods/method.h"
#include "sources/source_registry.h"
#include "stages/choose_rows.h"
#include "stages/stage.h"
#include "tensorfile/tensorfile.h"

static const char *const RULES[] = {"validation", NULL};

static const struct config_key KEYS[] = {
    {
        .name = "key",
        .type = CONFIG_TEXT,
        .unit = "",
        .meaning = "Key of the fits, an axis, whose best value is kept for each combination of the "
                   "other keys.",
    },
    {
        .name = "by",
        .type = CONFIG_NAME,
        .def = "\"validation\"",
        .choices = RULES,
        .unit = "",
        .meaning = "Loss that is compared: that of each fit on its own validation prompts.",
    },
};

ROW_DEFINE(choose_row, CHOOSE_ROW);

static const char CHOSEN[] = "chosen"; /* tensor with the number of the chosen fit */

enum err_code choose_read(size_t *out, const char *artifact, size_t n, struct err *err) {
    enum err_code rc = ERR_OK;
    struct tensorfile *file = NULL;
    const size_t one = 1;
    float chosen = 0;
    TRY(tensorfile_open(&file, artifact, err));
    TRY(tensorfile_floats(&chosen, file, CHOSEN, 1, &one, err));
    CHECK(chosen >= 0 && chosen < (float)n, ERR_DATA, "%s: chose fit %g of %zu", artifact,
          (double)chosen, n);
    *out = (size_t)chosen;
cleanup:
    tensorfile_close(file);
    return rc;
}

/* ---- the choice */

/* The validation loss of the weights that the fit kept: of its own choice, such as a layer. */
static enum err_code read_loss(float *out, const struct job_input *fit, struct err *err) {
    enum err_code rc = ERR_OK;
    struct tensorfile *file = NULL;
    float *losses = NULL, choice = 0;
    const size_t one = 1;
    TRY(tensorfile_open(&file, fit->artifact, err));
    const struct tensor_info *t = tensorfile_find(file, "choice_losses");
    CHECK(t && t->rank == 1 && t->elements > 0, ERR_DATA, "%s: no tensor choice_losses",
          fit->artifact);
    losses = calloc(t->elements, sizeof *losses);
    CHECK(losses, ERR_MEMORY, "no memory for %zu losses", t->elements);
    TRY(tensorfile_floats(losses, file, "choice_losses", 1, t->shape, err));
    TRY(tensorfile_floats(&choice, file, "choice", 1, &one, err));
    CHECK(choice >= 0 && choice < (float)t->elements, ERR_DATA, "%s: choice %g of %zu",
          fit->artifact, (double)choice, t->elements);
    *out = losses[(size_t)choice];
cleanup:
    free(losses);
    tensorfile_close(file);
    return rc;
}

static size_t find_least(const float *losses, size_t n) {
    size_t least = n;
    for (size_t i = 0; i < n; i++)
        if (isfinite(losses[i]) && (least == n || losses[i] < losses[least])) least = i;
    return least;
}

/* ---- results */

/* The value of a key as in a config, names without quotes; nothing where the point lacks it. */
static void add_key_value(struct text *out, const struct config_point *point, const char *key) {
    struct text value = {0};
    for (size_t i = 0; i < config_point_size(point); i++)
        if (strcmp(config_point_key(point, i)->name, key) == 0)
            config_point_value(&value, point, i);
    for (const char *c = text_str(&value); *c; c++)
        if (*c != '"') text_bytes(out, c, 1);
    if (value.failed) out->failed = true;
    text_release(&value);
}

struct choice_texts {
    struct text chosen, values, losses;
};

static enum err_code write_texts(struct choice_texts *t, const struct job_ctx *ctx,
                                 const float *losses, size_t chosen, struct err *err) {
    enum err_code rc = ERR_OK;
    const char *key = config_text(ctx->point, "key");
    add_key_value(&t->chosen, ctx->inputs[chosen].point, key);
    for (size_t i = 0; i < ctx->n_inputs; i++) {
        text_add(&t->values, "%s", i ? ", " : "");
        add_key_value(&t->values, ctx->inputs[i].point, key);
        text_add(&t->losses, "%s%.9g", i ? ", " : "", (double)losses[i]);
    }
    TRY(text_check(&t->chosen, err));
    TRY(text_check(&t->values, err));
    TRY(text_check(&t->losses, err));
cleanup:
    return rc;
}

static enum err_code write_choice_row(struct job_ctx *ctx, const struct choice_texts *t,
                                      const float *losses, size_t chosen, struct err *err) {
    const struct config_point *fit = ctx->inputs[chosen].point;
    const struct params none = {0};
    struct method_setup setup;
    char source[96];
    method_setup_read(&setup, fit, &none);
    source_name(source, sizeof source, fit);
    const struct choose_row row = {
        .method = setup.method->name,
        .reading = method_variant(&setup),
        .source = source,
        .points = config_has(fit, "points") ? config_int(fit, "points") : JOB_NO_INT,
        .repeat = config_int(fit, "repeat"),
        .key = config_text(ctx->point, "key"),
        .chosen = text_str(&t->chosen),
        .validation_loss = (double)losses[chosen],
        .candidates = (int64_t)ctx->n_inputs,
        .values = text_str(&t->values),
        .losses = text_str(&t->losses),
    };
    return choose_row_write(ctx, 0, &row, err);
}

/* The tensors of the chosen fit, and the metadata that says what they are. */
static enum err_code copy_fit(struct job_ctx *ctx, const struct tensorfile *file, struct err *err) {
    enum err_code rc = ERR_OK;
    for (size_t i = 0; i < tensorfile_count(file); i++) {
        const struct tensor_info *t = tensorfile_at(file, i);
        CHECK(t->type == TENSOR_F32 && t->rank <= JOB_TENSOR_RANK, ERR_DATA,
              "%s: %s has %zu dimensions of type %s, not at most %d of type F32",
              tensorfile_path(file), t->name, t->rank, tensor_type_name(t->type), JOB_TENSOR_RANK);
        struct job_tensor copy = {.name = t->name, .rank = t->rank, .data = t->data};
        memcpy(copy.shape, t->shape, t->rank * sizeof *t->shape);
        TRY(job_tensor(ctx, &copy, err));
    }
    const char *about = tensorfile_note(file, "taskvec");
    if (about) TRY(job_note(ctx, "chosen_fit", about, err));
cleanup:
    return rc;
}

static enum err_code write_artifact(struct job_ctx *ctx, const float *losses, size_t chosen,
                                    struct err *err) {
    enum err_code rc = ERR_OK;
    struct tensorfile *file = NULL;
    const float number = (float)chosen;
    const struct job_tensor own[] = {{CHOSEN, 1, {1}, &number},
                                     {"candidate_losses", 1, {ctx->n_inputs}, losses}};
    TRY(tensorfile_open(&file, ctx->inputs[chosen].artifact, err));
    TRY(copy_fit(ctx, file, err));
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) TRY(job_tensor(ctx, &own[i], err));
cleanup:
    tensorfile_close(file);
    return rc;
}

static enum err_code choose_run(struct job_ctx *ctx, struct err *err) {
    enum err_code rc = ERR_OK;
    struct choice_texts texts = {0};
    float *losses = calloc(ctx->n_inputs + 1, sizeof *losses);
    CHECK(losses, ERR_MEMORY, "no memory for %zu losses", ctx->n_inputs);
    for (size_t i = 0; i < ctx->n_inputs; i++) TRY(read_loss(&losses[i], &ctx->inputs[i], err));
    const size_t chosen = find_least(losses, ctx->n_inputs);
    CHECK(chosen < ctx->n_inputs, ERR_NUMERIC, "none of %zu fits has a finite validation loss",
          ctx->n_inputs);
    TRY(write_texts(&texts, ctx, losses, chosen, err));
    TRY(write_choice_row(ctx, &texts, losses, chosen, err));
    TRY(write_artifact(ctx, losses, chosen, err));
    TRY(job_progress(ctx, (double)ctx->n_inputs, (double)ctx->n_inputs, err));
cleanup:
    text_release(&texts.chosen);
    text_release(&texts.values);
    text_release(&texts.losses);
    free(losses);
    return rc;
}

/* A choice reads a few small files. */
static enum err_code choose_plan(struct job_cost *cost, const struct config_point *point,
                                 const char *control, const struct stage_parent *parents, size_t n,
                                 struct err *err) {
    static const double PER_FIT =
        1048576; /* bytes, and the operations that take as long as reading them */
    (void)control, (void)parents, (void)err;
    *cost = (struct job_cost){.load = {.estimates = PER_FIT * (double)n},
                              .memory = PER_FIT * (double)n,
                              .memory_least = PER_FIT * (double)n,
                              .group = 1,
                              .work = (double)n,
                              .unit = "fits"};
    (void)snprintf(cost->summary, sizeof cost->summary, "%.60s of %zu fits",
                   config_text(point, "key"), n);
    return ERR_OK;
}

static const char *const PARENTS[] = {"fit", NULL};

extern const struct stage stage_choose;
const struct stage stage_choose = {
    .name = "choose",
    .meaning = "Keep the fit with the best value of one key, by the validation losses of the fits.",
    .version = 1,
    .parents = PARENTS,
    .keys = KEYS,
    .n_keys = sizeof KEYS / sizeof *KEYS,
    .columns = &choose_row_columns,
    .plan = choose_plan,
    .run = choose_run,
};
