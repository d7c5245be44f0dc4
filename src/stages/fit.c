/*
 * fit - learns or derives the weights of a task-vector method on a frozen model.
 *
 * The procedure of Saglam et al., arXiv:2502.05390: the loss at the last query of prompts of one
 * length, with the vector made from the first T0 points of the same prompt, and early stopping on a
 * held-out part of the prompts. This file has the keys and the registry entry; fit_keys.c reads the
 * keys, fit_plan.c checks them, fit_run.c and fit_derived.c compute.
 */
#include "stages/fit_keys.h"
#include "stages/fit_plan.h"
#include "stages/fit_recipes.h"
#include "stages/fit_rows.h"
#include "stages/fit_run.h"
#include "stages/shared_keys.h"

static const char *const BASES[] = {"prompt", "mean", NULL};
static const char *const RULES[] = {"consecutive", "cumulative", NULL};
static const char *const LOSSES[] = {"huber", "squared", NULL};
static const char *const ANSWERS[] = {"all", "first", NULL};
static const char *const TEXT_LOSSES[] = {"cross_entropy", "kl_to_icl", NULL};

static const struct config_key KEYS[] = {
    {
        .name = "points",
        .type = CONFIG_INT,
        .flags = CONFIG_AXIS,
        .min = 1,
        .max = 1e6,
        .unit = "points",
        .meaning = "Points per training prompt; the loss is taken at the last one.",
    },
    {
        .name = "lengths",
        .type = CONFIG_INT,
        .flags = CONFIG_LIST | CONFIG_AXIS,
        .min = 1,
        .max = 1e6,
        .def = "[]",
        .when = "source.kind=functions",
        .unit = "points",
        .meaning = "Prompt lengths whose mean loss is minimised; [] means `points` alone.",
    },
    {
        .name = "repeat",
        .type = CONFIG_INT,
        .flags = CONFIG_AXIS,
        .max = 1e6,
        .def = "0",
        .unit = "",
        .meaning = "Number of the repetition; each has its own weights, order and prompts.",
    },
    {
        .name = "basis",
        .type = CONFIG_NAME,
        .flags = CONFIG_AXIS,
        .def = "\"prompt\"",
        .choices = BASES,
        .unit = "",
        .meaning = "Whether the basis is each prompt's own or the training-set mean.",
    },
    {
        .name = "basis_points",
        .type = CONFIG_INT,
        .flags = CONFIG_AXIS,
        .max = 1e6,
        .def = "0",
        .unit = "points",
        .meaning = "Point T0 of the basis; 0 means the model's trained length.",
    },
    {
        .name = "prompts",
        .type = CONFIG_INT,
        .flags = CONFIG_AXIS,
        .min = 2,
        .max = 1e8,
        .def = "6000",
        .unit = "prompts",
        .meaning = "Number of prompts for training and validation together.",
    },
    {
        .name = "validation",
        .type = CONFIG_FLOAT,
        .max = 1,
        .def = "0.2",
        .unit = "",
        .meaning = "Fraction of the prompts, from the end, used for early stopping.",
    },
    {
        .name = "batch",
        .type = CONFIG_INT,
        .min = 1,
        .max = 1e6,
        .def = "256",
        .unit = "prompts",
        .meaning = "Number of prompts in each update.",
    },
    {
        .name = "epochs",
        .type = CONFIG_INT,
        .max = 1e6,
        .def = "100",
        .unit = "",
        .meaning = "Maximum number of epochs; 0 keeps the initial weights.",
    },
    {
        .name = "weights",
        .type = CONFIG_TEXT,
        .flags = CONFIG_AXIS | CONFIG_PATH | CONFIG_OPTIONAL,
        .unit = "",
        .meaning = "Safetensors file of initial `weights`; \"\" or absent: random.",
    },
    {
        .name = "patience",
        .type = CONFIG_INT,
        .max = 1e6,
        .def = "7",
        .unit = "epochs",
        .meaning = "Epochs without lower validation loss that end a fit; 0: never.",
    },
    {
        .name = "patience_rule",
        .type = CONFIG_NAME,
        .def = "\"consecutive\"",
        .choices = RULES,
        .unit = "",
        .meaning = "Count epochs without improvement in a row, or in total (published).",
    },
    {
        .name = "loss",
        .type = CONFIG_NAME,
        .def = "\"huber\"",
        .choices = LOSSES,
        .when = "source.kind=functions",
        .unit = "",
        .meaning = "Loss between the prediction and y.",
    },
    {
        .name = "answer",
        .type = CONFIG_NAME,
        .flags = CONFIG_AXIS,
        .def = "\"all\"",
        .choices = ANSWERS,
        .when = "source.kind=text",
        .unit = "",
        .meaning = "Whose cross entropy is minimised: all tokens of the answer, or the first.",
    },
    {
        .name = "delta",
        .type = CONFIG_FLOAT,
        .min = 1e-9,
        .max = 1e9,
        .def = "1.0",
        .when = "loss=huber",
        .unit = "",
        .meaning = "Error above which the Huber loss becomes linear.",
    },
    {
        .name = "shards",
        .type = CONFIG_INT,
        .min = 1,
        .max = 4096,
        .def = "1",
        .unit = "",
        .meaning = "Number of parts of the prompts; a group has at most as many ranks.",
    },
    {
        .name = "group",
        .type = CONFIG_INT,
        .flags = CONFIG_SILENT,
        .min = 1,
        .max = 4096,
        .def = "1",
        .unit = "ranks",
        .meaning = "Number of ranks that work on one job together.",
    },
    {
        .name = "checkpoint_every",
        .type = CONFIG_INT,
        .flags = CONFIG_SILENT,
        .min = 1,
        .max = 1e6,
        .def = "20",
        .unit = "epochs",
        .meaning = "Epochs between two checkpoints.",
    },
    {
        .name = "validate_every",
        .type = CONFIG_INT,
        .flags = CONFIG_SINCE,
        .max = 1e9,
        .def = "0",
        .when = "optimiser.name=adam",
        .unit = "updates",
        .meaning =
            "Updates of an epoch, after which follows a validation; 0 means one pass over the "
            "training prompts.",
    },
    {
        .name = "basis_prompts",
        .type = CONFIG_INT,
        .flags = CONFIG_AXIS | CONFIG_SINCE,
        .max = 1e8,
        .def = "0",
        .when = "basis=mean",
        .unit = "prompts",
        .meaning = "Number of training prompts, from the first, whose mean is the basis; 0 means "
                   "all.",
    },
    {
        .name = "text_loss",
        .type = CONFIG_NAME,
        .flags = CONFIG_AXIS | CONFIG_SINCE,
        .def = "\"cross_entropy\"",
        .choices = TEXT_LOSSES,
        .when = "source.kind=text",
        .unit = "",
        .meaning = "Cross entropy of true answers, or KL divergence of the next token from that of "
                   "the model itself after the clean shots of a prompt with the same question, "
                   "without labels.",
    },
    {
        .name = "teacher_points",
        .type = CONFIG_INT,
        .flags = CONFIG_AXIS | CONFIG_SINCE,
        .min = 2,
        .max = 1e6,
        .def = "11",
        .when = "text_loss=kl_to_icl",
        .unit = "points",
        .meaning = "Points of that prompt: its shots and the query.",
    },
    {
        .name = "label_weight",
        .type = CONFIG_FLOAT,
        .flags = CONFIG_AXIS | CONFIG_SINCE,
        .max = 1e6,
        .def = "0.0",
        .when = "text_loss=kl_to_icl",
        .unit = "",
        .meaning = "Factor of the cross entropy of true answers that is added to the divergence; 0 "
                   "reads no labels.",
    },
    {
        .name = "recipe",
        .type = CONFIG_NAME,
        .flags = CONFIG_SILENT,
        .def = "none",
        .choices = FIT_RECIPES,
        .unit = "",
        .meaning = "Published procedure, as defaults of the other keys.",
    },
    {
        .name = "choice_points",
        .type = CONFIG_INT,
        .flags = CONFIG_AXIS | CONFIG_SINCE,
        .max = 1e6,
        .def = "0",
        .unit = "points",
        .meaning = "Points of the prompts of functions by which `fv` chooses; 0: basis.",
    },
};

ROW_DEFINE(fit_row, FIT_ROW);

static const char *const PARENTS[] = {"pretrain", "universal", NULL};
static const char *const CONTEXT_KEYS[] = {"source.", "repeat",   "points",     "prompts",
                                           "shards",  "contexts", "arithmetic", NULL};

extern const struct stage stage_fit;
const struct stage stage_fit = {
    .name = "fit",
    .meaning =
        "Learn or derive a task vector on a frozen model; validation may choose its layer or "
        "penalty.",
    .version = 7,
    .uses = STAGE_USES_MODEL | STAGE_USES_SOURCE | STAGE_USES_METHODS | STAGE_USES_OPTIMISER |
            STAGE_USES_LBFGS | STAGE_USES_CONTEXTS,
    .parents = PARENTS,
    .context_keys = CONTEXT_KEYS,
    .keys = KEYS,
    .n_keys = sizeof KEYS / sizeof *KEYS,
    .recipes = FIT_RECIPE_KEYS,
    .reader = "method",
    .setting = "source.kind",
    .reads = fit_keys_read_by,
    .columns = &fit_row_columns,
    .plan = fit_plan,
    .run = fit_stage_run,
};
