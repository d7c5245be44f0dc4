/* The metadata of artifacts: what a job is, as JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run/plan/job_about.h"
#include "run/plan_case.h"
#include "json/json.h"

static const char CHAIN[] = PLAN_CASE_TOP "stages = ( " PLAN_CASE_PRETRAIN ",\n" PLAN_CASE_FIT
                                          ",\n" PLAN_CASE_EVALUATE " );\n";
static struct err err;

static struct json about(const struct plan *p, size_t job) {
    struct text out = {0};
    struct json root = {0};
    if (job_about_write(&out, p, job, &err) != ERR_OK ||
        json_parse(&root, out.data, out.size, "about", &err) != ERR_OK)
        fail_msg("%s", err.msg);
    text_release(&out);
    return root;
}

static const char *text_of(struct json object, const char *key) {
    const char *text = NULL;
    if (json_read_text(&text, json_member(object, key), key, &err) != ERR_OK)
        fail_msg("%s", err.msg);
    return text;
}

/* Jobs 1 .. 4 are the fits, job 5 evaluates job 1, job 9 is the plain model. */
static void an_evaluation_names_its_fit_and_its_model(void **state) {
    (void)state;
    struct plan_case c;
    plan_case_must_open(&c, CHAIN, NULL);
    const struct planned_job *jobs = c.plan.jobs;
    struct json root = about(&c.plan, 5);
    assert_string_equal(text_of(root, "stage"), "evaluate");
    assert_string_equal(text_of(root, "job"), "evaluate[0]");
    assert_string_equal(text_of(root, "identity"), jobs[5].identity);
    assert_string_equal(text_of(root, "method"), "ltv");
    assert_string_equal(text_of(json_member(root, "model"), "identity"), jobs[0].identity);
    const struct json reads = json_member(root, "reads");
    assert_int_equal(json_count(reads), 2);
    assert_string_equal(text_of(json_item(reads, 0), "job"), "fit[0]");
    int64_t seed = 0;
    assert_int_equal(json_read_int(&seed, json_member(root, "seed"), "seed", &err), ERR_OK);
    assert_int_equal(seed, 1);
    assert_non_null(strstr(text_of(root, "config"), "points = 8;\n"));
    assert_non_null(strstr(text_of(root, "config"), "source.problem = \"linear\";\n"));
    json_release(&root);
    plan_case_close(&c);
}

static void a_control_and_a_pretraining_have_less(void **state) {
    (void)state;
    struct plan_case c;
    plan_case_must_open(&c, CHAIN, NULL);
    struct json plain = about(&c.plan, 9), model = about(&c.plan, 0);
    assert_string_equal(text_of(plain, "control"), "plain");
    assert_int_equal(json_kind(json_member(plain, "method")), JSON_KIND_ABSENT);
    assert_int_equal(json_kind(json_member(model, "model")), JSON_KIND_ABSENT);
    assert_int_equal(json_count(json_member(model, "reads")), 0);
    json_release(&plain);
    json_release(&model);
    plan_case_close(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_evaluation_names_its_fit_and_its_model),
        cmocka_unit_test(a_control_and_a_pretraining_have_less),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
