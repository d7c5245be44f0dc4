/* The journal lines that the coordinator writes; journal/event.h lists their fields. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "journal/event.h"
#include "par/coordinator.h"
#include "par/coordinator_faults.h"

static void begin_line(struct coordinator *c, enum event_kind kind, size_t job) {
    event_begin(&c->line, kind);
    event_text(&c->line, "job", c->f->jobs[job].identity);
}

/* Milliseconds since the attempt began. */
static void add_ms(struct coordinator *c) {
    event_integer(&c->line, "ms", (int64_t)(1e3 * (clock_now() - c->began)));
}

enum err_code coordinator_append(struct coordinator *c, const char *line, size_t size,
                                 struct err *err) {
    const enum inject_kind fault = inject_find(&c->inject, true, c->journal.lines);
    if (fault != INJECT_NONE) return fault_at_line(c, fault, line, size, err);
    journal_add(&c->journal, line, size);
    return ERR_OK;
}

enum err_code coordinator_append_built(struct coordinator *c, struct err *err) {
    enum err_code rc = ERR_OK;
    event_end(&c->line);
    TRY(text_check(&c->line, err));
    TRY(coordinator_append(c, c->line.data, c->line.size, err));
cleanup:
    return rc;
}

enum err_code coordinator_append_lines(struct coordinator *c, const char *lines, size_t size,
                                       struct err *err) {
    enum err_code rc = ERR_OK;
    while (size > 0) {
        const char *end = memchr(lines, '\n', size);
        CHECK(end, ERR_BUG, "a journal line without its newline");
        const size_t n = (size_t)(end - lines) + 1;
        TRY(coordinator_append(c, lines, n, err));
        lines += n;
        size -= n;
    }
cleanup:
    return rc;
}

/* ---------------------------------------------------------------- the attempt */

enum err_code coordinator_append_attempt(struct coordinator *c, struct err *err) {
    char utc[32];
    const size_t n = c->history.n_attempts;
    clock_utc(utc);
    event_begin(&c->line, EVENT_ATTEMPT);
    event_integer(&c->line, "number", (int64_t)(n ? c->history.attempts[n - 1].number : 0) + 1);
    event_text(&c->line, "utc", utc);
    event_text(&c->line, "host", c->par->host);
    event_text(&c->line, "hosts", text_str(&c->hosts));
    event_integer(&c->line, "pid", getpid());
    event_integer(&c->line, "ranks", c->par->size);
    for (size_t i = 0; i < c->f->n_provenance; i++)
        event_text(&c->line, c->f->provenance[i].name, c->f->provenance[i].value);
    return coordinator_append_built(c, err);
}

enum err_code coordinator_append_signal(struct coordinator *c, struct err *err) {
    enum err_code rc = ERR_OK;
    if (c->stop.signal_unwritten == 0) return ERR_OK;
    event_begin(&c->line, EVENT_LEAVE);
    event_text(&c->line, "signal", strsignal(c->stop.signal_unwritten));
    c->stop.signal_unwritten = 0;
    TRY(coordinator_append_built(c, err));
    TRY(journal_flush(&c->journal, err));
cleanup:
    return rc;
}

enum err_code coordinator_append_end(struct coordinator *c, int exit_code, struct err *err) {
    char utc[32];
    clock_utc(utc);
    event_begin(&c->line, EVENT_END);
    event_text(&c->line, "utc", utc);
    event_integer(&c->line, "code", exit_code);
    event_text(&c->line, "reason", c->fatal.code != ERR_OK ? c->fatal.msg : "");
    return coordinator_append_built(c, err);
}

/* ---------------------------------------------------------------- a job */

enum err_code coordinator_append_start(struct coordinator *c, const struct task *t,
                                       struct err *err) {
    enum err_code rc = ERR_OK;
    struct text ranks = {0};
    for (int i = 0; i < t->group; i++) text_add(&ranks, i ? ",%d" : "%d", (int)t->ranks[i]);
    TRY(text_check(&ranks, err));
    begin_line(c, EVENT_START, t->job);
    event_text(&c->line, "ranks", text_str(&ranks));
    event_integer(&c->line, "serial", (int64_t)t->serial);
    add_ms(c);
    TRY(coordinator_append_built(c, err));
cleanup:
    text_release(&ranks);
    return rc;
}

enum err_code coordinator_append_checkpoint(struct coordinator *c, const struct task *t,
                                            double done, double total, struct err *err) {
    begin_line(c, EVENT_CHECKPOINT, t->job);
    event_real(&c->line, "done", done);
    event_real(&c->line, "total", total);
    add_ms(c);
    return coordinator_append_built(c, err);
}

/* "0:0-1,1:2-3": group rank, first and last shard; a rank without shards is left out. */
static void add_shards(struct text *out, const struct task *t) {
    for (int i = 0; i < t->group; i++) {
        const double first = t->shards[2 * i], n = t->shards[2 * i + 1];
        if (n >= 1.0)
            text_add(out, "%s%d:%.0f-%.0f", out->size ? "," : "", i, first, first + n - 1.0);
    }
}

enum err_code coordinator_append_done(struct coordinator *c, const struct task *t,
                                      struct err *err) {
    enum err_code rc = ERR_OK;
    struct text shards = {0};
    add_shards(&shards, t);
    TRY(text_check(&shards, err));
    begin_line(c, EVENT_DONE, t->job);
    event_integer(&c->line, "rows", (int64_t)t->result.rows);
    event_real(&c->line, "seconds", t->seconds);
    event_real(&c->line, "cpu", t->result.cpu);
    event_real(&c->line, "share", t->result.share);
    event_integer(&c->line, "artifact", t->result.artifact);
    event_integer(&c->line, "bytes", (int64_t)t->result.bytes);
    event_text(&c->line, "sha256", t->result.sha256);
    event_text(&c->line, "shards", text_str(&shards));
    if (t->result.contexts_found + t->result.contexts_made > 0) {
        event_integer(&c->line, "found", (int64_t)t->result.contexts_found);
        event_integer(&c->line, "made", (int64_t)t->result.contexts_made);
    }
    TRY(coordinator_append_built(c, err));
cleanup:
    text_release(&shards);
    return rc;
}

enum err_code coordinator_append_failed(struct coordinator *c, size_t job, enum failure failure,
                                        const char *reason, struct err *err) {
    begin_line(c, EVENT_FAILED, job);
    event_text(&c->line, "class", failure_text(failure));
    event_text(&c->line, "reason", reason);
    return coordinator_append_built(c, err);
}

enum err_code coordinator_append_stopped(struct coordinator *c, const struct task *t,
                                         struct err *err) {
    begin_line(c, EVENT_STOPPED, t->job);
    return coordinator_append_built(c, err);
}
