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

/* Which jobs of the chain have another identity under an override: a letter a job, in plan order,
 * '=' the same, 'x' another. */
static void compare(char *out, const char *set) {
    struct plan_case a, b;
    plan_case_must_open(&a, CHAIN, NULL);
    plan_case_must_open(&b, CHAIN, set);
    size_t j = 0;
    for (; j < b.plan.n_jobs; j++)
        out[j] = plan_find(&a.plan, b.plan.jobs[j].identity) == PLAN_NONE ? 'x' : '=';
    out[j] = '\0';
    plan_case_close(&a);
    plan_case_close(&b);
}

static void check(const char *set, const char *want) {
    char got[256];
    compare(got, set);
    if (strcmp(got, want) != 0) print_error("-s %s\n", set);
    assert_string_equal(got, want);
}

/* Plan order: pretrain, 4 fits, then for both lengths 4 evaluations, plain and zero. */
static void a_key_changes_what_it_touches(void **state) {
    (void)state;
    check("name=other", "=================");
    check("seed=2", "xxxxxxxxxxxxxxxxx");
    check("pretrain.optimiser.lr=0.5", "xxxxxxxxxxxxxxxxx");
    check("fit.optimiser.lr=0.5", "=xxxxxxxx==xxxx==");
    check("fit.ltv.reading=blocks", "=x=x=x=x===x=x===");
    check("evaluate.functions=9", "=====xxxxxxxxxxxx");
}

static void silent_keys_change_nothing(void **state) {
    (void)state;
    check("pretrain.group=2", "=================");
    check("pretrain.checkpoint_every=3", "=================");
    check("fit.checkpoint_every=3", "=================");
}

static void an_axis_grows_without_touching_the_rest(void **state) {
    (void)state;
    check("fit.repeat=[0,1,2]", "=====xx====xx======xx==" /* new fits and their evaluations */);
    check("evaluate.also=[zero,plain,window]", "===========x======x");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_changes_what_it_touches),
        cmocka_unit_test(silent_keys_change_nothing),
        cmocka_unit_test(an_axis_grows_without_touching_the_rest),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
