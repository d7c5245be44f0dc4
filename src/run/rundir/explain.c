#include "run/rundir/explain.h"

#include <stdlib.h>
#include <string.h>

#include "store/artifact.h"

/* ---- would it run again, and why? judge() decides by the state of the job */

static void say_start(struct explain *e) {
    const struct history_job *past = e->found.past;
    char path[FILE_PATH_MAX];
    const bool kept = past && past->total > 0.0 &&
                      checkpoint_path(path, e->record->dir, past->identity, NULL) == ERR_OK &&
                      file_exists(path);
    if (kept)
        text_add(&e->verdict, ": from its checkpoint at %.0f%%", 100.0 * past->done / past->total);
    else
        text_add(&e->verdict, ": from its beginning");
}

/* ", after pretrain[0] and fit[2]": those of its parents that are not done. */
static void say_parents(struct explain *e) {
    const struct planned_job *job = &e->plan->jobs[e->found.job];
    const char *word = ", after";
    for (size_t i = 0; i < job->n_parents; i++) {
        if (e->states[job->parents[i]].state == QUEUE_DONE) continue;
        const char *label = e->plan->jobs[job->parents[i]].label;
        text_add(&e->verdict, "%s %s", word, label);
        word = " and";
    }
}

static void judge_pending(struct explain *e) {
    const struct history_job *past = e->found.past;
    e->runs = true;
    if (past && past->state == HISTORY_DONE) {
        text_add(&e->verdict, "DONE, but its artifact is missing or truncated: runs again");
        return;
    }
    if (!past)
        text_add(&e->verdict, "never started: would run");
    else if (past->dones > 0 && past->n_rows < past->rows_due)
        text_add(&e->verdict, "it was DONE, but lines of its rows are damaged: runs again");
    else
        text_add(&e->verdict, "attempt %zu left it unfinished: runs again", past->attempt);
    if (past) say_start(e);
    say_parents(e);
}

/* Classes of failure that another try may avoid. */
static bool may_be_the_machine(const char *class) {
    static const char *const CLASSES[] = {"lost", "kill", "hang"};
    for (size_t i = 0; i < sizeof CLASSES / sizeof *CLASSES; i++)
        if (strcmp(class, CLASSES[i]) == 0) return true;
    return false;
}

static void judge_failed(struct explain *e, const struct run_state_job *state) {
    const char *class = run_state_failure_class(state);
    text_add(&e->verdict, "FAILED (%s): %s; %s", class, run_state_failure_reason(state),
             may_be_the_machine(class)
                 ? "the machine may be the cause: run --retry-failed tries it again"
                 : "the same computation would fail again, so only run --retry-failed "
                   "tries it again");
}

static void judge_blocked(struct explain *e, const struct run_state_job *state) {
    text_add(&e->verdict, "blocked by %s, which FAILED (%s): would run once that job is DONE",
             state->blocker->job->label, run_state_failure_class(state->blocker));
}

static void judge(struct explain *e) {
    const struct run_state_job *state = e->found.job == PLAN_NONE ? NULL : &e->states[e->found.job];
    if (!state)
        text_add(&e->verdict, "no longer planned: it does not run; its results stay in the journal "
                              "and count again if a config asks for the job");
    else if (state->state == QUEUE_DONE)
        text_add(&e->verdict, "DONE: would not run again");
    else if (state->state == QUEUE_FAILED)
        judge_failed(e, state);
    else if (state->state == QUEUE_BLOCKED)
        judge_blocked(e, state);
    else if (state->state == QUEUE_RUNNING)
        text_add(&e->verdict, "running now, on rank %s", e->found.past->ranks);
    else
        judge_pending(e);
}

/* ---- what it is, and what it is compared with */

static enum err_code identify(struct explain *e, struct err *err) {
    enum err_code rc = ERR_OK;
    if (e->found.job == PLAN_NONE)
        return earlier_configs_find(&e->job, e->record, e->found.identity, err);
    const struct planned_job *job = &e->plan->jobs[e->found.job];
    TRY(job_keys_make(&e->job.keys, e->plan, e->found.job, err));
    e->job.found = true;
    e->job.kind = e->plan->stages[job->stage].kind->name;
    memcpy(e->job.label, job->label, sizeof e->job.label);
cleanup:
    return rc;
}

static enum err_code compare(struct explain *e, struct err *err) {
    if (!e->job.found) return ERR_OK;
    if (e->found.job == PLAN_NONE)
        return earlier_configs_nearest_planned(&e->nearest, e->plan, e->job.kind, &e->job.keys,
                                               err);
    return earlier_configs_nearest(&e->nearest, e->record, e->job.kind, &e->job.keys, e->plan, err);
}

enum err_code explain_make(struct explain *out, const struct run_state *record,
                           const struct plan *plan, const char *word, struct err *err) {
    enum err_code rc = ERR_OK;
    size_t count[QUEUE_BLOCKED + 1];
    *out = (struct explain){.record = record, .plan = plan};
    out->states = calloc(plan->n_jobs + 1, sizeof *out->states);
    CHECK(out->states, ERR_MEMORY, "no memory for %zu jobs", plan->n_jobs);
    run_state_states(out->states, count, plan, &record->history, record->dir, record->holder.alive);
    TRY(job_find(&out->found, word, plan, &record->history, err));
    TRY(identify(out, err));
    TRY(compare(out, err));
    judge(out);
    TRY(text_check(&out->verdict, err));
cleanup:
    if (rc != ERR_OK) explain_release(out);
    return rc;
}

void explain_release(struct explain *e) {
    earlier_configs_release(&e->job);
    earlier_configs_release(&e->nearest);
    text_release(&e->verdict);
    free(e->states);
    *e = (struct explain){0};
}
