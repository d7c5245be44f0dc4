/*
 * noisy: y becomes c (y + sigma eps) with eps ~ N(0, 1), the query included; c keeps E[y^2].
 * Garg et al., NeurIPS 2022, section 4, who compute c from the sample of a batch.
 *
 * noisy_as_published: no noise, but functions that do not match those of the basis prompts. This
 * is the evaluation published by Saglam et al. (arXiv:2502.05390) as noisy regression.
 */
#include <math.h>
#include <string.h>

#include "sources/problems/shift.h"

enum { NOISY_EXPECTED, NOISY_KEPT };
static const char *const RENORMALISE[] = {"expected", "none", NULL};

static const struct config_key KEYS[] = {
    {
        .name = "noisy.sigma",
        .type = CONFIG_FLOAT,
        .flags = CONFIG_AXIS,
        .min = 0,
        .max = 1e6,
        .def = "1.0",
        .when = "shift=noisy",
        .unit = "",
        .meaning = "Standard deviation of the noise added to y.",
    },
    {
        .name = "noisy.renormalise",
        .type = CONFIG_NAME,
        .def = "expected",
        .choices = RENORMALISE,
        .when = "shift=noisy",
        .unit = "",
        .meaning = "Whether noisy values of y are scaled back to the problem's E[y^2].",
    },
};

static void noisy_read(struct shift_setup *s, const struct config_point *point) {
    const char *rule = config_text(point, "noisy.renormalise");
    s->variant = strcmp(rule, RENORMALISE[NOISY_EXPECTED]) == 0 ? NOISY_EXPECTED : NOISY_KEPT;
}

/* The expectation of the published factor, which is computed over a batch: here a prompt must not
 * depend on the other prompts of a batch. */
static double factor_of(const struct shift_prompt *p) {
    const double variance = problem_variance(p->problem), sigma = p->setup->level;
    return p->setup->variant == NOISY_EXPECTED ? sqrt(variance / (variance + sigma * sigma)) : 1;
}

static void noisy_values(const struct shift_prompt *p) {
    const double factor = factor_of(p);
    for (size_t i = 0; i < p->points; i++) {
        float eps;
        rng_normals(&eps, 1, &p->stream, p->sample, i);
        p->y[i] = (float)(factor * ((double)p->y[i] + p->setup->level * (double)eps));
    }
}

extern const struct shift shift_noisy, shift_noisy_as_published;
const struct shift shift_noisy = {
    .name = "noisy",
    .meaning = "Noise is added to every y, including the query's, and E[y^2] is preserved.",
    .paper = "Garg et al., NeurIPS 2022",
    .keys = KEYS,
    .n_keys = sizeof KEYS / sizeof *KEYS,
    .level_key = "noisy.sigma",
    .read = noisy_read,
    .noise = true,
    .numbers = true,
    .values = noisy_values,
};
const struct shift shift_noisy_as_published = {
    .name = "noisy_as_published",
    .meaning = "No noise, but a function other than that of the basis, as in the published noisy "
               "evaluation.",
    .paper = "Saglam et al., arXiv:2502.05390",
    .function = "noisy_as_published",
};
