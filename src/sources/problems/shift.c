#include "sources/problems/shift.h"

#include <assert.h>
#include <string.h>

/* The registry: one line per shift, in the order of help. */
#define SHIFTS(X)                                                                                  \
    X(none)                                                                                        \
    X(skewed)                                                                                      \
    X(half_subspace)                                                                               \
    X(noisy)                                                                                       \
    X(noisy_as_published)                                                                          \
    X(orthogonal)                                                                                  \
    X(random_quadrants)                                                                            \
    X(overlapping)                                                                                 \
    X(scale_x)                                                                                     \
    X(scale_y)                                                                                     \
    X(shuffled_labels)

#define X(name) extern const struct shift shift_##name;
SHIFTS(X)
#undef X

static const struct shift *const ALL[] = {
#define X(name) &shift_##name,
    SHIFTS(X)
#undef X
};
static const char *const NAMES[] = {
#define X(name) #name,
    SHIFTS(X)
#undef X
        NULL,
};
enum { COUNT = sizeof ALL / sizeof *ALL };

size_t shift_count(void) { return COUNT; }

const struct shift *shift_at(size_t i) {
    assert(i < COUNT);
    return ALL[i];
}

const struct shift *shift_find(const char *name) {
    for (size_t i = 0; i < COUNT; i++)
        if (strcmp(ALL[i]->name, name) == 0) return ALL[i];
    return NULL;
}

static const struct config_key ROW = {
    .name = "shift",
    .type = CONFIG_NAME,
    .flags = CONFIG_AXIS,
    .def = "none",
    .choices = NAMES,
    .unit = "",
    .meaning = "Distribution shift of the test prompts; basis prompts stay unshifted.",
};

enum err_code shift_schema(struct config_schema *out, struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(config_schema_add(out, &ROW, 1, err));
    for (size_t i = 0; i < COUNT; i++)
        if (ALL[i]->n_keys > 0) TRY(config_schema_add(out, ALL[i]->keys, ALL[i]->n_keys, err));
cleanup:
    return rc;
}

void shift_setup_read(struct shift_setup *out, const struct config_point *point) {
    const struct shift *s = shift_find(config_text(point, "shift"));
    assert(s); /* the schema admits registered names only */
    *out = (struct shift_setup){.shift = s};
    if (s->level_key) out->level = config_float(point, s->level_key);
    if (s->read) s->read(out, point);
}

size_t shift_points(const struct shift_setup *s, size_t dims, size_t points) {
    return s->shift && s->shift->within_dims && points > dims ? dims : points;
}

const char *shift_name(const struct shift_setup *s) { return s->shift ? s->shift->name : "none"; }

enum err_code shift_check(const struct shift_setup *s, const struct problem_setup *problem,
                          const struct config_point *point, struct err *err) {
    enum err_code rc = ERR_OK;
    CHECK_CONFIG(
        !s->shift || !s->shift->numbers || problem->problem->loss == PROBLEM_SQUARED, point,
        "shift",
        "\"%s\" changes numbers, but the values of %s are signs: remove it from `shift` here",
        s->shift->name, problem->problem->name);
    CHECK_CONFIG(!s->shift || problem->dims >= s->shift->dims_least, point, "shift",
                 "\"%s\" needs %zu dims or more, source.dims is %zu", s->shift->name,
                 s->shift->dims_least, problem->dims);
cleanup:
    return rc;
}

extern const struct shift shift_none;
const struct shift shift_none = {
    .name = "none",
    .meaning = "Test prompts of the training distribution.",
    .paper = "",
};
