#include "run/report/report.h"

enum { CONFIG_BYTES = 1 << 20 };

static void write_states(struct json_writer *w, const struct run_state *r) {
    json_write_key(w, "states"), json_write_object(w);
    for (int s = QUEUE_PENDING; s <= QUEUE_BLOCKED; s++)
        if (r->count[s]) {
            json_write_key(w, queue_state_text((enum queue_state)s));
            json_write_int(w, (int64_t)r->count[s]);
        }
    json_write_close(w);
}

static void write_failure(struct json_writer *w, const struct run_state_job *job) {
    const bool failed = job->state == QUEUE_FAILED;
    json_write_object(w);
    json_write_key(w, "job"), json_write_text(w, job->job->label);
    json_write_key(w, "kind");
    json_write_text(w, failed ? run_state_failure_class(job) : "blocked");
    json_write_key(w, "reason");
    json_write_bytes(w, failed ? run_state_failure_reason(job) : job->blocker->job->label);
    json_write_close(w);
}

static void write_failures(struct json_writer *w, const struct run_state *r) {
    json_write_key(w, "failures"), json_write_array(w);
    for (size_t j = 0; j < r->plan.n_jobs; j++)
        if (r->jobs[j].state == QUEUE_FAILED || r->jobs[j].state == QUEUE_BLOCKED)
            write_failure(w, &r->jobs[j]);
    json_write_close(w);
}

/* Of the last attempt: build, libraries, machine, command line. */
static void write_provenance(struct json_writer *w, const struct run_state *r) {
    const struct history *h = &r->history;
    json_write_key(w, "attempts"), json_write_int(w, (int64_t)h->n_attempts);
    json_write_key(w, "provenance"), json_write_array(w);
    if (h->n_attempts > 0) {
        const struct history_attempt *a = &h->attempts[h->n_attempts - 1];
        for (size_t i = 0; i < a->n_fields; i++) {
            json_write_array(w);
            json_write_bytes(w, a->fields[i].name), json_write_bytes(w, a->fields[i].value);
            json_write_close(w);
        }
    }
    json_write_close(w);
}

/* How long all finished jobs took together. */
static void write_seconds(struct json_writer *w, const struct run_state *r) {
    double seconds = 0;
    for (size_t j = 0; j < r->plan.n_jobs; j++) {
        const struct history_job *past = r->jobs[j].past;
        if (r->jobs[j].state != QUEUE_DONE || !past) continue;
        seconds += past->seconds;
    }
    json_write_key(w, "seconds"), report_write_short(w, seconds);
}

static enum err_code write_config(struct json_writer *w, const struct run_state *r,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    char path[FILE_PATH_MAX];
    struct text config = {0};
    TRY(run_state_config_path(path, r->dir, err));
    TRY(file_read(&config, path, CONFIG_BYTES, err));
    json_write_key(w, "config"), json_write_bytes(w, text_str(&config));
cleanup:
    text_release(&config);
    return rc;
}

enum err_code report_run_write(struct json_writer *w, const struct run_state *r, struct err *err) {
    enum err_code rc = ERR_OK;
    json_write_object(w);
    json_write_key(w, "dir"), json_write_bytes(w, r->dir);
    json_write_key(w, "name"), json_write_bytes(w, config_name(r->config));
    json_write_key(w, "jobs"), json_write_int(w, (int64_t)r->plan.n_jobs);
    write_states(w, r);
    write_seconds(w, r);
    write_failures(w, r);
    write_provenance(w, r);
    TRY(write_config(w, r, err));
    json_write_key(w, "tables");
    TRY(report_tables_write(w, r, err));
    json_write_key(w, "curves");
    TRY(report_curves_write(w, r, err));
    json_write_key(w, "maps");
    TRY(report_maps_write(w, r, err));
    json_write_close(w);
cleanup:
    return rc;
}
