#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "run/plan_case.h"

#include "journal/event.h"
#include "run/plan/job_find.h"
#include "run/plan/job_keys.h"

/* A journal that started the jobs of these identities. */
static void make_history(struct history *h, const char *const *identities, size_t n) {
    struct text data = {0}, line = {0};
    struct err err;
    for (size_t i = 0; i < n; i++) {
        event_begin(&line, EVENT_START);
        event_text(&line, "job", identities[i]);
        event_end(&line);
        text_bytes(&data, line.data, line.size);
    }
    assert_int_equal(history_replay(h, text_str(&data), data.size, &err), ERR_OK);
    text_release(&line);
    text_release(&data);
}

static void expect(const char *word, size_t job, const struct plan_case *c,
                   const struct history *h) {
    struct job_found found;
    struct err err = {0};
    if (job_find(&found, word, &c->plan, h, &err) != ERR_OK) fail_msg("%s: %s", word, err.msg);
    if (found.job != job) fail_msg("%s: job %zu, not %zu", word, found.job, job);
}

static void refuse(const char *word, const char *message, const struct plan_case *c,
                   const struct history *h) {
    struct job_found found;
    struct err err = {0};
    assert_int_equal(job_find(&found, word, &c->plan, h, &err), ERR_USAGE);
    if (!strstr(err.msg, message)) fail_msg("%s: no \"%s\" in: %s", word, message, err.msg);
}

static void test_find(void **state) {
    (void)state;
    struct plan_case c;
    struct history h = {0};
    char prefix[16], twin[HASH_HEX];
    plan_case_must_open(&c, PLAN_CASE_TOP "stages = (" PLAN_CASE_PRETRAIN "," PLAN_CASE_FIT ");",
                        NULL);
    /* One job that is no longer planned, one whose first digits are those of a planned one. */
    const char *gone = "feedfacefeedfacefeedfacefeedfacefeedfacefeedfacefeedfacefeedface";
    (void)snprintf(twin, sizeof twin, "%.16s%.48s", c.plan.jobs[2].identity, gone);
    make_history(&h, (const char *const[]){gone, twin, c.plan.jobs[1].identity}, 3);
    expect("pretrain[0]", 0, &c, &h);
    expect("fit[3]", 4, &c, &h);
    expect("4", 4, &c, &h);
    expect(c.plan.jobs[3].identity, 3, &c, &h);
    (void)snprintf(prefix, sizeof prefix, "%.15s", c.plan.jobs[1].identity);
    expect(prefix, 1, &c, &h);
    expect("feedface", PLAN_NONE, &c, &h);
    (void)snprintf(prefix, sizeof prefix, "%.15s", c.plan.jobs[2].identity);
    refuse(prefix, "2 jobs begin with it: fit[1] (", &c, &h);
    refuse(prefix, "no longer planned (", &c, &h);
    refuse("fit[7]", "fit[7]: no such job (did you mean fit[3]?): fit has 4 jobs, from 0 on", &c,
           &h);
    refuse("pretrain[1]", "pretrain has 1 job, from 0 on", &c, &h);
    refuse("fitt[0]", "did you mean fit[0]?", &c, &h);
    refuse("fee", "at least 4 digits of its identity", &c, &h);
    refuse("99", "no such job", &c, &h);
    refuse("", "no such job", &c, &h);
    history_release(&h);
    plan_case_close(&c);
}

/* A number is a line of the plan, but for one that is written as none is. */
static void test_numbers(void **state) {
    (void)state;
    static const char *const GONE[] = {
        "0003facefeedfacefeedfacefeedfacefeedfacefeedfacefeedfacefeedface",
        "1234567890edfacefeedfacefeedfacefeedfacefeedfacefeedfacefeedface"};
    struct plan_case c;
    struct history h = {0};
    plan_case_must_open(&c, PLAN_CASE_TOP "stages = (" PLAN_CASE_PRETRAIN "," PLAN_CASE_FIT ");",
                        NULL);
    make_history(&h, GONE, 2);
    expect("3", 3, &c, &h);
    expect("0003", PLAN_NONE, &c, &h);
    expect("1234567890", PLAN_NONE, &c, &h);
    expect("1234", PLAN_NONE, &c, &h); /* the plan has no such line */
    refuse("03", "no such job", &c, &h);
    refuse("0004", "no such job", &c, &h);
    history_release(&h);
    plan_case_close(&c);
}

static const char *value_of(const struct job_keys *k, const char *name) {
    for (size_t i = 0; i < k->n; i++)
        if (strcmp(k->items[i].name, name) == 0) return k->items[i].value;
    return "absent";
}

/* Two fits of one plan differ in the axes; a fit on another model in a key of that. */
static void test_keys(void **state) {
    (void)state;
    static const char text[] = PLAN_CASE_TOP "stages = (" PLAN_CASE_PRETRAIN "," PLAN_CASE_FIT ");";
    struct plan_case c, other;
    struct job_keys a, b;
    struct job_change changes[200];
    struct err err;
    plan_case_must_open(&c, text, NULL);
    plan_case_must_open(&other, text, "pretrain.steps=6");
    assert_int_equal(job_keys_make(&a, &c.plan, 1, &err), ERR_OK);
    assert_string_equal(value_of(&a, "seed"), "1");
    assert_string_equal(value_of(&a, "pretrain.steps"), "5");
    assert_string_equal(value_of(&a, "checkpoint_every"), "absent"); /* cannot change a result */
    assert_int_equal(job_keys_make(&b, &other.plan, 1, &err), ERR_OK);
    assert_int_equal(job_keys_compare(changes, &a, &b), 1);
    assert_string_equal(changes[0].name, "pretrain.steps");
    assert_string_equal(changes[0].was, "5");
    assert_string_equal(changes[0].is, "6");
    job_keys_release(&b);
    assert_int_equal(job_keys_make(&b, &c.plan, 2, &err), ERR_OK);
    const size_t n = job_keys_compare(changes, &a, &b);
    bool method = false;
    for (size_t i = 0; i < n; i++) method |= strcmp(changes[i].name, "method") == 0;
    if (!method) fail_msg("fit[0] and fit[1] differ in %zu keys, none of them the method", n);
    assert_int_equal(n, job_keys_compare(NULL, &a, &b));
    assert_int_equal(job_keys_compare(NULL, &a, &a), 0);
    job_keys_release(&a);
    job_keys_release(&b);
    plan_case_close(&other);
    plan_case_close(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_keys),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
