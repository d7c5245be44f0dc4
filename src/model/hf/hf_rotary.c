#include "model/hf/hf_rotary.h"

#include <stdio.h>
#include <string.h>

#include "tensorfile/tensor_name.h"

static const struct hf_key BASE = {{{NULL, "rope_theta"},
                                    {NULL, "rotary_emb_base"},
                                    {"rope_parameters", "rope_theta"},
                                    {"rope_scaling", "rope_theta"}}};
static const struct hf_key KIND = {{{"rope_scaling", "rope_type"},
                                    {"rope_scaling", "type"},
                                    {"rope_parameters", "rope_type"},
                                    {"rope_parameters", "type"}}};
static const struct hf_key FACTOR = {{{"rope_scaling", "factor"}, {"rope_parameters", "factor"}}};
static const struct hf_key LOW = {
    {{"rope_scaling", "low_freq_factor"}, {"rope_parameters", "low_freq_factor"}}};
static const struct hf_key HIGH = {
    {{"rope_scaling", "high_freq_factor"}, {"rope_parameters", "high_freq_factor"}}};
static const struct hf_key ORIGINAL = {{{"rope_scaling", "original_max_position_embeddings"},
                                        {"rope_parameters", "original_max_position_embeddings"},
                                        {NULL, "original_max_position_embeddings"}}};
static const struct hf_key COUNT = {{{NULL, "rotary_dim"}}};
static const struct hf_key FRACTION = {{{NULL, "rotary_pct"},
                                        {NULL, "partial_rotary_factor"},
                                        {"rope_parameters", "partial_rotary_factor"},
                                        {"rope_scaling", "partial_rotary_factor"}}};

enum { FACTOR_MOST = 1000000 };

/* ---- the kind of scaling */

static enum err_code read_kind(enum rotary_scaling *out, const struct hf_source *s,
                               struct err *err) {
    enum err_code rc = ERR_OK;
    char place[HF_PLACE], shown[JSON_SHOWN];
    struct json value;
    const char *kind = "default";
    TRY(hf_find(&value, place, s, &KIND, err));
    json_show(shown, value);
    if (json_kind(value) != JSON_KIND_ABSENT) TRY(json_read_text(&kind, value, place, err));
    if (strcmp(kind, "default") == 0)
        *out = ROTARY_PLAIN;
    else if (strcmp(kind, "linear") == 0)
        *out = ROTARY_LINEAR;
    else if (strcmp(kind, "llama3") == 0)
        *out = ROTARY_LLAMA3;
    else
        rc = ERR(err, ERR_DATA,
                 "%s: %s is not computed (default, linear and llama3 are): use a model without it",
                 place, shown);
cleanup:
    return rc;
}

/* A section must be an object of known keys: an unknown one might change the angles. */
static enum err_code check_section(const struct hf_source *s, const char *section,
                                   struct err *err) {
    static const char *const KNOWN[] = {"rope_theta",
                                        "rope_type",
                                        "type",
                                        "factor",
                                        "low_freq_factor",
                                        "high_freq_factor",
                                        "original_max_position_embeddings",
                                        "partial_rotary_factor"};
    enum err_code rc = ERR_OK;
    char place[HF_PLACE], shown[NAME_SHOWN];
    const struct json object = json_member(s->root, section);
    if (json_kind(object) == JSON_KIND_ABSENT || json_kind(object) == JSON_KIND_NULL) return ERR_OK;
    (void)snprintf(place, sizeof place, "%.700s: %s", s->place, section);
    TRY(json_expect(object, JSON_KIND_OBJECT, place, err));
    for (struct json_walk w = {.object = object}; json_next(&w);) {
        bool known = json_kind(w.value) == JSON_KIND_NULL;
        for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++)
            known |= strcmp(KNOWN[i], w.key) == 0;
        tensor_name_show(shown, w.key);
        CHECK(known, ERR_DATA, "%s: unknown setting %s: its effect is not computed", place, shown);
    }
cleanup:
    return rc;
}

static enum err_code refuse_given(const struct hf_source *s, const struct hf_key *key,
                                  const char *why, struct err *err) {
    enum err_code rc = ERR_OK;
    char place[HF_PLACE], shown[JSON_SHOWN];
    struct json value;
    TRY(hf_find(&value, place, s, key, err));
    json_show(shown, value);
    CHECK(json_kind(value) == JSON_KIND_ABSENT, ERR_DATA, "%s: %s, but %s", place, shown, why);
cleanup:
    return rc;
}

static enum err_code read_scaling(struct rotary_dims *r, const struct hf_source *s,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    if (r->scaling == ROTARY_PLAIN)
        return refuse_given(s, &FACTOR, "the scaling is not said: add rope_type", err);
    TRY(hf_read_real(&r->factor, s, &FACTOR, 1, FACTOR_MOST, HF_REQUIRED, err));
    if (r->scaling == ROTARY_LINEAR) return ERR_OK;
    TRY(hf_read_real(&r->low, s, &LOW, 1e-6, FACTOR_MOST, HF_REQUIRED, err));
    TRY(hf_read_real(&r->high, s, &HIGH, 1e-6, FACTOR_MOST, HF_REQUIRED, err));
    CHECK(r->low < r->high, ERR_DATA,
          "%s: low_freq_factor is %g and high_freq_factor %g: the first "
          "must be the smaller",
          s->place, r->low, r->high);
    TRY(hf_read_size(&r->original, s, &ORIGINAL, HF_POSITIONS_MOST, HF_REQUIRED, err));
cleanup:
    return rc;
}

/* ---- the coordinates that turn */

static enum err_code read_dims(struct rotary_dims *r, const struct hf_source *s,
                               const struct hf_family *family, size_t D, struct err *err) {
    enum err_code rc = ERR_OK;
    double fraction = 1;
    char place[HF_PLACE];
    struct json given;
    TRY(hf_find(&given, place, s, &FRACTION, err));
    if (family->rotary == HF_ROTARY_COUNT)
        TRY(hf_read_size(&r->dims, s, &COUNT, D, (size_t)family->rotary_default, err));
    else if (family->rotary == HF_ROTARY_FRACTION)
        TRY(hf_read_real(&fraction, s, &FRACTION, 0, 1, family->rotary_default, err));
    else if (json_kind(given) != JSON_KIND_ABSENT)
        TRY(hf_read_real(&fraction, s, &FRACTION, 1, 1, HF_REQUIRED, err));
    if (family->rotary != HF_ROTARY_COUNT) r->dims = (size_t)((double)D * fraction);
    CHECK(r->dims > 0 && r->dims <= D && r->dims % 2 == 0, ERR_DATA,
          "%s: %zu of the %zu coordinates of a head would turn, expected an even number above 0",
          s->place, r->dims, D);
cleanup:
    return rc;
}

static enum err_code read_fixed(struct rotary_dims *r, const struct hf_source *s,
                                const char *model_type, struct err *err) {
    enum err_code rc = ERR_OK;
    double base = 0;
    TRY(hf_read_real(&base, s, &BASE, 10000, 10000, 10000, err));
    CHECK(r->scaling == ROTARY_PLAIN, ERR_DATA, "%s: rope_scaling: a %s has none", s->place,
          model_type);
cleanup:
    return rc;
}

static enum err_code refuse_rotary(const struct hf_source *s, const char *model_type,
                                   struct err *err) {
    enum err_code rc = ERR_OK;
    char why[128];
    (void)snprintf(why, sizeof why, "a %s has no rotary positions", model_type);
    TRY(refuse_given(s, &BASE, why, err));
    TRY(refuse_given(s, &KIND, why, err));
    TRY(refuse_given(s, &FACTOR, why, err));
cleanup:
    return rc;
}

enum err_code hf_rotary_read(struct rotary_dims *out, const struct hf_source *s,
                             const struct hf_family *family, size_t head_width, struct err *err) {
    enum err_code rc = ERR_OK;
    struct rotary_dims r = {0};
    if (family->rotary == HF_ROTARY_NONE) return refuse_rotary(s, family->model_type, err);
    TRY(read_kind(&r.scaling, s, err));
    TRY(check_section(s, "rope_scaling", err));
    TRY(check_section(s, "rope_parameters", err));
    TRY(read_dims(&r, s, family, head_width, err));
    r.base = 10000;
    if (family->scales)
        TRY(hf_read_real(&r.base, s, &BASE, 2, 1e12, r.base, err));
    else
        TRY(read_fixed(&r, s, family->model_type, err));
    TRY(read_scaling(&r, s, err));
    *out = r;
cleanup:
    return rc;
}
