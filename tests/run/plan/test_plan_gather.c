#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run/plan_case.h"

/* Two problems; fits of two repeats with two methods, of which one has weights of heads. */
#define SOURCES "source = { problem = [\"linear\", \"quadratic\"]; };"
#define FITS                                                                                       \
    "{ stage = \"fit\"; of = \"pretrain\"; " SOURCES                                               \
    " method = [\"ltv\", \"constant\"]; repeat = "                                                 \
    "[0, 1]; points = 6; prompts = 40; batch = 8; }"
#define EFFECTS "{ stage = \"effects\"; of = \"pretrain\"; " SOURCES " points = 6; prompts = 8; }"
#define WEIGHTS "{ stage = \"head_weights\"; of = \"fit\"; }"
#define ABLATION(source, of)                                                                       \
    "{ stage = \"ablation\"; of = " of "; " source " points = 6; functions = 8; prompts = 8; }"
#define CONFIG(pretrain, ablation)                                                                 \
    PLAN_CASE_TOP "stages = ( " pretrain ",\n" FITS ",\n" EFFECTS ",\n" WEIGHTS ",\n" ablation     \
                  " );\n"

static const struct plan_stage *stage_named(const struct plan *p, const char *name) {
    return &p->stages[plan_find_stage(p, name)];
}

static const char *problem_of(const struct plan *p, size_t job) {
    const struct config_point *point = p->jobs[job].point;
    if (!config_has(point, "source.problem")) point = p->jobs[p->jobs[job].parents[0]].point;
    return config_text(point, "source.problem");
}

static void weights_are_read_of_fits_that_have_them(void **state) {
    (void)state;
    struct plan_case c;
    plan_case_must_open(&c, CONFIG(PLAN_CASE_PRETRAIN, ABLATION(SOURCES, "\"effects\"")), NULL);
    const struct plan_stage *s = stage_named(&c.plan, "head_weights");
    assert_int_equal(stage_named(&c.plan, "fit")->n_jobs, 8);
    assert_int_equal(s->n_jobs, 4);
    for (size_t i = 0; i < 4; i++) {
        const struct planned_job *job = &c.plan.jobs[s->jobs[i]];
        assert_int_equal(job->n_parents, 2); /* the fit and its model */
        assert_string_equal(config_text(c.plan.jobs[job->parents[0]].point, "method"), "ltv");
    }
    plan_case_close(&c);
}

static void a_job_reads_all_maps_of_its_problem(void **state) {
    (void)state;
    struct plan_case c;
    plan_case_must_open(
        &c, CONFIG(PLAN_CASE_PRETRAIN, ABLATION(SOURCES, "[\"effects\", \"head_weights\"]")), NULL);
    const struct plan *p = &c.plan;
    const struct plan_stage *s = stage_named(p, "ablation");
    assert_int_equal(s->n_jobs, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct planned_job *job = &p->jobs[s->jobs[i]];
        assert_int_equal(job->n_parents, 4); /* one map, two fits, the model */
        for (size_t k = 0; k < 3; k++)
            assert_string_equal(problem_of(p, job->parents[k]),
                                config_text(job->point, "source.problem"));
        assert_int_equal(plan_model(p, s->jobs[i]), job->parents[3]);
    }
    plan_case_close(&c);
}

/* Maps of two models are never read by one job. */
static void models_are_kept_apart(void **state) {
    static const char two[] =
        "{ stage = \"pretrain\"; model = { layers = 1; heads = 2; width = 8; positions = 24; };"
        " points = 6; steps = 5; batch = 8; repeat = [0, 1]; }";
    char text[4096];
    (void)state;
    struct plan_case c;
    (void)snprintf(text, sizeof text, "%s%s%s%s", PLAN_CASE_TOP "stages = ( ", two,
                   ",\n" EFFECTS ",\n", ABLATION(SOURCES, "\"effects\"") " );\n");
    plan_case_must_open(&c, text, NULL);
    const struct plan_stage *s = stage_named(&c.plan, "ablation");
    assert_int_equal(s->n_jobs, 4);
    for (size_t i = 0; i < 4; i++) {
        const struct planned_job *job = &c.plan.jobs[s->jobs[i]];
        assert_int_equal(job->n_parents, 2);
        assert_int_equal(plan_model(&c.plan, job->parents[0]), job->parents[1]);
    }
    plan_case_close(&c);
}

static void maps_that_no_job_reads_are_refused(void **state) {
    (void)state;
    struct plan_case c;
    struct err err;
    const enum err_code rc =
        plan_case_open(&c, CONFIG(PLAN_CASE_PRETRAIN, ABLATION("", "\"effects\"")), NULL, &err);
    assert_int_equal(rc, ERR_CONFIG);
    if (!strstr(err.msg, "is of the source and the model of effects[1]")) fail_msg("%s", err.msg);
    plan_case_close(&c);
}

/* Of all problems: one job for the model; and a fit of it has both as parents. */
static void one_job_reads_the_maps_of_all_problems(void **state) {
    (void)state;
    struct plan_case c;
    plan_case_must_open(
        &c,
        CONFIG(PLAN_CASE_PRETRAIN,
               "{ stage = \"universal\"; of = \"effects\"; },\n"
               "{ stage = \"fit\"; name = \"heads\"; of = \"universal\"; method = "
               "\"fv\"; fv = { selection = \"universal\"; }; prompts = 40; batch = 8; }"),
        NULL);
    const struct plan *p = &c.plan;
    const struct plan_stage *s = stage_named(p, "universal"), *fits = stage_named(p, "heads");
    assert_int_equal(s->n_jobs, 1);
    const struct planned_job *job = &p->jobs[s->jobs[0]];
    assert_int_equal(job->n_parents, 3); /* two maps, the model */
    assert_string_not_equal(problem_of(p, job->parents[0]), problem_of(p, job->parents[1]));
    assert_int_equal(fits->n_jobs, 1);
    const struct planned_job *fit = &p->jobs[fits->jobs[0]];
    assert_int_equal(fit->n_parents, 2);
    assert_int_equal(fit->parents[0], s->jobs[0]);
    assert_int_equal(fit->parents[1], job->parents[2]);
    plan_case_close(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_are_read_of_fits_that_have_them),
        cmocka_unit_test(a_job_reads_all_maps_of_its_problem),
        cmocka_unit_test(one_job_reads_the_maps_of_all_problems),
        cmocka_unit_test(models_are_kept_apart),
        cmocka_unit_test(maps_that_no_job_reads_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
