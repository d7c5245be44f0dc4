#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "journal/history.h"
#include "sched/queue.h"

struct script {
    struct text data, line;
};

static void identity(char out[65], unsigned job) { (void)snprintf(out, 65, "%064x", job); }

static void begin(struct script *s, enum event_kind kind, unsigned job) {
    char id[65];
    event_begin(&s->line, kind);
    identity(id, job);
    if (kind != EVENT_ATTEMPT && kind != EVENT_END && kind != EVENT_LEAVE && kind != EVENT_JOURNAL)
        event_text(&s->line, "job", id);
}

static void end(struct script *s) {
    event_end(&s->line);
    text_bytes(&s->data, s->line.data, s->line.size);
}

static void say(struct script *s, enum event_kind kind, unsigned job) {
    begin(s, kind, job);
    end(s);
}

static void say_row(struct script *s, unsigned job, int64_t number, const char *word) {
    const struct job_value cell = {JOB_TEXT, {.text = word}};
    begin(s, EVENT_ROW, job);
    event_integer(&s->line, "number", number);
    event_cell(&s->line, &cell);
    end(s);
}

static void say_checkpoint(struct script *s, unsigned job, double done) {
    begin(s, EVENT_CHECKPOINT, job);
    event_real(&s->line, "done", done);
    event_real(&s->line, "total", 10.0);
    end(s);
}

static void replay(struct history *h, struct script *s) {
    struct err err;
    history_release(h);
    assert_int_equal(history_replay(h, text_str(&s->data), s->data.size, &err), ERR_OK);
}

static const struct history_job *job_of(const struct history *h, unsigned job) {
    char id[65];
    identity(id, job);
    return history_find(h, id);
}

static void finish(struct history *h, struct script *s) {
    history_release(h);
    text_release(&s->data);
    text_release(&s->line);
}

static void test_rows(void **state) {
    (void)state;
    struct script s = {0};
    struct history h = {0};
    say(&s, EVENT_JOURNAL, 0);
    say(&s, EVENT_ATTEMPT, 0);
    say(&s, EVENT_START, 1);
    say_row(&s, 1, 2, "two");
    say_row(&s, 1, 0, "nought");
    say_row(&s, 1, 1, "first");
    say_row(&s, 1, 1, "second");
    begin(&s, EVENT_DONE, 1);
    event_integer(&s.line, "artifact", 1);
    event_real(&s.line, "seconds", 3.0);
    event_real(&s.line, "cpu", 1.5);
    event_integer(&s.line, "bytes", 99);
    event_text(&s.line, "shards", "0:0-3,1:4-7");
    end(&s);
    replay(&h, &s);
    const struct history_job *job = job_of(&h, 1);
    assert_non_null(job);
    assert_int_equal(job->state, HISTORY_DONE);
    assert_int_equal(job->n_rows, 3);
    assert_string_equal(job->rows[0].cells[0].as.text, "nought");
    assert_string_equal(job->rows[1].cells[0].as.text, "second");
    assert_string_equal(job->rows[2].cells[0].as.text, "two");
    assert_true(job->artifact);
    assert_int_equal(job->bytes, 99);
    assert_true(job->seconds == 3.0 && job->cpu == 1.5);
    assert_string_equal(job->shards, "0:0-3,1:4-7");
    assert_null(job_of(&h, 2));
    assert_int_equal(h.attempts[0].done, 1);
    finish(&h, &s);
}

/* What is done without all of its rows runs again. */
static void test_lost_row(void **state) {
    (void)state;
    struct script s = {0};
    struct history h = {0};
    say(&s, EVENT_ATTEMPT, 0);
    for (unsigned job = 1; job <= 2; job++) {
        say(&s, EVENT_START, job);
        say_row(&s, job, 0, "nought");
        if (job == 1) s.data.data[s.data.size - 3] ^= 1; /* a bit of its row */
        say_row(&s, job, 1, "one");
        begin(&s, EVENT_DONE, job);
        event_integer(&s.line, "rows", 2);
        end(&s);
    }
    replay(&h, &s);
    assert_int_equal(h.damaged, 1);
    assert_int_equal(job_of(&h, 1)->n_rows, 1);
    assert_int_equal(job_of(&h, 1)->state, HISTORY_STOPPED);
    assert_int_equal(job_of(&h, 2)->state, HISTORY_DONE);
    finish(&h, &s);
}

static void test_many_jobs(void **state) {
    (void)state;
    struct script s = {0};
    struct history h = {0};
    for (unsigned i = 0; i < 5000; i++) say(&s, EVENT_START, i * 7919);
    replay(&h, &s);
    assert_int_equal(h.n_jobs, 5000);
    for (unsigned i = 0; i < 5000; i++) assert_non_null(job_of(&h, i * 7919));
    assert_null(job_of(&h, 1));
    finish(&h, &s);
}

/* The life of a job that kills its attempts, and of one that is merely there when they die. */
static void test_lost(void **state) {
    (void)state;
    struct script s = {0};
    struct history h = {0};
    bool lost;
    for (unsigned attempt = 1; attempt <= 5; attempt++) {
        say(&s, EVENT_ATTEMPT, 0);
        say(&s, EVENT_START, 1);
        say(&s, EVENT_START, 2);
        say_checkpoint(&s, 2, attempt); /* it gets on */
        replay(&h, &s);
        assert_int_equal(job_of(&h, 1)->state, HISTORY_STARTED);
        assert_int_equal(job_of(&h, 1)->lost, attempt);
        assert_int_equal(job_of(&h, 2)->lost, 1);
        assert_int_equal(queue_initial_state(job_of(&h, 1), false, &lost),
                         attempt < 5 ? QUEUE_PENDING : QUEUE_FAILED);
        assert_int_equal(lost, attempt == 5);
        assert_int_equal(queue_initial_state(job_of(&h, 1), true, &lost), QUEUE_PENDING);
        if (attempt % 2) continue;
        begin(&s, EVENT_END, 0); /* a rank fell silent: as bad as a death */
        event_integer(&s.line, "code", 71);
        end(&s);
    }
    begin(&s, EVENT_FAILED, 1);
    event_text(&s.line, "class", "lost");
    event_text(&s.line, "reason", "50% \t gone");
    end(&s);
    replay(&h, &s);
    assert_int_equal(job_of(&h, 1)->state, HISTORY_FAILED);
    assert_int_equal(job_of(&h, 1)->lost, 0);
    assert_string_equal(job_of(&h, 1)->failed_class, "lost");
    assert_string_equal(job_of(&h, 1)->reason, "50% \t gone");
    finish(&h, &s);
}

/* An attempt that died when it had been asked to leave neither blames its jobs nor clears them. */
static void test_asked(void **state) {
    (void)state;
    struct script s = {0};
    struct history h = {0};
    for (unsigned attempt = 1; attempt <= 9; attempt++) {
        say(&s, EVENT_ATTEMPT, 0);
        say(&s, EVENT_START, 1);
        if (attempt != 2) say(&s, EVENT_LEAVE, 0);
        replay(&h, &s);
        assert_int_equal(job_of(&h, 1)->lost, attempt > 1);
    }
    finish(&h, &s);
}

/* An attempt that ended let its jobs go: nobody is to blame. */
static void test_ended(void **state) {
    (void)state;
    struct script s = {0};
    struct history h = {0};
    for (int attempt = 0; attempt < 7; attempt++) {
        say(&s, EVENT_ATTEMPT, 0);
        say(&s, EVENT_START, 1);
        begin(&s, EVENT_END, 0);
        event_integer(&s.line, "code", 75);
        end(&s);
    }
    replay(&h, &s);
    assert_int_equal(job_of(&h, 1)->state, HISTORY_STOPPED);
    assert_int_equal(job_of(&h, 1)->lost, 0);
    assert_int_equal(job_of(&h, 1)->starts, 7);
    assert_int_equal(h.n_attempts, 7);
    assert_true(h.attempts[6].ended);
    assert_int_equal(h.attempts[6].code, 75);
    finish(&h, &s);
}

/* Every prefix of a journal is a journal. */
static void test_prefixes(void **state) {
    (void)state;
    struct script s = {0};
    struct history h = {0};
    struct err err;
    say(&s, EVENT_JOURNAL, 0);
    say(&s, EVENT_ATTEMPT, 0);
    say(&s, EVENT_START, 1);
    say_row(&s, 1, 0, "x");
    say(&s, EVENT_DONE, 1);
    say(&s, EVENT_DONE, 1);
    for (size_t size = 0; size <= s.data.size; size++) {
        assert_int_equal(history_replay(&h, text_str(&s.data), size, &err), ERR_OK);
        assert_int_equal(h.damaged, 0);
        history_release(&h);
    }
    replay(&h, &s);
    assert_int_equal(job_of(&h, 1)->dones, 2);
    finish(&h, &s);
}

/* Every line twice, as after a write that was repeated: the same jobs in the same states. */
static void test_duplicates(void **state) {
    (void)state;
    struct script s = {0};
    struct history h = {0};
    bool lost;
    for (int64_t attempt = 1; attempt <= 3; attempt++) {
        for (int twice = 0; twice < 2; twice++) {
            begin(&s, EVENT_ATTEMPT, 0);
            event_integer(&s.line, "number", attempt);
            end(&s);
        }
        for (unsigned job = 1; job <= 3; job++)
            for (int twice = 0; twice < 2; twice++) say(&s, EVENT_START, job);
        for (int twice = 0; twice < 2; twice++) say_row(&s, 2, 0, "nought");
        for (int twice = 0; twice < 2; twice++) say_checkpoint(&s, 3, 1.0);
    }
    for (int twice = 0; twice < 2; twice++) {
        begin(&s, EVENT_DONE, 2);
        event_integer(&s.line, "rows", 1);
        end(&s);
    }
    replay(&h, &s);
    assert_int_equal(h.n_attempts, 3);
    assert_int_equal(job_of(&h, 1)->lost, 3);
    assert_int_equal(queue_initial_state(job_of(&h, 1), false, &lost), QUEUE_PENDING);
    assert_int_equal(job_of(&h, 2)->state, HISTORY_DONE);
    assert_int_equal(job_of(&h, 2)->n_rows, 1);
    assert_int_equal(job_of(&h, 3)->state, HISTORY_STARTED);
    assert_true(job_of(&h, 3)->total == 10.0);
    finish(&h, &s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),      cmocka_unit_test(test_lost_row),
        cmocka_unit_test(test_many_jobs), cmocka_unit_test(test_lost),
        cmocka_unit_test(test_asked),     cmocka_unit_test(test_ended),
        cmocka_unit_test(test_prefixes),  cmocka_unit_test(test_duplicates),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
