#include "optim/optim_options.h"

#include <string.h>

static const char *const ADAM[] = {"adam", NULL}, *const BOTH[] = {"adam", "lbfgs", NULL};
static const char *const SCHEDULES[] = {"constant", "cosine", NULL};

static const struct config_key NAME_ADAM = {.name = "optimiser.name",
                                            .type = CONFIG_NAME,
                                            .def = "adam",
                                            .choices = ADAM,
                                            .unit = "",
                                            .meaning = "Algorithm that updates the weights."};
static const struct config_key NAME_BOTH = {
    .name = "optimiser.name",
    .type = CONFIG_NAME,
    .flags = CONFIG_AXIS,
    .def = "adam",
    .choices = BOTH,
    .unit = "",
    .meaning = "Adam on mini-batches, or L-BFGS, one step an epoch on all prompts."};

static const struct config_key ROWS[] = {
    {.name = "optimiser.lr",
     .type = CONFIG_FLOAT,
     .flags = CONFIG_AXIS,
     .min = 0,
     .max = 100,
     .def = "1e-3",
     .when = "optimiser.name=adam",
     .unit = "",
     .meaning = "Learning rate at the peak of the schedule."},
    {.name = "optimiser.beta1",
     .type = CONFIG_FLOAT,
     .min = 0,
     .max = 0.999999,
     .def = "0.9",
     .when = "optimiser.name=adam",
     .unit = "",
     .meaning = "Decay rate of Adam's first-moment average."},
    {.name = "optimiser.beta2",
     .type = CONFIG_FLOAT,
     .min = 0,
     .max = 0.999999,
     .def = "0.999",
     .when = "optimiser.name=adam",
     .unit = "",
     .meaning = "Decay rate of Adam's second-moment average."},
    {.name = "optimiser.epsilon",
     .type = CONFIG_FLOAT,
     .min = 0,
     .max = 1,
     .def = "1e-8",
     .when = "optimiser.name=adam",
     .unit = "",
     .meaning = "Constant added to the square root of Adam's second moment."},
    {.name = "optimiser.schedule",
     .type = CONFIG_NAME,
     .def = "constant",
     .choices = SCHEDULES,
     .when = "optimiser.name=adam",
     .unit = "",
     .meaning = "Shape of the learning-rate schedule after the warm-up."},
    {.name = "optimiser.warmup",
     .type = CONFIG_INT,
     .min = 0,
     .max = 1e9,
     .def = "0",
     .when = "optimiser.name=adam",
     .unit = "steps",
     .meaning = "Updates during which the learning rate rises linearly from 0."},
    {.name = "optimiser.floor",
     .type = CONFIG_FLOAT,
     .min = 0,
     .max = 1,
     .def = "0.0",
     .when = "optimiser.schedule=cosine",
     .unit = "",
     .meaning = "Fraction of the learning rate that remains at the end of the cosine."},
    {.name = "optimiser.decay_steps",
     .type = CONFIG_INT,
     .flags = CONFIG_SINCE,
     .min = 0,
     .max = 1e9,
     .def = "0",
     .when = "optimiser.schedule=cosine",
     .unit = "steps",
     .meaning = "Step at which the cosine reaches its floor; 0: the last one."},
    {.name = "optimiser.cooldown",
     .type = CONFIG_INT,
     .flags = CONFIG_SINCE,
     .min = 0,
     .max = 1e9,
     .def = "0",
     .when = "optimiser.schedule=cosine",
     .unit = "steps",
     .meaning =
         "Last updates, in which the learning rate falls linearly to the floor from where the "
         "cosine stands; 0: none."},
};

enum err_code optimiser_schema(struct config_schema *out, bool lbfgs, struct err *err) {
    const enum err_code rc = config_schema_add(out, lbfgs ? &NAME_BOTH : &NAME_ADAM, 1, err);
    return rc != ERR_OK ? rc : config_schema_add(out, ROWS, sizeof ROWS / sizeof *ROWS, err);
}

bool optimiser_is_lbfgs(const struct config_point *point) {
    return strcmp(config_text(point, "optimiser.name"), "lbfgs") == 0;
}

void optimiser_read(struct adam *adam, struct schedule *schedule, const struct config_point *point,
                    int64_t steps) {
    const bool cosine = strcmp(config_text(point, "optimiser.schedule"), "cosine") == 0;
    *adam = (struct adam){.beta1 = (float)config_float(point, "optimiser.beta1"),
                          .beta2 = (float)config_float(point, "optimiser.beta2"),
                          .epsilon = (float)config_float(point, "optimiser.epsilon")};
    *schedule = (struct schedule){.kind = cosine ? SCHEDULE_COSINE : SCHEDULE_CONSTANT,
                                  .lr = config_float(point, "optimiser.lr"),
                                  .warmup = config_int(point, "optimiser.warmup"),
                                  .steps = steps,
                                  .floor = 1,
                                  .end = steps};
    if (!cosine) return;
    const int64_t decay = config_int(point, "optimiser.decay_steps");
    if (decay > 0) schedule->steps = decay;
    schedule->floor = config_float(point, "optimiser.floor");
    schedule->cooldown = config_int(point, "optimiser.cooldown");
}
