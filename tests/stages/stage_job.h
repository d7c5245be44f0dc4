/*
 * stage_job.h - a small config whose jobs run on the host of arrays, as run/ would run them.
 */
#ifndef TESTS_STAGES_STAGE_JOB_H
#define TESTS_STAGES_STAGE_JOB_H

#include "model/tiny.h"
#include "ops/blas.h"
#include "stages/stage.h"
#include "twins/host_twin.h"
#include "twins/scratch.h"

enum { KINDS = 16 };

struct lab { /* an open config and a folder for artifacts */
    struct scratch folder;
    struct config_schema schemas[KINDS];
    const char *names[KINDS];
    struct config *config;
};

static inline const struct config_schema *lab_schema(const char *kind, void *context) {
    struct lab *lab = context;
    for (size_t i = 0; i < stage_count(); i++)
        if (strcmp(lab->names[i], kind) == 0) return &lab->schemas[i];
    return NULL;
}

/* whole: points keep the keys that their method does not read (config/fold.h). */
static inline enum err_code lab_try_as(struct lab *lab, const char *text, bool whole,
                                       struct err *err) {
    char path[SCRATCH_PATH];
    enum err_code rc = ERR_OK;
    *lab = (struct lab){0};
    scratch_create(&lab->folder);
    for (size_t i = 0; i < stage_count(); i++) {
        lab->names[i] = stage_at(i)->name;
        TRY(stage_schema(&lab->schemas[i], stage_at(i), err));
    }
    scratch_write(path, &lab->folder, "lab.cfg", text, strlen(text));
    const struct config_kinds kinds = {lab->names, stage_count(), lab_schema, lab, whole};
    TRY(config_open(&lab->config, path, NULL, 0, &kinds, err));
cleanup:
    return rc;
}

static inline enum err_code lab_try(struct lab *lab, const char *text, struct err *err) {
    return lab_try_as(lab, text, false, err);
}

static inline struct lab lab_open(const char *text) {
    struct lab lab;
    struct err err;
    SUCCEEDS(lab_try(&lab, text, &err));
    return lab;
}

static inline void lab_close(struct lab *lab) {
    config_close(lab->config);
    for (size_t i = 0; i < stage_count(); i++) config_schema_release(&lab->schemas[i]);
    scratch_destroy(&lab->folder);
}

/* The i-th point of the first stage of a kind. */
static inline const struct config_point *lab_point(const struct lab *lab, const char *kind,
                                                   size_t i) {
    for (size_t s = 0; s < config_stage_count(lab->config); s++)
        if (strcmp(config_stage_kind(lab->config, s), kind) == 0)
            return config_stage_point(lab->config, s, i);
    fail_msg("no stage '%s'", kind);
    return NULL;
}

static inline enum err_code lab_work(struct job_ctx *ctx, void *context, struct err *err) {
    const struct stage *stage = context;
    return stage->run(ctx, err);
}

struct lab_job { /* what to run */
    const char *kind;
    size_t point;
    int ranks; /* 0: one */
    size_t memory;
    const char *control;
    struct job_input inputs[4];
    size_t n_inputs;
};

/* Makes the host of a job; runs are host_twin_run(host, lab_work, lab_stage(kind)). */
static inline struct host_twin *lab_host(const struct lab *lab, const struct lab_job *job) {
    const int ranks = job->ranks > 0 ? job->ranks : 1;
    struct host_twin *h = host_twin_create(ranks);
    for (int i = 0; i < ranks; i++) {
        struct job_ctx *ctx = host_twin_ctx(h, i);
        ctx->point = lab_point(lab, job->kind, job->point);
        ctx->columns = stage_columns(stage_find(job->kind), ctx->point);
        ctx->seed = config_seed(lab->config);
        ctx->control = job->control;
        ctx->inputs = job->inputs;
        ctx->n_inputs = job->n_inputs;
        ctx->memory = job->memory;
    }
    return h;
}

static inline void *lab_stage(const char *kind) {
    return (void *)(uintptr_t)stage_find(kind); /* lab_work gives its const back */
}

/* Runs a job to its end; the caller destroys the host. */
static inline struct host_twin *lab_run(const struct lab *lab, const struct lab_job *job) {
    struct err err;
    struct host_twin *h = lab_host(lab, job);
    SUCCEEDS(host_twin_run(h, lab_work, lab_stage(job->kind), &err));
    return h;
}

/* Runs a job, leaves its artifact in the folder as `name`, and gives it as an input of others. */
static inline struct job_input lab_make(const struct lab *lab, const struct lab_job *job,
                                        const char *name, char path[SCRATCH_PATH]) {
    struct err err;
    struct host_twin *h = lab_run(lab, job);
    scratch_path(path, &lab->folder, name);
    SUCCEEDS(host_twin_save(h, path, &err));
    host_twin_destroy(h);
    return (struct job_input){job->kind, "0", lab_point(lab, job->kind, job->point), path};
}

/* The message of plan() for the first point of a stage. */
static inline enum err_code lab_plan(struct job_cost *cost, const struct lab *lab, const char *kind,
                                     const char *parent, struct err *err) {
    struct stage_parent of[1];
    size_t n = 0;
    if (parent) of[n++] = (struct stage_parent){stage_find(parent), lab_point(lab, parent, 0)};
    return stage_find(kind)->plan(cost, lab_point(lab, kind, 0), NULL, of, n, err);
}

/* Opens a config and expects its first job of `kind` to be refused with these words. */
static inline void lab_refuses(const char *text, const char *kind, const char *parent,
                               const char *words) {
    struct err err;
    struct job_cost cost;
    struct lab lab = lab_open(text);
    ERROR_SAYS(lab_plan(&cost, &lab, kind, parent, &err), ERR_CONFIG, words);
    lab_close(&lab);
}

#endif
