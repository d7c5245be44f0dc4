#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run/plan_case.h"

static const char CHAIN[] = PLAN_CASE_TOP "stages = ( " PLAN_CASE_PRETRAIN ",\n" PLAN_CASE_FIT
                                          ",\n" PLAN_CASE_EVALUATE " );\n";

static void jobs_of_a_chain(void **state) {
    (void)state;
    struct plan_case c;
    plan_case_must_open(&c, CHAIN, NULL);
    const struct plan *p = &c.plan;
    assert_int_equal(p->stages[0].n_jobs, 1);
    assert_int_equal(p->stages[1].n_jobs, 4);
    assert_int_equal(p->stages[2].n_jobs, 2 * (4 + 2)); /* problems x (fits + controls) */
    assert_int_equal(p->n_jobs, 17);
    const struct planned_job *fit = &p->jobs[1], *first = &p->jobs[5], *plain = &p->jobs[9];
    assert_int_equal(fit->n_parents, 1);
    assert_int_equal(fit->parents[0], 0);
    assert_int_equal(first->n_parents, 2); /* the fit, then the model the fit was made on */
    assert_int_equal(first->parents[0], 1);
    assert_int_equal(first->parents[1], 0);
    assert_null(first->control);
    assert_string_equal(plain->control, "plain");
    assert_int_equal(plain->n_parents, 1);
    assert_int_equal(plain->parents[0], 0);
    assert_int_equal(plan_model(p, 5), 0);
    const char *label = p->jobs[9].label;
    assert_string_equal(label, "evaluate[4]");
    for (size_t j = 0; j < p->n_jobs; j++) {
        assert_int_equal(plan_find(p, p->jobs[j].identity), j);
        assert_true(p->jobs[j].cost.flops > 0.0 && p->jobs[j].cost.memory > 0.0);
        for (size_t i = 0; i < p->jobs[j].n_parents; i++)
            assert_true(p->jobs[j].parents[i] < j); /* parents come first */
    }
    assert_int_equal(plan_find(p, "0123456789abcdef"), PLAN_NONE);
    plan_case_close(&c);
}

static void stages_may_stand_in_any_order(void **state) {
    (void)state;
    struct plan_case c, d;
    plan_case_must_open(&c, CHAIN, NULL);
    plan_case_must_open(&d,
                        PLAN_CASE_TOP "stages = ( " PLAN_CASE_EVALUATE ",\n" PLAN_CASE_FIT
                                      ",\n" PLAN_CASE_PRETRAIN " );\n",
                        NULL);
    assert_int_equal(c.plan.n_jobs, d.plan.n_jobs);
    for (size_t j = 0; j < c.plan.n_jobs; j++)
        assert_string_equal(c.plan.jobs[j].identity, d.plan.jobs[j].identity);
    plan_case_close(&c);
    plan_case_close(&d);
}

/* Two evaluate stages ask for the same controls of the same model: computed once, listed twice. */
static void the_same_work_is_planned_once(void **state) {
    (void)state;
    struct plan_case c;
    static const char text[] = PLAN_CASE_TOP
        "stages = ( " PLAN_CASE_PRETRAIN ",\n" PLAN_CASE_FIT ",\n" PLAN_CASE_EVALUATE ",\n"
        "{ stage = \"evaluate\"; name = \"again\"; of = \"pretrain\"; also = \"plain\";"
        " points = 8; functions = 8; } );\n";
    plan_case_must_open(&c, text, NULL);
    assert_int_equal(c.plan.n_jobs, 17);
    assert_int_equal(c.plan.merged, 1);
    assert_int_equal(c.plan.stages[3].n_jobs, 1);
    assert_string_equal(c.plan.jobs[c.plan.stages[3].jobs[0]].control, "plain");
    plan_case_close(&c);
}

/* One a fit that they say something about: a constant has no basis of another function. */
static void controls_of_a_fit_are_planned_for_each_fit(void **state) {
    (void)state;
    struct plan_case c;
    static const char text[] = PLAN_CASE_TOP
        "stages = ( " PLAN_CASE_PRETRAIN ",\n"
        "{ stage = \"fit\"; of = \"pretrain\"; method = [\"ltv\", \"constant\"]; points = 6;"
        " basis = [\"prompt\", \"mean\"]; },\n"
        "{ stage = \"evaluate\"; of = \"fit\"; also = [\"plain\", \"random\", \"mismatched\"];"
        " points = 8; functions = 8; } );\n";
    plan_case_must_open(&c, text, NULL);
    const struct plan *p = &c.plan;
    size_t plain = 0, random = 0, mismatched = 0, own = 0;
    for (size_t i = 0; i < p->stages[2].n_jobs; i++) {
        const struct planned_job *job = &p->jobs[p->stages[2].jobs[i]];
        const char *control = job->control ? job->control : "";
        own += !job->control, plain += strcmp(control, "plain") == 0;
        random += strcmp(control, "random") == 0, mismatched += strcmp(control, "mismatched") == 0;
        if (strcmp(control, "plain") == 0) continue;
        assert_int_equal(job->n_parents, 2);
        assert_int_equal(p->jobs[job->parents[0]].stage, 1);
    }
    assert_true(own == 3 && plain == 1 && random == 3 && mismatched == 1);
    plan_case_close(&c);
}

/* Only those of the methods that `also_of` names, which are methods of fits that are read. */
static void controls_of_a_fit_may_be_of_some_methods(void **state) {
    (void)state;
    struct plan_case c;
    struct err err = {0};
    static const char text[] = PLAN_CASE_TOP
        "stages = ( " PLAN_CASE_PRETRAIN ",\n"
        "{ stage = \"fit\"; of = \"pretrain\"; method = [\"ltv\", \"constant\"]; points = 6; },\n"
        "{ stage = \"evaluate\"; of = \"fit\"; also = [\"plain\", \"random\"]; also_of = %s;"
        " points = 8; functions = 8; } );\n";
    static const struct {
        const char *also_of;
        size_t random;
    } CASES[] = {{"[\"ltv\", \"constant\"]", 2}, {"\"constant\"", 1}};
    char filled[2048];
    for (size_t k = 0; k < sizeof CASES / sizeof *CASES; k++) {
        size_t random = 0;
        (void)snprintf(filled, sizeof filled, text, CASES[k].also_of);
        plan_case_must_open(&c, filled, NULL);
        for (size_t i = 0; i < c.plan.n_jobs; i++) {
            const struct planned_job *job = &c.plan.jobs[i];
            if (!job->control || strcmp(job->control, "random") != 0) continue;
            random++;
            if (k == 1)
                assert_string_equal(
                    config_text(plan_read_point(&c.plan, job->parents[0]), "method"), "constant");
        }
        assert_int_equal(random, CASES[k].random);
        plan_case_close(&c);
    }
    (void)snprintf(filled, sizeof filled, text, "[\"ltv\", \"site\"]");
    assert_int_equal(plan_case_open(&c, filled, NULL, &err), ERR_CONFIG);
    assert_non_null(strstr(err.msg, "\"site\" is the method of no fit"));
    plan_case_close(&c);
}

static void check_refused(const char *stages, const char *want) {
    struct plan_case c;
    struct err err = {0};
    char text[2048];
    (void)snprintf(text, sizeof text, PLAN_CASE_TOP "stages = (\n%s );\n", stages);
    assert_int_equal(plan_case_open(&c, text, NULL, &err), ERR_CONFIG);
    const char *found = strstr(err.msg, "a.cfg:");
    if (!found || !strstr(err.msg, want)) {
        print_error("received: %s\nexpected: %s\n", err.msg, want);
        fail();
    }
    plan_case_close(&c);
}

#define WPE(fit, evaluate)                                                                         \
    PLAN_CASE_PRETRAIN                                                                             \
    ",\n{ stage = \"fit\"; of = \"pretrain\"; method = \"ltv\"; points = 6; "                      \
    "model = { wpe_seed = " fit "; }; },\n{ stage = \"evaluate\"; of = \"fit\"; "                  \
    "also = \"plain\"; points = 8; functions = 8; model = { wpe_seed = " evaluate "; }; }"

/* A fit meets the evaluation of its own positions, which have a control of their own. */
static void redrawn_positions_keep_together(void **state) {
    (void)state;
    struct plan_case c;
    plan_case_must_open(&c, PLAN_CASE_TOP "stages = ( " WPE("[0, 7]", "[7, 0]") " );\n", NULL);
    const struct plan *p = &c.plan;
    assert_int_equal(p->stages[2].n_jobs, 4);
    for (size_t i = 0; i < 4; i++) {
        const struct planned_job *job = &p->jobs[p->stages[2].jobs[i]];
        if (job->control) continue;
        assert_int_equal(config_int(job->point, "model.wpe_seed"),
                         config_int(p->jobs[job->parents[0]].point, "model.wpe_seed"));
    }
    plan_case_close(&c);
    check_refused(WPE("[0, 7]", "0"), "evaluate: none of its jobs reads the ones with "
                                      "model.wpe_seed = 7");
}

static void errors_of_of(void **state) {
    (void)state;
    check_refused(PLAN_CASE_PRETRAIN
                  ",\n{ stage = \"fit\"; of = \"pretrian\"; method = \"ltv\"; points = 6; }",
                  "fit.of: no stage is named \"pretrian\" (did you mean pretrain?)");
    check_refused("{ stage = \"fit\"; of = \"fit\"; method = \"ltv\"; points = 6; }",
                  "fit.of: a cycle");
    check_refused(PLAN_CASE_PRETRAIN ",\n" PLAN_CASE_FIT
                                     ",\n{ stage = \"pretrain\"; name = \"p2\"; of = \"fit\"; }",
                  "p2.of: \"fit\" is a fit stage, but a pretrain stage reads nothing");
    check_refused(
        "{ stage = \"fit\"; of = \"two\"; method = \"ltv\"; points = 6; },\n"
        "{ stage = \"fit\"; name = \"two\"; of = \"fit\"; method = \"ltv\"; points = 6; }",
        "fit.of: a cycle");
    check_refused(PLAN_CASE_PRETRAIN ",\n{ stage = \"evaluate\"; of = \"pretrain\"; points = 8; }",
                  "evaluate: yields no job");
}

static void names_are_found(void **state) {
    (void)state;
    struct plan_case c;
    plan_case_must_open(&c, CHAIN, NULL);
    assert_int_equal(plan_find_stage(&c.plan, "evaluate"), 2);
    assert_int_equal(plan_find_stage(&c.plan, "nothing"), PLAN_NONE);
    plan_case_close(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_of_a_chain),
        cmocka_unit_test(stages_may_stand_in_any_order),
        cmocka_unit_test(the_same_work_is_planned_once),
        cmocka_unit_test(controls_of_a_fit_are_planned_for_each_fit),
        cmocka_unit_test(controls_of_a_fit_may_be_of_some_methods),
        cmocka_unit_test(redrawn_positions_keep_together),
        cmocka_unit_test(errors_of_of),
        cmocka_unit_test(names_are_found),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
