#include "sources/text/text_keys.h"

#include <string.h>

#include "base/file.h"
#include "sources/text/text_source.h"

#define TEXT_ONLY .when = "source.kind=text", .unit = ""

static const char *const FORMS[] = {"forward", "inverse", "bijection", NULL};
static const char *const LABELS[] = {"true", "shuffled", NULL};
static const char *const LONG[] = {"refuse", "drop", NULL};

static const struct config_key ROWS[] = {
    {.name = "source.task",
     .type = CONFIG_TEXT,
     .flags = CONFIG_AXIS | CONFIG_PATH,
     TEXT_ONLY,
     .meaning = "A text task: a JSON list of {\"input\": TEXT, \"output\": TEXT}; or a folder of "
                "such files, whose tasks take turns."},
    {.name = "source.form",
     .type = CONFIG_NAME,
     .flags = CONFIG_AXIS,
     .def = "forward",
     .choices = FORMS,
     TEXT_ONLY,
     .meaning = "The task as its file has it, from answers to inputs, or both united."},
    {.name = "source.template",
     .type = CONFIG_TEXT,
     .flags = CONFIG_AXIS,
     .def = "\"Q: {x}\\nA: {y}\\n\\n\"",
     TEXT_ONLY,
     .meaning = "How a pair is written; a prompt ends before the spaces that precede {y}."},
    {.name = "source.labels",
     .type = CONFIG_NAME,
     .flags = CONFIG_AXIS,
     .def = "true",
     .choices = LABELS,
     TEXT_ONLY,
     .meaning = "Whether shots show their own answers, or each other's in a random order."},
    {.name = "source.bos",
     .type = CONFIG_TEXT,
     .def = "\"auto\"",
     TEXT_ONLY,
     .meaning =
         "Token that begins every prompt, by its text; auto: what the tokenizer says; none."},
    {.name = "source.tokenizer",
     .type = CONFIG_TEXT,
     .flags = CONFIG_PATH | CONFIG_OPTIONAL,
     TEXT_ONLY,
     .meaning = "Folder with the tokenizer, or its tokenizer.json; by default the folder of the "
                "model."},
    {.name = "source.too_long",
     .type = CONFIG_NAME,
     .def = "refuse",
     .choices = LONG,
     TEXT_ONLY,
     .meaning = "What is done about prompts that are longer than the model's positions: refuse "
                "the job before any computation, or drop them."},
};

enum err_code text_source_schema(struct config_schema *out, struct err *err) {
    return config_schema_add(out, ROWS, sizeof ROWS / sizeof *ROWS, err);
}

static enum err_code read_shift(bool *shuffled, const struct config_point *point, struct err *err) {
    const char *shift = config_text(point, "shift");
    *shuffled = strcmp(shift, "shuffled_labels") == 0;
    if (*shuffled || strcmp(shift, "none") == 0) return ERR_OK;
    return config_error(err, point, "shift",
                        "\"%s\" is a shift of functions: text prompts have none and "
                        "shuffled_labels",
                        shift);
}

static const char *text_of(const struct config_point *point, const char *key) {
    return config_has(point, key) ? config_text(point, key) : "";
}

enum err_code text_keys_tokenizer(const char **out, const struct config_point *point,
                                  struct err *err) {
    *out = text_of(point, "source.tokenizer");
    if (**out) return ERR_OK;
    *out = text_of(point, "model.checkpoint");
    if (file_is_folder(*out)) return ERR_OK;
    return config_error(err, point, "source.tokenizer",
                        "text needs a tokenizer: set it, or give model.checkpoint the folder of a "
                        "language model");
}

enum task_form text_keys_form(const struct config_point *point) {
    return (enum task_form)text_index(FORMS, config_text(point, "source.form"));
}

enum err_code text_keys_read(struct text_keys *out, const struct config_point *point, bool shifted,
                             struct err *err) {
    enum err_code rc = ERR_OK;
    struct err why;
    bool relabelled = false;
    *out = (struct text_keys){.task = config_text(point, "source.task"),
                              .bos = config_text(point, "source.bos"),
                              .form = text_keys_form(point),
                              .drop = strcmp(config_text(point, "source.too_long"), "drop") == 0};
    CHECK_CONFIG(prompt_template_read(&out->written, config_text(point, "source.template"), &why) ==
                     ERR_OK,
                 point, "source.template", "%s", why.msg);
    if (shifted) TRY(read_shift(&relabelled, point, err));
    out->shuffled = relabelled || strcmp(config_text(point, "source.labels"), "shuffled") == 0;
    TRY(text_keys_tokenizer(&out->tokenizer, point, err));
cleanup:
    return rc;
}
