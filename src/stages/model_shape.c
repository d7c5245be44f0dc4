#include "stages/model_shape.h"

#include <string.h>

#include "model/family.h"
#include "model/hf/hf_shape.h"
#include "sources/source_registry.h"
#include "stages/shared_keys.h"

#define TEXT_ONLY .when = "source.kind=text", .unit = ""

static const char *const ENCODINGS[] = {"learned", "rotary", "none", NULL};

static const struct config_key SHAPE_KEYS[] = {
    {
        .name = "model.layers",
        .type = CONFIG_INT,
        .flags = CONFIG_AXIS,
        .min = 1,
        .max = 1000,
        .def = "6",
        .unit = "",
        .meaning = "Number of transformer blocks.",
    },
    {
        .name = "model.heads",
        .type = CONFIG_INT,
        .flags = CONFIG_AXIS,
        .min = 1,
        .max = 1000,
        .def = "4",
        .unit = "",
        .meaning = "Number of attention heads per block; must divide `model.width`.",
    },
    {
        .name = "model.width",
        .type = CONFIG_INT,
        .flags = CONFIG_AXIS,
        .min = 1,
        .max = 65536,
        .def = "64",
        .unit = "",
        .meaning = "Width of the residual stream.",
    },
    {
        .name = "model.positions",
        .type = CONFIG_INT,
        .min = 2,
        .max = 1e6,
        .def = "96",
        .unit = "tokens",
        .meaning = "Longest sequence the model can read; a point of numbers takes two tokens.",
    },
    {
        .name = "model.position_encoding",
        .type = CONFIG_NAME,
        .flags = CONFIG_AXIS | CONFIG_SINCE,
        .def = "\"learned\"",
        .choices = ENCODINGS,
        .when = "source.kind=functions",
        .unit = "",
        .meaning = "How a model of numbers knows the order of its tokens: by learned vectors, by "
                   "rotation of queries and keys (Su et al. 2021), or by the causal mask alone.",
    },
    {
        .name = "model.rotary_base",
        .type = CONFIG_FLOAT,
        .flags = CONFIG_SINCE,
        .min = 1,
        .max = 1e9,
        .def = "10000.0",
        .unit = "",
        .meaning = "Base of the frequencies of rotary positions.",
    },
    {
        .name = "model.family",
        .type = CONFIG_NAME,
        .flags = CONFIG_AXIS,
        .def = "\"gpt2\"",
        .choices = HF_FAMILY_NAMES,
        TEXT_ONLY,
        .meaning = "Family of a language model, as model_type in its config.json.",
    },
    {
        .name = "model.tied",
        .type = CONFIG_BOOL,
        .flags = CONFIG_AXIS,
        .def = "true",
        TEXT_ONLY,
        .meaning = "Whether the output matrix is the token embedding.",
    },
    {
        .name = "model.mlp_width",
        .type = CONFIG_INT,
        .flags = CONFIG_AXIS,
        .max = 1e6,
        .def = "0",
        TEXT_ONLY,
        .meaning = "Width of the MLP; 0: four times `model.width`.",
    },
    {
        .name = "model.key_heads",
        .type = CONFIG_INT,
        .flags = CONFIG_AXIS,
        .max = 1000,
        .def = "0",
        TEXT_ONLY,
        .meaning = "Number of key-value heads, for families with grouped heads; 0: as many as "
                   "heads.",
    },
};

enum err_code model_shape_schema(struct config_schema *out, struct err *err) {
    return config_schema_add(out, SHAPE_KEYS, sizeof SHAPE_KEYS / sizeof *SHAPE_KEYS, err);
}

/* ---- models of numbers */

static void read_encoding(struct model_dims *d, const struct config_point *point) {
    const char *encoding = config_text(point, "model.position_encoding");
    if (strcmp(encoding, "learned") == 0) return;
    d->family = &family_gpt2_regression_unlearned;
    if (strcmp(encoding, "rotary") == 0)
        d->rotary = (struct rotary_dims){.dims = d->E / d->H,
                                         .base = config_float(point, "model.rotary_base")};
}

static enum err_code read_regression(struct model_dims *d, const struct config_point *point,
                                     struct err *err) {
    *d = (struct model_dims){.L = shared_keys_size(point, "model.layers"),
                             .H = shared_keys_size(point, "model.heads"),
                             .E = shared_keys_size(point, "model.width"),
                             .inputs = source_inputs(point),
                             .positions = shared_keys_size(point, "model.positions"),
                             .epsilon = 1e-5F};
    if (d->E % d->H != 0)
        return config_error(
            err, point, "model.heads",
            "%zu heads do not divide a width of %zu: choose model.width as a multiple", d->H, d->E);
    read_encoding(d, point);
    if (d->rotary.dims % 2 != 0)
        return config_error(err, point, "model.position_encoding",
                            "rotary positions turn pairs of coordinates, but heads have %zu: "
                            "choose model.width as a multiple of %zu",
                            d->rotary.dims, 2 * d->H);
    return ERR_OK;
}

/* ---- language models */

static enum err_code read_shape(struct hf_shape *out, const struct config_point *point,
                                struct err *err) {
    *out = (struct hf_shape){.family = hf_family_find(config_text(point, "model.family")),
                             .layers = shared_keys_size(point, "model.layers"),
                             .heads = shared_keys_size(point, "model.heads"),
                             .width = shared_keys_size(point, "model.width"),
                             .positions = shared_keys_size(point, "model.positions"),
                             .key_heads = shared_keys_size(point, "model.key_heads"),
                             .mlp_width = shared_keys_size(point, "model.mlp_width"),
                             .rotary_base = config_float(point, "model.rotary_base"),
                             .tied = config_bool(point, "model.tied")};
    struct source_tokens tokens;
    const enum err_code rc = source_tokens_of(&tokens, point, err);
    if (rc == ERR_OK) out->vocabulary = tokens.count;
    return rc;
}

static enum err_code read_language_model(struct model_dims *d, const struct config_point *point,
                                         struct err *err) {
    enum err_code rc = ERR_OK;
    struct hf_shape shape;
    struct err why;
    TRY(read_shape(&shape, point, err));
    if (hf_shape_dims(d, &shape, "the model", &why) != ERR_OK)
        return config_error(err, point, "model.family", "%s", why.msg);
cleanup:
    return rc;
}

enum err_code model_shape_read(struct model_dims *out, const struct config_point *point,
                               struct err *err) {
    return source_is_text(point) ? read_language_model(out, point, err)
                                 : read_regression(out, point, err);
}

enum err_code model_shape_config(struct text *out, const struct config_point *point,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    struct hf_shape shape;
    TRY(read_shape(&shape, point, err));
    hf_shape_write(out, &shape);
    TRY(text_check(out, err));
cleanup:
    return rc;
}
