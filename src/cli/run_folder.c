/* The config of a run and its folder: lock, journal, changes since the attempt before. */
#include <stdlib.h>

#include "cli/run_session.h"
#include "journal/journal.h"
#include "run/plan/plan_notes.h"
#include "run/rundir/config_change.h"
#include "run/rundir/run_state.h"
#include "run/rundir/rundir.h"

enum err_code run_session_open_config(struct run_session *s, struct err *err) {
    enum err_code rc = ERR_OK;
    const char *sets[OPTIONS_MAX];
    const struct rundir_config c = {s->options->args[0], sets,
                                    options_values(sets, s->options, "--set"),
                                    options_value(s->options, "--output")};
    TRY(stage_schemas_init(&s->schemas, err));
    TRY(rundir_open_config(&s->config, s->dir, &s->copies, &s->schemas, &c, err));
    TRY(plan_make(&s->plan, s->config, err));
cleanup:
    return rc;
}

/* Another build or BLAS kernel may read a run but not resume it: results would mix their bits. */
static enum err_code check_mix(const struct run_session *s, struct err *err) {
    enum err_code rc = ERR_OK;
    size_t count[QUEUE_BLOCKED + 1];
    struct run_state_job *states = calloc(s->plan.n_jobs + 1, sizeof *states);
    CHECK(states, ERR_MEMORY, "no memory for %zu jobs", s->plan.n_jobs);
    run_state_states(states, count, &s->plan, &s->past, s->dir, false);
    const bool retry = options_has(s->options, "--retry-failed");
    const size_t left = count[QUEUE_PENDING] + (retry ? count[QUEUE_FAILED] : 0);
    if (left > 0 && !options_has(s->options, "--mix"))
        TRY(provenance_check(&s->past, &s->plan, s->dir, err));
cleanup:
    free(states);
    return rc;
}

/* A DONE job whose rows are damaged in the journal runs again. */
static void warn_of_rows(const struct run_session *s) {
    for (size_t j = 0; j < s->plan.n_jobs; j++) {
        const struct history_job *past = history_find(&s->past, s->plan.jobs[j].identity);
        if (!past || past->state != HISTORY_STOPPED || past->dones == 0) continue;
        if (past->n_rows >= past->rows_due) continue;
        log_line(&s->log, LOG_WARNING,
                 "%s: %zu of its %zu rows are readable in the journal: it runs again",
                 s->plan.jobs[j].label, past->n_rows, past->rows_due);
    }
}

static void report_lock(const struct run_session *s) {
    struct lock_holder holder;
    lock_look(&holder, s->dir);
    if (holder.there && holder.elsewhere)
        log_line(&s->log, LOG_INFO,
                 "%s: locked by process %ld on %s: waiting up to %d s for its heartbeat", s->dir,
                 holder.pid, holder.host, LOCK_STALE);
}

enum err_code run_session_enter_folder(struct run_session *s, struct err *err) {
    enum err_code rc = ERR_OK;
    struct config_change change;
    struct text text = {0};
    TRY(file_make_folder(s->dir, err));
    report_lock(s);
    TRY(lock_take(&s->lock, s->dir, LOCK_STALE, err));
    config_change_find(&change, s->dir, &s->plan, &s->schemas);
    if (!options_has(s->options, "--replace-config"))
        TRY(config_change_check_owner(&change, s->dir, &s->plan, err));
    TRY(journal_history(&s->past, s->dir, err));
    TRY(check_mix(s, err));
    warn_of_rows(s);
    config_change_describe(&text, &change, s->dir);
    TRY(text_check(&text, err));
    if (text.size > 0) log_line(&s->log, LOG_INFO, "%s", text_str(&text));
    TRY(rundir_keep_config(s->dir, &s->plan, err));
cleanup:
    text_release(&text);
    return rc;
}

enum err_code run_session_report_notes(const struct run_session *s, struct err *err) {
    enum err_code rc = ERR_OK;
    struct plan_notes notes = {0};
    TRY(plan_notes_make(&notes, &s->plan, err));
    TRY(rundir_note_copies(&notes, s->dir, s->copies, err));
    for (size_t i = 0; i < notes.n; i++) log_line(&s->log, LOG_INFO, "note: %s", notes.items[i]);
cleanup:
    plan_notes_release(&notes);
    return rc;
}

void run_session_release(struct run_session *s) {
    lock_release(&s->lock);
    history_release(&s->past);
    free(s->skip);
    provenance_release(&s->provenance);
    text_release(&s->machine);
    plan_release(&s->plan);
    config_close(s->config);
    stage_schemas_release(&s->schemas);
}
