#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run/plan/plan_notes.h"
#include "run/plan_case.h"

#define FIT(more)                                                                                  \
    "{ stage = \"fit\"; of = \"pretrain\"; points = 6; prompts = 40; batch = 8;" more " }"
#define EVALUATE(of) "{ stage = \"evaluate\"; of = " of "; points = 8; functions = 8; }"
#define CONFIG(fit, rest)                                                                          \
    PLAN_CASE_TOP "stages = ( " PLAN_CASE_PRETRAIN ",\n" fit ",\n" rest " );\n"
#define CHOOSE(key) "choose = { key = \"" key "\"; by = \"validation\"; };"

/* Two methods, three learning rates, two repeats; the axis of repeats comes first. */
#define SWEEP                                                                                      \
    "method = [\"ltv\", \"constant\"]; repeat = [0, 1]; optimiser = { lr = [1e-2, 1e-3, 1e-1]; };"

static const struct planned_job *job_of(const struct plan *p, size_t stage, size_t i) {
    assert_true(i < p->stages[stage].n_jobs);
    return &p->jobs[p->stages[stage].jobs[i]];
}

static void one_choice_for_each_combination_of_the_other_keys(void **state) {
    (void)state;
    struct plan_case c;
    plan_case_must_open(&c, CONFIG(FIT(SWEEP CHOOSE("optimiser.lr")), EVALUATE("\"fit\"")), NULL);
    const struct plan *p = &c.plan;
    assert_int_equal(p->n_stages, 4);
    assert_string_equal(p->stages[2].name, "fit_choice");
    assert_int_equal(p->stages[1].n_jobs, 12);
    assert_int_equal(p->stages[2].n_jobs, 4);
    assert_int_equal(p->stages[3].n_jobs, 4);
    for (size_t i = 0; i < 4; i++) {
        const struct planned_job *choice = job_of(p, 2, i), *evaluation = job_of(p, 3, i);
        assert_int_equal(choice->n_parents, 3);
        for (size_t k = 0; k < 3; k++) {
            static const double rates[] = {1e-2, 1e-3, 1e-1}; /* in the order of the config */
            const struct config_point *fit = p->jobs[choice->parents[k]].point;
            assert_true(fabs(config_float(fit, "optimiser.lr") - rates[k]) < 1e-12);
            assert_string_equal(config_text(fit, "method"), i % 2 ? "constant" : "ltv");
            assert_int_equal(config_int(fit, "repeat"), i / 2);
        }
        assert_int_equal(evaluation->n_parents, 2); /* the choice, and the model of its fits */
        assert_int_equal(evaluation->parents[0], p->stages[2].jobs[i]);
        assert_int_equal(evaluation->parents[1], 0);
    }
    plan_case_close(&c);
}

/* The group in the fit and the stage that it stands for plan the same jobs. */
static void the_group_is_a_stage(void **state) {
    (void)state;
    struct plan_case a, b;
    plan_case_must_open(&a, CONFIG(FIT(SWEEP CHOOSE("optimiser.lr")), EVALUATE("\"fit\"")), NULL);
    plan_case_must_open(
        &b,
        CONFIG(FIT(SWEEP), EVALUATE("[\"best\"]") ", { stage = \"choose\"; name = \"best\"; of = "
                                                  "\"fit\"; key = \"optimiser.lr\"; }"),
        NULL);
    assert_int_equal(a.plan.n_jobs, b.plan.n_jobs);
    for (size_t j = 0; j < a.plan.n_jobs; j++)
        assert_true(plan_find(&b.plan, a.plan.jobs[j].identity) != PLAN_NONE);
    plan_case_close(&a);
    plan_case_close(&b);
}

/* A stage that names fit and choice reads all fits and the best ones. */
static void fits_and_choices_can_both_be_read(void **state) {
    (void)state;
    struct plan_case c;
    plan_case_must_open(&c,
                        CONFIG(FIT(SWEEP), "{ stage = \"choose\"; of = \"fit\"; key = "
                                           "\"optimiser.lr\"; }," EVALUATE("[\"fit\", "
                                                                           "\"choose\"]")),
                        NULL);
    assert_int_equal(c.plan.stages[3].n_jobs, 12 + 4);
    plan_case_close(&c);
}

/* Keys that exist with one value of the chosen key only are chosen with it. */
static void keys_below_the_chosen_one_follow_it(void **state) {
    (void)state;
    struct plan_case c;
    plan_case_must_open(&c,
                        CONFIG(FIT("method = \"ltv\"; optimiser = { name = [\"adam\", \"lbfgs\"]; "
                                   "lr = [1e-2, 1e-3]; };" CHOOSE("optimiser.name")),
                               EVALUATE("\"fit\"")),
                        NULL);
    assert_int_equal(c.plan.stages[1].n_jobs, 3);
    assert_int_equal(c.plan.stages[2].n_jobs, 1);
    assert_int_equal(job_of(&c.plan, 2, 0)->n_parents, 3);
    plan_case_close(&c);
}

/* Evaluated as it is, with the identity that it has without the choice. */
static void a_fit_that_is_alone_is_read_directly(void **state) {
    (void)state;
    struct plan_case c, plain;
    static const char some[] =
        "method = [\"ltv\", \"constant\"]; optimiser = { lr = [1e-2, 1e-3]; }; "
        "exclude = ( { method = \"constant\"; optimiser = { lr = 1e-3; }; } );";
    char text[2048];
    (void)snprintf(text, sizeof text, CONFIG(FIT("%s" CHOOSE("optimiser.lr")), EVALUATE("\"fit\"")),
                   some);
    plan_case_must_open(&c, text, NULL);
    (void)snprintf(text, sizeof text, CONFIG(FIT("%s"), EVALUATE("\"fit\"")), some);
    plan_case_must_open(&plain, text, NULL);
    assert_int_equal(c.plan.stages[2].n_jobs, 1);
    assert_int_equal(c.plan.stages[3].n_jobs, 2);
    const struct planned_job *ltv = job_of(&c.plan, 3, 0), *constant = job_of(&c.plan, 3, 1);
    assert_int_equal(ltv->parents[0], c.plan.stages[2].jobs[0]);
    assert_string_equal(config_text(c.plan.jobs[constant->parents[0]].point, "method"), "constant");
    assert_true(plan_find(&plain.plan, constant->identity) != PLAN_NONE);
    assert_true(plan_find(&plain.plan, ltv->identity) == PLAN_NONE);
    plan_case_close(&c);
    plan_case_close(&plain);
}

static size_t count_shared(const char *a, const char *set_a, const char *b, size_t stage) {
    struct plan_case x, y;
    size_t n = 0;
    plan_case_must_open(&x, a, set_a);
    plan_case_must_open(&y, b, NULL);
    for (size_t i = 0; i < x.plan.stages[stage].n_jobs; i++)
        n += plan_find(&y.plan, job_of(&x.plan, stage, i)->identity) != PLAN_NONE;
    plan_case_close(&x);
    plan_case_close(&y);
    return n;
}

/* The fits keep their identities; a choice and its evaluations change with its candidates. */
static void identities_follow_the_candidates(void **state) {
    (void)state;
    static const char config[] = CONFIG(FIT(SWEEP CHOOSE("optimiser.lr")), EVALUATE("\"fit\""));
    static const char plain[] = CONFIG(FIT(SWEEP), EVALUATE("\"fit\""));
    assert_int_equal(count_shared(config, NULL, plain, 1), 12);
    assert_int_equal(count_shared(config, "fit.optimiser.lr=[1e-2,1e-3,1e-1,1e-4]", config, 1), 12);
    assert_int_equal(count_shared(config, "fit.optimiser.lr=[1e-2,1e-3,1e-1,1e-4]", config, 2), 0);
    assert_int_equal(count_shared(config, "fit.optimiser.lr=[1e-2,1e-3,1e-1,1e-4]", config, 3), 0);
    assert_int_equal(count_shared(config, "fit.repeat=1", config, 2), 2);
    assert_int_equal(count_shared(config, "fit.repeat=1", config, 3), 2);
}

static void refused(const char *choose, const char *want) {
    struct plan_case c;
    struct err err = {0};
    char text[2048];
    (void)snprintf(text, sizeof text, CONFIG(FIT(SWEEP "%s"), EVALUATE("\"fit\"")), choose);
    assert_int_equal(plan_case_open(&c, text, NULL, &err), ERR_CONFIG);
    if (!strstr(err.msg, "a.cfg:3:") || !strstr(err.msg, want)) {
        print_error("received: %s\nexpected: %s\n", err.msg, want);
        fail();
    }
    plan_case_close(&c);
}

static void mistakes_are_refused(void **state) {
    (void)state;
    refused(CHOOSE("batch"), "fit_choice.key: batch is not an axis");
    refused(CHOOSE("lr"), "\"lr\" is no key of a stage fit (did you mean optimiser.lr?)");
    refused(CHOOSE("optimiser.lrr"), "did you mean optimiser.lr?");
    refused(CHOOSE("colour"), "\"colour\" is no key of a stage fit");
    refused(CHOOSE("points"), "fits that differ in points are not compared");
    refused(CHOOSE("source.dims"), "fits that differ in source.dims are not compared");
    refused("choose = { key = \"optimiser.lr\"; by = \"evaluation\"; };", "fit_choice.by: ");
    refused("choose = { by = \"validation\"; };", "fit_choice.key: ");
    refused("choose = { key = \"optimiser.lr\"; bye = \"validation\"; };", "did you mean");
    refused("choose = \"optimiser.lr\";", "fit.choose: expected a group { key = ");
    refused("choose = { of = \"pretrain\"; key = \"optimiser.lr\"; };", "fit.choose: of is given");
    refused("choose = { name = \"pretrain\"; key = \"optimiser.lr\"; };",
            "another stage is: give a name");
}

static void too_many_candidates_are_refused(void **state) {
    (void)state;
    struct plan_case c;
    struct err err = {0};
    char text[2048] = CONFIG(FIT("method = \"ltv\"; optimiser = { lr = [1e-2"), "");
    char *end = strstr(text, " },\n );");
    assert_non_null(end);
    for (int i = 1; i <= JOB_PARENTS; i++) end += sprintf(end, ", %de-4", i);
    (void)sprintf(end, "]; };" CHOOSE("optimiser.lr") " },\n" EVALUATE("\"fit\"") " );\n");
    assert_int_equal(plan_case_open(&c, text, NULL, &err), ERR_CONFIG);
    assert_non_null(strstr(err.msg, "optimiser.lr has 65 values, a choice is among at most 64"));
    plan_case_close(&c);
}

static void a_choice_of_one_value_is_noted(void **state) {
    (void)state;
    struct plan_case c;
    struct plan_notes notes;
    struct err err = {0};
    bool noted = false;
    plan_case_must_open(&c, CONFIG(FIT(SWEEP CHOOSE("optimiser.lr")), EVALUATE("\"fit\"")),
                        "fit.optimiser.lr=0.5");
    assert_int_equal(c.plan.stages[2].n_jobs, 0);
    assert_int_equal(c.plan.stages[3].n_jobs, 4);
    assert_int_equal(plan_notes_make(&notes, &c.plan, &err), ERR_OK);
    for (size_t i = 0; i < notes.n; i++)
        noted |= strstr(notes.items[i], "no fits differ in optimiser.lr alone") != NULL;
    assert_true(noted);
    plan_notes_release(&notes);
    plan_case_close(&c);
}

/* The resolved config has the stage written out, and plans the same. */
static void the_resolved_config_plans_the_same(void **state) {
    (void)state;
    struct plan_case a, b;
    struct text text = {0};
    plan_case_must_open(&a, CONFIG(FIT(SWEEP CHOOSE("optimiser.lr")), EVALUATE("\"fit\"")), NULL);
    config_print(&text, a.config);
    assert_non_null(strstr(text_str(&text), "\"fit_choice\""));
    plan_case_must_open(&b, text_str(&text), NULL);
    assert_int_equal(a.plan.n_jobs, b.plan.n_jobs);
    for (size_t j = 0; j < a.plan.n_jobs; j++)
        assert_string_equal(a.plan.jobs[j].identity, b.plan.jobs[j].identity);
    text_release(&text);
    plan_case_close(&a);
    plan_case_close(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_choice_for_each_combination_of_the_other_keys),
        cmocka_unit_test(the_group_is_a_stage),
        cmocka_unit_test(fits_and_choices_can_both_be_read),
        cmocka_unit_test(keys_below_the_chosen_one_follow_it),
        cmocka_unit_test(a_fit_that_is_alone_is_read_directly),
        cmocka_unit_test(identities_follow_the_candidates),
        cmocka_unit_test(mistakes_are_refused),
        cmocka_unit_test(too_many_candidates_are_refused),
        cmocka_unit_test(a_choice_of_one_value_is_noted),
        cmocka_unit_test(the_resolved_config_plans_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
