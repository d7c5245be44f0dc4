/*
 * evaluate_world.h - a config whose evaluations stand on a model that its first stage pretrains and
 * on a fit of its second, with 10 functions and prompts of 11 points.
 */
#ifndef TESTS_STAGES_EVALUATE_WORLD_H
#define TESTS_STAGES_EVALUATE_WORLD_H

#include "stages/evaluate_rows.h"
#include "stages/read_row.h"
#include "stages/stage_job.h"

ROW_READER(evaluate_row, EVALUATE_ROW)

#define EVALUATE_HEAD                                                                              \
    "name = \"lab\"; seed = 5; source = { problem = \"linear\"; dims = 3; };\n"                    \
    "stages = ( { stage = \"pretrain\"; model = { layers = 2; heads = 2; width = 16; positions = " \
    "24; }; points = 6; batch = 8; shards = 1; steps = 20; optimiser = { lr = 1e-2; }; },\n"       \
    "{ stage = \"fit\"; of = \"pretrain\"; method = [\"ltv\", \"constant\"]; basis = [\"prompt\"," \
    " \"mean\"]; points = 9; prompts = 40; batch = 16; epochs = 2; repeat = 7; },\n"
#define EVALUATE(keys) EVALUATE_HEAD "{ stage = \"evaluate\"; of = \"fit\"; " keys " } );\n"
#define EVALUATE_SIZES "points = 11; functions = 10; chunk = 4;"

struct evaluate_world {
    struct lab lab;
    char model_path[SCRATCH_PATH], fit_path[SCRATCH_PATH];
    struct job_input model, fit;
};

static inline void evaluate_world_open(struct evaluate_world *w, const char *text,
                                       size_t fit_point) {
    const struct lab_job pretrain = {.kind = "pretrain", .memory = SIZE_MAX};
    struct lab_job fit = {.kind = "fit", .point = fit_point, .memory = SIZE_MAX, .n_inputs = 1};
    w->lab = lab_open(text);
    w->model = lab_make(&w->lab, &pretrain, "model.safetensors", w->model_path);
    fit.inputs[0] = w->model;
    w->fit = lab_make(&w->lab, &fit, "fit.safetensors", w->fit_path);
}

static inline struct host_twin *evaluate_fitted_at(const struct evaluate_world *w, size_t point) {
    const struct lab_job job = {
        .kind = "evaluate", .point = point, .inputs = {w->fit, w->model}, .n_inputs = 2};
    return lab_run(&w->lab, &job);
}

static inline struct host_twin *evaluate_control_at(const struct evaluate_world *w,
                                                    const char *method, size_t point) {
    const struct lab_job job = {
        .kind = "evaluate", .point = point, .control = method, .inputs = {w->model}, .n_inputs = 1};
    return lab_run(&w->lab, &job);
}

static inline struct host_twin *evaluate_control(const struct evaluate_world *w,
                                                 const char *method) {
    return evaluate_control_at(w, method, 0);
}

static inline struct host_twin *evaluate_fitted(const struct evaluate_world *w) {
    return evaluate_fitted_at(w, 0);
}

static inline const float *evaluate_errors(const struct host_twin *h) {
    const struct job_tensor *t = host_twin_tensor(h, "errors");
    assert_true(t && t->rank == 2 && t->shape[0] == 10 && t->shape[1] == 11);
    return t->data;
}

static inline double evaluate_mse(const struct host_twin *h, size_t k) {
    return read_evaluate_row(h, k).mse;
}

#endif
