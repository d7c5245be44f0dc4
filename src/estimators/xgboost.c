/*
 * Boosted trees of the XGBoost library (Chen and Guestrin, KDD 2016), trained from scratch for
 * every k with the library's defaults: 100 rounds, depth 6, step 0.3, base score 0.5. Settings
 * whose defaults differ between versions (base score, tree method) are set here. Baseline of Garg
 * et al., NeurIPS 2022. A build without the library registers the estimator as absent.
 */
#include "estimators/estimator.h"

#ifdef TASKVEC_XGBOOST
#include <math.h>
#include <stdio.h>

#include <xgboost/c_api.h>

#define ABSENT NULL

static enum err_code failed(struct err *err) {
    return ERR(err, ERR_NUMERIC, "xgboost: %s", XGBGetLastError());
}

#define TRY_XGBOOST(call)                                                                          \
    do {                                                                                           \
        if ((call) != 0) {                                                                         \
            rc = failed(err);                                                                      \
            goto cleanup;                                                                          \
        }                                                                                          \
    } while (0)

static enum err_code set_up(BoosterHandle booster, size_t depth, struct err *err) {
    enum err_code rc = ERR_OK;
    char text[32];
    (void)snprintf(text, sizeof text, "%zu", depth);
    static const char *const SETTINGS[][2] = {
        {"objective", "reg:squarederror"},
        {"base_score", "0.5"},
        {"tree_method", "exact"},
        {"nthread", "1"},
        {"verbosity", "0"},
    };
    for (size_t i = 0; i < sizeof SETTINGS / sizeof *SETTINGS; i++)
        TRY_XGBOOST(XGBoosterSetParam(booster, SETTINGS[i][0], SETTINGS[i][1]));
    TRY_XGBOOST(XGBoosterSetParam(booster, "max_depth", text));
cleanup:
    return rc;
}

static enum err_code xgboost_predict(double *y, const struct estimator_setup *s,
                                     const struct estimator_prompt *p, size_t k, void *state,
                                     struct err *err) {
    enum err_code rc = ERR_OK;
    DMatrixHandle examples = NULL, query = NULL;
    BoosterHandle booster = NULL;
    const float missing = NAN; /* no x of a prompt is NaN */
    bst_ulong n;
    const float *out;
    (void)state;
    TRY_XGBOOST(XGDMatrixCreateFromMat(p->x, k, p->dims, missing, &examples));
    TRY_XGBOOST(XGDMatrixSetFloatInfo(examples, "label", p->y, k));
    TRY_XGBOOST(XGDMatrixCreateFromMat(p->query + k * p->dims, 1, p->dims, missing, &query));
    TRY_XGBOOST(XGBoosterCreate(&examples, 1, &booster));
    TRY(set_up(booster, s->size, err));
    for (size_t i = 0; i < s->steps; i++)
        TRY_XGBOOST(XGBoosterUpdateOneIter(booster, (int)i, examples));
    TRY_XGBOOST(XGBoosterPredict(booster, query, 0, 0, 0, &n, &out));
    *y = (double)out[0];
cleanup:
    if (booster) (void)XGBoosterFree(booster);
    if (query) (void)XGDMatrixFree(query);
    if (examples) (void)XGDMatrixFree(examples);
    return rc;
}

#else
#define ABSENT                                                                                     \
    "install libxgboost-dev, or name its prefix in CMAKE_PREFIX_PATH, and configure again"

static enum err_code xgboost_predict(double *y, const struct estimator_setup *s,
                                     const struct estimator_prompt *p, size_t k, void *state,
                                     struct err *err) {
    (void)y, (void)p, (void)k, (void)state;
    return estimator_check(s->estimator, err);
}
#endif

/* About fifty operations per example, coordinate and round, plus the set-up of a booster. */
static double xgboost_flops(const struct estimator_setup *s, size_t k, size_t dims) {
    return (double)s->steps * (12 * (double)k * (double)dims + 2.5e4);
}

static void xgboost_read(struct estimator_setup *s, const struct config_point *point) {
    s->steps = (size_t)config_int(point, "xgboost.rounds");
    s->size = (size_t)config_int(point, "xgboost.depth");
}

static const struct config_key KEYS[] = {
    {.name = "xgboost.rounds",
     .type = CONFIG_INT,
     .flags = CONFIG_AXIS,
     .min = 1,
     .max = 1e5,
     .def = "100",
     .when = "estimator=xgboost",
     .unit = "",
     .meaning = "Number of trees."},
    {.name = "xgboost.depth",
     .type = CONFIG_INT,
     .flags = CONFIG_AXIS,
     .min = 1,
     .max = 30,
     .def = "6",
     .when = "estimator=xgboost",
     .unit = "",
     .meaning = "Maximum depth of a tree."},
};

extern const struct estimator estimator_xgboost;
const struct estimator estimator_xgboost = {
    .name = "xgboost",
    .meaning = "Boosted trees; needs a build with the XGBoost library.",
    .paper = "Chen and Guestrin 2016",
    .absent = ABSENT,
    .keys = KEYS,
    .n_keys = sizeof KEYS / sizeof *KEYS,
    .read = xgboost_read,
    .flops = xgboost_flops,
    .predict = xgboost_predict,
};
