/* prompt_probe CONFIG STAGE [BASIS_POINTS] - prints the text prompts that a job of that stage
 * reads, as JSON, for programs that compute its results in another way: lists of objects with "ids"
 * and "answer". Of a fit, "asked" are the prompts for training and then for validation, "basis"
 * those that go with them, "shuffled", "clean" and "alone" those that weights are derived from,
 * with shuffled labels, with their own, and without shots, "teacher" those with the same questions.
 * Of an evaluation, "asked" are the test items, and "basis", of BASIS_POINTS, go with items that
 * have a vector of their own. 1 with a line on standard error. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sources/source_registry.h"
#include "stages/stage.h"

enum { KINDS = 32 };

struct probe {
    struct config_schema schemas[KINDS];
    const char *names[KINDS];
    struct config *config;
    const struct config_point *point;
};

static const struct config_schema *schema_of(const char *kind, void *context) {
    struct probe *p = context;
    for (size_t i = 0; i < stage_count(); i++)
        if (strcmp(p->names[i], kind) == 0) return &p->schemas[i];
    return NULL;
}

static enum err_code find_point(struct probe *p, const char *path, const char *stage,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    CHECK(stage_count() <= KINDS, ERR_USAGE, "raise KINDS to %zu", stage_count());
    for (size_t i = 0; i < stage_count(); i++) {
        p->names[i] = stage_at(i)->name;
        TRY(stage_schema(&p->schemas[i], stage_at(i), err));
    }
    const struct config_kinds kinds = {p->names, stage_count(), schema_of, p, false};
    TRY(config_open(&p->config, path, NULL, 0, &kinds, err));
    for (size_t s = 0; s < config_stage_count(p->config); s++)
        if (strcmp(config_stage_name(p->config, s), stage) == 0)
            p->point = config_stage_point(p->config, s, 0);
    CHECK(p->point, ERR_USAGE, "%s: no stage %s", path, stage);
cleanup:
    return rc;
}

static void print_ids(const char *name, const uint32_t *ids, size_t n) {
    printf("\"%s\": [", name);
    for (size_t i = 0; i < n; i++) printf("%s%u", i ? ", " : "", ids[i]);
    printf("]");
}

static enum err_code print_prompts(const struct probe *p, const char *name,
                                   const struct source_options *o, size_t n, size_t points,
                                   struct err *err) {
    enum err_code rc = ERR_OK;
    struct source *s = NULL;
    TRY(source_open(&s, p->point, o, err));
    if (o->asked == SOURCE_TEST && n > source_info(s)->answers->samples)
        n = source_info(s)->answers->samples;
    TRY(source_reserve(s, n, points, err));
    const struct prompt_view v = source_draw(s, 0, n);
    TRY(source_status(s, err));
    printf("%s\"%s\": [", strcmp(name, "asked") == 0 ? "" : ",\n", name);
    for (size_t i = 0; i < v.n; i++) {
        printf("%s{", i ? ", " : "");
        print_ids("ids", prompt_view_ids(&v, i), prompt_view_length(&v, i));
        printf(", ");
        print_ids("answer", prompt_view_answer(&v, i), prompt_view_answer_length(&v, i));
        printf("}");
    }
    printf("]");
cleanup:
    source_close(s);
    return rc;
}

static size_t size_at(const struct config_point *point, const char *key) {
    return config_has(point, key) ? (size_t)config_int(point, key) : 0;
}

static enum err_code print_fit(const struct probe *p, struct err *err) {
    enum err_code rc = ERR_OK;
    char split[32];
    const size_t n = size_at(p->point, "prompts"), T0 = size_at(p->point, "basis_points"),
                 points = size_at(p->point, "points");
    const double held = config_float(p->point, "validation") * (double)n;
    struct source_options o = {.seed = config_seed(p->config),
                               .split = split,
                               .asked = SOURCE_TRAIN,
                               .held_from = n - (size_t)(held + 0.5)};
    (void)snprintf(split, sizeof split, "fit/%zu", size_at(p->point, "repeat"));
    TRY(print_prompts(p, "asked", &o, n, points > 0 ? points : T0, err));
    if (size_at(p->point, "teacher_points") > 0) {
        o.clean = true;
        TRY(print_prompts(p, "teacher", &o, n, size_at(p->point, "teacher_points"), err));
        o.clean = false;
    }
    const struct source_options derived = {
        .seed = o.seed, .split = split, .asked = SOURCE_TRAIN, .clean = true};
    TRY(print_prompts(p, "alone", &derived, n, 1, err));
    if (T0 == 0) return rc;
    o.covariates = "basis";
    TRY(print_prompts(p, "basis", &o, n, T0, err));
    TRY(print_prompts(p, "clean", &derived, n, T0, err));
    o = derived;
    o.clean = false;
    o.shuffled = true;
    TRY(print_prompts(p, "shuffled", &o, n, T0, err));
cleanup:
    return rc;
}

static enum err_code print_evaluation(const struct probe *p, size_t T0, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t n = size_at(p->point, "functions");
    struct source_options o = {
        .seed = config_seed(p->config), .split = "test", .asked = SOURCE_TEST, .shifted = true};
    TRY(print_prompts(p, "asked", &o, n, size_at(p->point, "points"), err));
    o.covariates = "basis";
    o.shifted = false;
    if (T0 == 0) return rc;
    TRY(print_prompts(p, "basis", &o, n, T0, err));
cleanup:
    return rc;
}

int main(int argc, char **argv) {
    enum err_code rc = ERR_OK;
    static struct err why, *const err = &why;
    static struct probe p;
    CHECK(argc == 3 || argc == 4, ERR_USAGE, "usage: prompt_probe CONFIG STAGE [BASIS_POINTS]");
    const size_t T0 = argc == 4 ? (size_t)strtoul(argv[3], NULL, 10) : 0;
    TRY(find_point(&p, argv[1], argv[2], err));
    printf("{");
    TRY(config_has(p.point, "functions") ? print_evaluation(&p, T0, err) : print_fit(&p, err));
    printf("}\n");
cleanup:
    if (rc != ERR_OK) fprintf(stderr, "prompt_probe: %s\n", why.msg);
    config_close(p.config);
    for (size_t i = 0; i < stage_count(); i++) config_schema_release(&p.schemas[i]);
    return rc != ERR_OK;
}
