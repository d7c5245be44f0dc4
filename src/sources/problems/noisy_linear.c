/* y = w.x + noise with w ~ N(0, I). The noise is drawn with the prompts (prompts.c), so a function
 * has the parameters of `linear`. */
#include "sources/problems/linear_functions.h"

static const char *const RENORMALISE[] = {"none", "batch", NULL};

static const struct config_key KEYS[] = {
    {.name = "source.noise",
     .type = CONFIG_FLOAT,
     .flags = CONFIG_AXIS,
     .min = 0,
     .max = 1e6,
     .def = "1.0",
     .when = "source.problem=noisy_linear",
     .unit = "",
     .meaning = "Standard deviation of the noise added to y."},
    {.name = "source.renormalise",
     .type = CONFIG_NAME,
     .def = "none",
     .choices = RENORMALISE,
     .when = "source.problem=noisy_linear",
     .unit = "",
     .meaning = "Whether the values of y in a batch are scaled to a variance of `source.dims` "
                "(published)."},
};

static void read_keys(struct problem_setup *s, const struct config_point *point) {
    s->noise = config_float(point, "source.noise");
    s->renormalise = strcmp(config_text(point, "source.renormalise"), "batch") == 0;
}

extern const struct problem problem_noisy_linear;
const struct problem problem_noisy_linear = {
    .name = "noisy_linear",
    .meaning = "y = w.x + noise with w ~ N(0, I).",
    .loss = PROBLEM_SQUARED,
    .keys = KEYS,
    .n_keys = sizeof KEYS / sizeof *KEYS,
    .read = read_keys,
    .parameters = linear_functions_parameters,
    .draw = linear_functions_draw,
    .evaluate = linear_functions_evaluate,
    .variance = linear_functions_variance,
};
