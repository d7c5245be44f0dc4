/*
 * fit_world.h - a config whose fits stand on a model that its first stage pretrains.
 */
#ifndef TESTS_STAGES_FIT_WORLD_H
#define TESTS_STAGES_FIT_WORLD_H

#include "stages/stage_job.h"

/* Up to the pretrain stage: linear functions of 3 numbers, `layers` layers, prompts of 6 points. */
#define FIT_WORLD(layers)                                                                          \
    "name = \"lab\"; seed = 5; source = { problem = \"linear\"; dims = 3; };\n"                    \
    "stages = ( { stage = \"pretrain\"; model = { layers = " #layers                               \
    "; heads = 2; width = 16; positions = 24; }; points = 6; batch = 8; shards = 1; steps = 20; "  \
    "optimiser = { lr = 1e-2; }; },\n"

struct fit_world {
    struct lab lab;
    char path[SCRATCH_PATH];
    struct job_input model;
};

static inline void fit_world_open(struct fit_world *w, const char *text) {
    const struct lab_job pretrain = {.kind = "pretrain", .memory = SIZE_MAX};
    w->lab = lab_open(text);
    w->model = lab_make(&w->lab, &pretrain, "model.safetensors", w->path);
}

static inline struct lab_job fit_world_job(const struct fit_world *w, size_t point) {
    return (struct lab_job){
        .kind = "fit", .point = point, .memory = SIZE_MAX, .inputs = {w->model}, .n_inputs = 1};
}

#endif
