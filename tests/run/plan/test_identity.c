#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "journal/event.h"
#include "run/plan/job_keys.h"
#include "run/plan_case.h"
#include "run/rundir/run_state.h"
#include "run/tables/digest.h"
#include "twins/error_says.h"

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

/* ---- a key that came later */

/* The chain with a key that every fit has, default 1; values NULL: without it. */
static void open_later(struct plan_case *c, bool later, const char *set) {
    static const struct config_key ROW = {.name = "later",
                                          .type = CONFIG_INT,
                                          .flags = CONFIG_AXIS | CONFIG_SINCE,
                                          .def = "1",
                                          .unit = "",
                                          .meaning = "A key of a later version."};
    struct err err;
    plan_case_write(c, CHAIN);
    SUCCEEDS(stage_schemas_init(&c->schemas, &err));
    for (size_t s = 0; later && s < c->schemas.n; s++)
        if (strcmp(c->schemas.names[s], "fit") == 0)
            SUCCEEDS(config_schema_add(&c->schemas.schemas[s], &ROW, 1, &err));
    SUCCEEDS(stage_schemas_open(&c->config, &c->schemas, c->path, &set, set != NULL, &err));
    SUCCEEDS(plan_make(&c->plan, c->config, &err));
}

/* As compare(), with the key in the second plan alone. */
static void check_later(const char *set, const char *want) {
    struct plan_case a, b;
    char got[256];
    size_t j = 0;
    open_later(&a, false, NULL);
    open_later(&b, true, set);
    for (; j < b.plan.n_jobs; j++)
        got[j] = plan_find(&a.plan, b.plan.jobs[j].identity) == PLAN_NONE ? 'x' : '=';
    got[j] = '\0';
    assert_string_equal(got, want);
    plan_case_close(&a);
    plan_case_close(&b);
}

static void a_later_key_keeps_what_was_computed(void **state) {
    (void)state;
    check_later(NULL, "=================");
    check_later("fit.later=1", "=================");
    check_later("fit.later=2", "=xxxxxxxx==xxxx==");
    check_later("fit.later=[1,2]", "==x=x=x=x=x=x=x=x===x=x=x=x==" /* the values alternate */);
}

/* What a compute child writes into its artifact is the identity of the point that it was sent. */
static void a_child_leaves_the_same_out(void **state) {
    static const char *const SETS[] = {NULL, "fit.later=1", "fit.later=2"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct plan_case c;
        struct text sent = {0}, here = {0}, there = {0};
        struct config_point *p = NULL;
        struct err err;
        open_later(&c, true, SETS[i]);
        config_point_write(&sent, c.plan.jobs[1].point);
        SUCCEEDS(config_point_read(&p, text_str(&sent), &err));
        config_point_identity(&here, c.plan.jobs[1].point);
        config_point_identity(&there, p);
        assert_string_equal(text_str(&there), text_str(&here));
        assert_int_equal(strstr(text_str(&here), "later") != NULL, i == 2);
        assert_int_equal(config_int(p, "later"), i == 2 ? 2 : 1);
        config_point_destroy(p);
        text_release(&sent), text_release(&here), text_release(&there);
        plan_case_close(&c);
    }
}

/* The resolved config has the key; a config from before opens, and `explain` finds no difference
 * to it, or this one. */
static void explain_shows_a_later_key_where_it_differs(void **state) {
    static const struct {
        const char *set;
        size_t n;
    } CASES[] = {{NULL, 0}, {"fit.later=2", 1}};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct plan_case before, now;
        struct job_keys was, is;
        struct job_change changes[256];
        struct text resolved = {0};
        struct err err;
        open_later(&before, false, NULL);
        open_later(&now, true, CASES[i].set);
        SUCCEEDS(job_keys_make(&was, &before.plan, 1, &err));
        SUCCEEDS(job_keys_make(&is, &now.plan, 1, &err));
        assert_true(was.n + is.n <= 256);
        assert_int_equal(job_keys_compare(changes, &was, &is), CASES[i].n);
        for (size_t k = 0; k < CASES[i].n; k++) {
            assert_string_equal(changes[k].name, "later");
            assert_null(changes[k].was);
            assert_string_equal(changes[k].is, "2");
        }
        config_print(&resolved, now.config);
        assert_non_null(strstr(text_str(&resolved), i ? "later = 2" : "later = 1"));
        text_release(&resolved);
        job_keys_release(&was), job_keys_release(&is);
        plan_case_close(&before), plan_case_close(&now);
    }
}

/* A journal in which every job is DONE. */
static void write_done(struct text *journal, const struct plan *p) {
    struct text line = {0};
    for (size_t j = 0; j < p->n_jobs; j++)
        for (int i = 0; i < 2; i++) {
            event_begin(&line, i ? EVENT_DONE : EVENT_START);
            event_text(&line, "job", p->jobs[j].identity);
            event_end(&line);
            text_bytes(journal, line.data, line.size);
        }
    text_release(&line);
}

static size_t make_digest(char out[HASH_HEX], struct plan_case *c, const struct text *journal) {
    struct run_state r = {.plan = c->plan};
    struct err err;
    size_t left = 0;
    r.jobs = calloc(c->plan.n_jobs, sizeof *r.jobs);
    assert_non_null(r.jobs);
    SUCCEEDS(history_replay(&r.history, text_str(journal), journal->size, &err));
    run_state_states(r.jobs, r.count, &r.plan, &r.history, NULL, false);
    SUCCEEDS(digest_make(out, &left, &r, &err));
    history_release(&r.history);
    free(r.jobs);
    return left;
}

/* What was DONE before the key came is DONE with it, and the digest is the same. */
static void the_digest_stays(void **state) {
    static const char *const SETS[] = {NULL, NULL, "fit.later=2"};
    struct text journal = {0};
    char digests[3][HASH_HEX];
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct plan_case c;
        open_later(&c, i > 0, SETS[i]);
        if (i == 0) write_done(&journal, &c.plan);
        assert_int_equal(make_digest(digests[i], &c, &journal), i == 2 ? 12 : 0);
        plan_case_close(&c);
    }
    text_release(&journal);
    assert_string_equal(digests[1], digests[0]);
    assert_string_not_equal(digests[2], digests[0]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_changes_what_it_touches),
        cmocka_unit_test(silent_keys_change_nothing),
        cmocka_unit_test(an_axis_grows_without_touching_the_rest),
        cmocka_unit_test(a_later_key_keeps_what_was_computed),
        cmocka_unit_test(a_child_leaves_the_same_out),
        cmocka_unit_test(explain_shows_a_later_key_where_it_differs),
        cmocka_unit_test(the_digest_stays),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
