/*
 * plan_case.h - a plan made from config text, for tests.
 */
#ifndef TESTS_RUN_PLAN_CASE_H
#define TESTS_RUN_PLAN_CASE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run/plan/plan.h"
#include "stages/stage_schemas.h"

struct plan_case {
    char dir[64], path[96];
    struct stage_schemas schemas;
    struct config *config;
    struct plan plan;
};

static inline void plan_case_close(struct plan_case *c) {
    plan_release(&c->plan);
    config_close(c->config);
    c->config = NULL;
    stage_schemas_release(&c->schemas);
    (void)unlink(c->path);
    (void)rmdir(c->dir);
}

/* The file alone. */
static inline void plan_case_write(struct plan_case *c, const char *text) {
    *c = (struct plan_case){.dir = "/tmp/taskvec-plan-XXXXXX"};
    if (!mkdtemp(c->dir)) abort();
    (void)snprintf(c->path, sizeof c->path, "%s/a.cfg", c->dir);
    FILE *f = fopen(c->path, "w");
    if (!f || fputs(text, f) < 0 || fclose(f) != 0) abort();
}

/* ERR_OK, or the error of opening or planning; close in both cases. */
static inline enum err_code plan_case_open(struct plan_case *c, const char *text, const char *set,
                                           struct err *err) {
    plan_case_write(c, text);
    enum err_code rc = stage_schemas_init(&c->schemas, err);
    if (rc == ERR_OK)
        rc = stage_schemas_open(&c->config, &c->schemas, c->path, &set, set != NULL, err);
    if (rc == ERR_OK) rc = plan_make(&c->plan, c->config, err);
    return rc;
}

static inline void plan_case_must_open(struct plan_case *c, const char *text, const char *set) {
    struct err err = {0};
    if (plan_case_open(c, text, set, &err) == ERR_OK) return;
    print_error("%s\n", err.msg);
    fail();
}

/* The smallest pretraining, for configs to start with. */
#define PLAN_CASE_PRETRAIN                                                                         \
    "{ stage = \"pretrain\"; model = { layers = 1; heads = 2; width = 8; positions = 24; };"       \
    " points = 6; steps = 5; batch = 8; }"
#define PLAN_CASE_TOP "name = \"t\"; seed = 1; source = { problem = \"linear\"; dims = 3; };\n"
#define PLAN_CASE_FIT                                                                              \
    "{ stage = \"fit\"; of = \"pretrain\"; method = [\"ltv\", \"constant\"]; repeat = [0, 1];"     \
    " points = 6; prompts = 40; batch = 8; optimiser = { lr = 1e-2; }; }"
#define PLAN_CASE_EVALUATE                                                                         \
    "{ stage = \"evaluate\"; of = \"fit\"; also = [\"plain\", \"zero\"]; points = 8; source = { "  \
    "problem = [\"linear\", \"quadratic\"]; };"                                                    \
    " functions = 8; }"

#endif
