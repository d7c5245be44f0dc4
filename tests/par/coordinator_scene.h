/*
 * coordinator_scene.h - a coordinator with a fake transport and a real journal in a folder of its
 * own.
 *
 * A test feeds one event (a message of a rank, a signal, time that passes) and checks what was sent
 * and journaled, in order, and that nothing else was.  Time passes by moving the coordinator's own
 * marks back, so no test sleeps.
 */
#ifndef TESTS_PAR_COORDINATOR_SCENE_H
#define TESTS_PAR_COORDINATOR_SCENE_H

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "journal/event.h"
#include "par/coordinator.h"
#include "par/fake_transport.h"
#include "twins/scratch.h"

enum { SCENE_JOBS_MOST = 8 };

struct scene {
    struct scratch scratch;
    struct fake_transport transport;
    struct par par;
    struct farm farm;
    struct planned_job jobs[SCENE_JOBS_MOST];
    bool skip[SCENE_JOBS_MOST];
    struct coordinator c;
    pid_t child;
    int signals[2]; /* a pipe in place of the signalfd */
    bool work;      /* coordinator_begin() found something to do */
    size_t line;    /* journal lines that expect_line() has taken */
    struct err err;
    struct event_reader reader;
    struct text text; /* of the journal */
};

static enum err_code scene_order(struct text *out, size_t job, void *context, struct err *err) {
    (void)context;
    text_add(out, "order %zu", job);
    return text_check(out, err);
}

/* ranks, and n jobs of cost 1 for one rank each; a test changes s->jobs before scene_begin(). */
static inline void scene_create(struct scene *s, int ranks, size_t n) {
    *s = (struct scene){.par = {.size = ranks, .silence = 60.0, .host = "here"}};
    scratch_create(&s->scratch);
    fake_transport_init(&s->transport);
    assert_int_equal(pipe2(s->signals, O_NONBLOCK), 0);
    s->par.signals = s->signals[0];
    for (size_t i = 0; i < n; i++) {
        s->jobs[i] = (struct planned_job){.label = "job", .cost = {.flops = 1.0, .group = 1}};
        (void)snprintf(s->jobs[i].identity, HASH_HEX, "%064zx", i + 1);
    }
    s->farm = (struct farm){.dir = s->scratch.folder,
                            .jobs = s->jobs,
                            .n_jobs = n,
                            .skip = s->skip,
                            .memory = 1000,
                            .order = scene_order,
                            .log = {.level = LOG_ERROR}};
}

/* Reads the journal written so far; expect_line() continues after the line it read last. */
static inline void scene_read_journal(struct scene *s) {
    event_reader_release(&s->reader);
    text_release(&s->text);
    s->text = (struct text){0};
    if (s->c.journal.path[0]) MUST_SUCCEED(s, journal_flush(&s->c.journal, &s->err));
    MUST_SUCCEED(s, journal_read(&s->text, s->scratch.folder, &s->err));
    event_reader_init(&s->reader, s->text.data, s->text.size);
    for (size_t i = 0; i < s->line; i++) (void)event_reader_next(&s->reader);
}

/* The next journal line is of this kind; its fields by event_find(). */
static inline const struct event *expect_line(struct scene *s, enum event_kind kind) {
    scene_read_journal(s);
    if (!event_reader_next(&s->reader)) fail_msg("no line %zu in the journal", s->line);
    s->line++;
    if (s->reader.event.kind != kind)
        fail_msg("journal line %zu is \"%s\", expected kind %d", s->line - 1, s->reader.event.word,
                 kind);
    return &s->reader.event;
}

static inline void expect_field(const struct event *e, const char *name, const char *value) {
    const char *found = event_find(e, name);
    if (!found || strcmp(found, value) != 0)
        fail_msg("%s: %s is \"%s\", expected \"%s\"", e->word, name, found ? found : "missing",
                 value);
}

/* A line of this kind about this job. */
static inline const struct event *expect_job_line(struct scene *s, enum event_kind kind,
                                                  size_t job) {
    const struct event *e = expect_line(s, kind);
    expect_field(e, "job", s->jobs[job].identity);
    return e;
}

static inline void expect_no_line(struct scene *s) {
    scene_read_journal(s);
    if (event_reader_next(&s->reader))
        fail_msg("journal line %zu is \"%s\", expected none", s->line, s->reader.event.word);
}

/* An attempt begins in the scene's folder, after what earlier ones left there. */
static inline void scene_begin(struct scene *s) {
    s->c = (struct coordinator){.f = &s->farm,
                                .par = &s->par,
                                .transport = &s->transport.base,
                                .own_child = &s->child,
                                .journal.fd = -1};
    MUST_SUCCEED(s, coordinator_begin(&s->c, &s->work, &s->err));
}

/* The first attempt; its lines of the journal are taken. */
static inline void scene_begin_first(struct scene *s) {
    scene_begin(s);
    (void)expect_line(s, EVENT_JOURNAL);
    (void)expect_line(s, EVENT_ATTEMPT);
    expect_no_line(s);
}

static inline void scene_end_attempt(struct scene *s) {
    coordinator_release(&s->c);
    s->c = (struct coordinator){0};
    fake_transport_release(&s->transport);
}

static inline void scene_destroy(struct scene *s) {
    scene_end_attempt(s);
    event_reader_release(&s->reader);
    text_release(&s->text);
    close(s->signals[0]);
    close(s->signals[1]);
    scratch_destroy(&s->scratch);
}

static inline void scene_dispatch(struct scene *s) {
    MUST_SUCCEED(s, coordinator_dispatch(&s->c, &s->err));
}

static inline void scene_tick(struct scene *s) {
    MUST_SUCCEED(s, coordinator_tick(&s->c, &s->err));
}

/* An ORDER went to this rank, and START with these ranks stands in the journal. The serial. */
static inline uint64_t expect_start(struct scene *s, size_t job, int rank, const char *ranks) {
    expect_field(expect_job_line(s, EVENT_START, job), "ranks", ranks);
    return expect_sent(&s->transport, rank, MESSAGE_ORDER)->head.serial;
}

/* A message of a rank about a task. */
static inline void scene_receive(struct scene *s, int rank, struct message_head head,
                                 const void *payload) {
    MUST_SUCCEED(s, coordinator_receive(&s->c, rank, &head, payload, &s->err));
}

static inline void scene_receive_done(struct scene *s, int rank, uint64_t serial) {
    const struct message_done done = {.rows = 0, .share = 1.0};
    scene_receive(s, rank,
                  (struct message_head){
                      .kind = MESSAGE_DONE, .serial = serial, .a = 2.5, .size = sizeof done},
                  &done);
}

static inline void scene_receive_plain(struct scene *s, int rank, enum message_kind kind,
                                       uint64_t serial) {
    scene_receive(s, rank, (struct message_head){.kind = kind, .serial = serial}, NULL);
}

static inline void scene_receive_failed(struct scene *s, int rank, uint64_t serial,
                                        enum failure failure, const char *reason) {
    scene_receive(s, rank,
                  (struct message_head){.kind = MESSAGE_FAILED,
                                        .serial = serial,
                                        .code = (int32_t)failure,
                                        .size = strlen(reason)},
                  reason);
}

static inline void scene_signal(struct scene *s, int number) {
    const struct signalfd_siginfo info = {.ssi_signo = (uint32_t)number};
    assert_int_equal(write(s->signals[1], &info, sizeof info), sizeof info);
}

/* So many seconds pass for the stop and the time limit. */
static inline void scene_pass(struct scene *s, double seconds) {
    s->c.stop.since -= seconds;
    if (s->c.stop.first_signal > 0.0) s->c.stop.first_signal -= seconds;
    s->c.limit.end -= seconds;
    s->c.limit.stop_at -= seconds;
}

/* Writes into the run's folder, making the folders on the way. */
static inline void scene_write_file(const struct scene *s, const char *folder, const char *name) {
    char path[SCRATCH_PATH];
    (void)snprintf(path, sizeof path, "mkdir -p '%s/%s'", s->scratch.folder, folder);
    assert_int_equal(system(path), 0);
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    char out[SCRATCH_PATH];
    scratch_write(out, &s->scratch, path, "x", 1);
}

static inline bool scene_has_file(const struct scene *s, const char *name) {
    char path[SCRATCH_PATH];
    scratch_path(path, &s->scratch, name);
    return access(path, F_OK) == 0;
}

#endif
