#include "cli/explain_print.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "run/plan/plan_folded.h"
#include "json/json_writer.h"

static const struct history_attempt *attempt_of(const struct explain *e) {
    const struct history *h = &e->record->history;
    for (size_t i = 0; e->found.past && i < h->n_attempts; i++)
        if (h->attempts[i].number == e->found.past->attempt) return &h->attempts[i];
    return NULL;
}

/* The differences between the job and the one it is compared with; NULL: no memory. Caller frees.
 */
static struct job_change *changes_of(size_t *n, const struct explain *e) {
    const bool gone =
        e->found.job == PLAN_NONE; /* then the job has the old keys, the planned one the new */
    const struct job_keys *was = gone ? &e->job.keys : &e->nearest.keys;
    const struct job_keys *is = gone ? &e->nearest.keys : &e->job.keys;
    struct job_change *out = calloc(was->n + is->n + 1, sizeof *out);
    *n = out ? job_keys_compare(out, was, is) : 0;
    return out;
}

/* ---- for people */

static void print_head(struct text *out, const struct explain *e) {
    if (e->job.found)
        text_add(out, "%s  %s\n", e->job.label, e->found.identity);
    else
        text_add(out, "%s\n", e->found.identity);
    text_add(out, "  %s\n", text_str(&e->verdict));
}

static void print_parents(struct text *out, const struct explain *e) {
    if (e->found.job == PLAN_NONE) return;
    const struct planned_job *job = &e->plan->jobs[e->found.job];
    for (size_t i = 0; i < job->n_parents; i++) {
        const char *label = e->plan->jobs[job->parents[i]].label;
        text_add(out, "  reads %s  %s  %s\n", label, e->plan->jobs[job->parents[i]].identity,
                 queue_state_text(e->states[job->parents[i]].state));
    }
}

/* Keys that the stage sets and this job does not read. */
static void print_unread(struct text *out, const struct explain *e) {
    struct text keys = {0};
    if (e->found.job == PLAN_NONE) return;
    const struct planned_job *job = &e->plan->jobs[e->found.job];
    plan_folded_unread(&keys, e->plan, job->stage, job->point);
    if (keys.size > 0 && e->record->schemas.whole)
        text_add(out,
                 "  it does not read %s, which identify it in this run, because a taskvec before "
                 "0.3.0 began it\n",
                 text_str(&keys));
    else if (keys.size > 0)
        text_add(out, "  it does not read %s, which are no part of its identity\n",
                 text_str(&keys));
    if (keys.failed) out->failed = true;
    text_release(&keys);
}

static void print_keys(struct text *out, const struct explain *e) {
    if (!e->job.found) {
        text_add(out,
                 "\nNone of the stored configs gives this job now: a stage or the content of a "
                 "file has changed\nsince, or an earlier taskvec stored no config.\n");
        return;
    }
    text_add(out, "\nwhat identifies it\n  %-28s %s\n", "stage", e->job.kind);
    for (size_t i = 0; i < e->job.keys.own; i++)
        text_add(out, "  %-28s %s\n", e->job.keys.items[i].name, e->job.keys.items[i].value);
    print_unread(out, e);
    print_parents(out, e);
}

static void print_attempt(struct text *out, const struct history_attempt *a) {
    static const char *const NAMES[] = {"utc", "hosts", "revision", "core", "command"};
    if (!a) return;
    text_add(out, "  attempt %zu", a->number);
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (history_field(a, NAMES[i]))
            text_add(out, ", %s %s", NAMES[i], history_field(a, NAMES[i]));
    text_add(out, "\n");
}

static void print_history(struct text *out, const struct explain *e) {
    const struct history_job *past = e->found.past;
    text_add(out, "\nhistory\n");
    if (!past) {
        text_add(out, "  nothing yet\n");
        return;
    }
    text_add(out, "  started %zu time%s, last in attempt %zu on rank %s\n", past->starts,
             text_plural(past->starts), past->attempt, *past->ranks ? past->ranks : "?");
    if (past->total > 0.0 && past->state != HISTORY_DONE)
        text_add(out, "  newest checkpoint at %.0f%%\n", 100.0 * past->done / past->total);
    if (past->state == HISTORY_DONE)
        text_add(out, "  DONE: %zu row%s, %.3g s of computing\n", past->n_rows,
                 text_plural(past->n_rows), past->seconds);
    if (past->state == HISTORY_DONE && past->artifact)
        text_add(out, "  artifact of %" PRIu64 " bytes, sha256 %s\n", past->bytes, past->sha256);
    if (past->state == HISTORY_FAILED)
        text_add(out, "  FAILED (%s): %s\n", past->failed_class, past->reason);
    print_attempt(out, attempt_of(e));
}

static void print_changes(struct text *out, const struct explain *e) {
    size_t n;
    if (!e->nearest.found) return;
    struct job_change *changes = changes_of(&n, e);
    text_add(out, "\n%s %s (%.12s); differences:\n",
             e->found.job == PLAN_NONE
                 ? "the most similar planned job is"
                 : "the most similar finished job that is no longer planned is",
             e->nearest.label, e->nearest.identity);
    for (size_t i = 0; i < n; i++)
        text_add(out, "  %-28s was %s, is %s\n", changes[i].name,
                 changes[i].was ? changes[i].was : "absent",
                 changes[i].is ? changes[i].is : "absent");
    free(changes);
}

/* The hash that a file had in an attempt, out of "HASH PATH, HASH PATH"; NULL: it was not read. */
static const char *hash_then(const struct history_attempt *a, const char *path) {
    const char *inputs = history_field(a, "inputs");
    const size_t size = strlen(path);
    for (const char *at = inputs; at && (at = strstr(at, path)); at++)
        if (at - inputs >= HASH_HEX && at[-1] == ' ' && (at[size] == ',' || at[size] == '\0'))
            return at - HASH_HEX;
    return NULL;
}

/* Files whose content has changed since an earlier attempt: jobs that read them have other
 * identities now. */
static void print_files(struct text *out, const struct explain *e) {
    const struct identity_files *files = e->plan->files;
    const struct history *h = &e->record->history;
    for (size_t i = 0; i < identity_files_count(files); i++) {
        const char *path = identity_files_path(files, i), *now = identity_files_hash(files, i);
        for (size_t k = h->n_attempts; k-- > 0;) {
            const char *then = hash_then(&h->attempts[k], path);
            if (!then || strncmp(then, now, HASH_HEX - 1) == 0) continue;
            text_add(out, "\ncontent changed since attempt %zu: %s\n  was %.64s, is %s\n",
                     h->attempts[k].number, path, then, now);
            break;
        }
    }
}

void explain_print(struct text *out, const struct explain *e) {
    print_head(out, e);
    print_keys(out, e);
    print_history(out, e);
    print_changes(out, e);
    print_files(out, e);
}

/* ---- for scripts */

static void json_keys(struct json_writer *w, const struct explain *e) {
    json_write_key(w, "keys"), json_write_object(w);
    for (size_t i = 0; i < e->job.keys.own; i++)
        json_write_key(w, e->job.keys.items[i].name),
            json_write_text(w, e->job.keys.items[i].value);
    json_write_close(w);
}

static void json_parents(struct json_writer *w, const struct explain *e) {
    const struct planned_job *job = e->found.job == PLAN_NONE ? NULL : &e->plan->jobs[e->found.job];
    json_write_key(w, "reads"), json_write_array(w);
    for (size_t i = 0; job && i < job->n_parents; i++) {
        const char *label = e->plan->jobs[job->parents[i]].label;
        json_write_object(w);
        json_write_key(w, "job"), json_write_text(w, label);
        json_write_key(w, "identity"), json_write_text(w, e->plan->jobs[job->parents[i]].identity);
        json_write_key(w, "state"),
            json_write_text(w, queue_state_text(e->states[job->parents[i]].state));
        json_write_close(w);
    }
    json_write_close(w);
}

static void json_history(struct json_writer *w, const struct history_job *past) {
    json_write_key(w, "history");
    if (!past) {
        json_write_null(w);
        return;
    }
    json_write_object(w);
    json_write_key(w, "starts"), json_write_int(w, (int64_t)past->starts);
    json_write_key(w, "attempt"), json_write_int(w, (int64_t)past->attempt);
    json_write_key(w, "ranks"), json_write_text(w, past->ranks);
    json_write_key(w, "rows"), json_write_int(w, (int64_t)past->n_rows);
    json_write_key(w, "seconds"), json_write_number(w, past->seconds);
    json_write_key(w, "checkpoint"),
        json_write_number(w, past->total > 0.0 ? past->done / past->total : 0.0);
    json_write_key(w, "artifact_bytes"), json_write_int(w, (int64_t)past->bytes);
    json_write_key(w, "artifact_sha256"), json_write_text(w, past->sha256);
    json_write_key(w, "class"), json_write_text(w, past->failed_class);
    json_write_key(w, "reason"), json_write_text(w, past->reason);
    json_write_close(w);
}

static void json_value(struct json_writer *w, const char *name, const char *value) {
    json_write_key(w, name);
    if (value)
        json_write_text(w, value);
    else
        json_write_null(w);
}

static void json_changes(struct json_writer *w, const struct explain *e) {
    size_t n = 0;
    struct job_change *changes = e->nearest.found ? changes_of(&n, e) : NULL;
    json_value(w, "compared_with", e->nearest.found ? e->nearest.identity : NULL);
    json_write_key(w, "differences"), json_write_array(w);
    for (size_t i = 0; i < n; i++) {
        json_write_object(w);
        json_write_key(w, "key"), json_write_text(w, changes[i].name);
        json_value(w, "was", changes[i].was);
        json_value(w, "is", changes[i].is);
        json_write_close(w);
    }
    json_write_close(w);
    free(changes);
}

enum err_code explain_print_json(struct text *out, const struct explain *e, struct err *err) {
    struct json_writer w = json_writer_begin(out);
    json_write_object(&w);
    json_value(&w, "job", e->job.found ? e->job.label : NULL);
    json_value(&w, "kind", e->job.kind);
    json_write_key(&w, "identity"), json_write_text(&w, e->found.identity);
    json_write_key(&w, "planned"), json_write_bool(&w, e->found.job != PLAN_NONE);
    json_value(&w, "state",
               e->found.job == PLAN_NONE ? NULL : queue_state_text(e->states[e->found.job].state));
    json_write_key(&w, "would_run"), json_write_bool(&w, e->runs);
    json_write_key(&w, "why"), json_write_text(&w, text_str(&e->verdict));
    json_keys(&w, e);
    json_parents(&w, e);
    json_history(&w, e->found.past);
    json_changes(&w, e);
    json_write_close(&w);
    text_add(out, "\n");
    return json_writer_end(&w, err);
}
