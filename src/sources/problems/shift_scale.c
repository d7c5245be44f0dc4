/* x or y multiplied by a factor. Garg et al., NeurIPS 2022, section 4. With scale_x the values y
 * are those of the scaled x. */
#include "sources/problems/shift.h"

static const struct config_key KEYS_X[] = {{
    .name = "scale_x.factor",
    .type = CONFIG_FLOAT,
    .flags = CONFIG_AXIS,
    .min = 1e-6,
    .max = 1e6,
    .def = "2.0",
    .when = "shift=scale_x",
    .unit = "",
    .meaning = "Factor that multiplies every x (published: 1/3, 1/2, 2, 3).",
}};

static const struct config_key KEYS_Y[] = {{
    .name = "scale_y.factor",
    .type = CONFIG_FLOAT,
    .flags = CONFIG_AXIS,
    .min = 1e-6,
    .max = 1e6,
    .def = "2.0",
    .when = "shift=scale_y",
    .unit = "",
    .meaning = "Factor that multiplies every y (published: 1/3, 1/2, 2, 3).",
}};

static void scale(float *out, size_t n, double factor) {
    for (size_t i = 0; i < n; i++) out[i] = (float)(factor * (double)out[i]);
}

static void scale_x(const struct shift_prompt *p) {
    scale(p->x, p->points * p->problem->dims, p->setup->level);
}

static void scale_y(const struct shift_prompt *p) { scale(p->y, p->points, p->setup->level); }

extern const struct shift shift_scale_x, shift_scale_y;
const struct shift shift_scale_x = {
    .name = "scale_x",
    .meaning = "Every x is multiplied by a factor.",
    .paper = "Garg et al., NeurIPS 2022",
    .keys = KEYS_X,
    .n_keys = 1,
    .level_key = "scale_x.factor",
    .covariates = scale_x,
};
const struct shift shift_scale_y = {
    .name = "scale_y",
    .meaning = "Every y is multiplied by a factor.",
    .paper = "Garg et al., NeurIPS 2022",
    .keys = KEYS_Y,
    .n_keys = 1,
    .level_key = "scale_y.factor",
    .numbers = true,
    .values = scale_y,
};
