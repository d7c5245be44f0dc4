/*
 * fit_world.h - a config whose fits stand on a model that its first stage pretrains.
 */
#ifndef TESTS_STAGES_FIT_WORLD_H
#define TESTS_STAGES_FIT_WORLD_H

#include "stages/fit_rows.h"
#include "stages/read_row.h"
#include "stages/stage_job.h"

ROW_READER(fit_row, FIT_ROW)

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

/* A fit that is asked to stop after each number of answers, says so in these words, and resumes,
 * has the bits of one that ran through; which left `checkpoints`. */
static inline void fit_world_resumes(const struct fit_world *w, const size_t *answers,
                                     const char *const *words, size_t n, size_t checkpoints) {
    struct err err;
    const struct lab_job job = fit_world_job(w, 0);
    struct host_twin *whole = lab_run(&w->lab, &job), *h = lab_host(&w->lab, &job);
    assert_int_equal(host_twin_checkpoints(whole), checkpoints);
    for (size_t i = 0; i < n; i++) {
        host_twin_stop_after(h, answers[i]);
        ERROR_SAYS(host_twin_run(h, lab_work, lab_stage("fit"), &err), ERR_STOPPED, words[i]);
    }
    host_twin_stop_after(h, SIZE_MAX);
    SUCCEEDS(host_twin_run(h, lab_work, lab_stage("fit"), &err));
    assert_true(host_twin_same(whole, h));
    host_twin_destroy(h);
    host_twin_destroy(whole);
}

#endif
