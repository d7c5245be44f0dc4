#include "bench/bench_dispatch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "journal/event.h"
#include "journal/journal.h"

const char DISPATCH_NOTHING[] = "nothing";

struct work {
    const struct bench_dispatch_options *o;
    struct par *par;
    struct log log;
    struct planned_job *jobs; /* [o->jobs] */
};

/* ---- the jobs */

static enum err_code create_jobs(struct work *w, struct err *err) {
    struct hash h;
    w->jobs = calloc(w->o->jobs, sizeof *w->jobs);
    if (!w->jobs) return ERR(err, ERR_MEMORY, "no memory for %zu jobs", w->o->jobs);
    for (size_t i = 0; i < w->o->jobs; i++) {
        hash_begin(&h);
        hash_text(&h, "bench/dispatch");
        hash_bytes(&h, &i, sizeof i);
        struct planned_job *job = &w->jobs[i];
        *job = (struct planned_job){.cost = {.flops = 1, .group = 1}};
        (void)snprintf(job->label, sizeof job->label, "%s", DISPATCH_NOTHING);
        hash_end(job->identity, &h);
    }
    return ERR_OK;
}

static enum err_code give_order(struct text *out, size_t job, void *context, struct err *err) {
    (void)job;
    (void)context;
    text_add(out, "%s", DISPATCH_NOTHING);
    return text_check(out, err);
}

static enum err_code do_nothing(const char *order, struct job_ctx *ctx, void *context,
                                struct err *err) {
    (void)order;
    (void)ctx;
    (void)context;
    (void)err;
    return ERR_OK;
}

/* ---- folders */

static enum err_code make_folder(char out[64], struct err *err) {
    (void)snprintf(out, 64, "taskvec-bench-XXXXXX");
    if (!mkdtemp(out))
        return ERR(err, ERR_IO, "cannot create a folder for the journals in the current folder: %s",
                   strerror(errno));
    return ERR_OK;
}

static void remove_folder(const char *dir) {
    static const char *const names[] = {"journal", "lock"};
    char path[128];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        (void)unlink(path);
    }
    (void)snprintf(path, sizeof path, "%s/artifacts", dir);
    (void)rmdir(path);
    (void)rmdir(dir);
}

/* ---- timed */

static enum err_code time_farm(double *rate, const struct work *w, size_t n, bool in_process,
                               struct err *err) {
    enum err_code rc = ERR_OK;
    char dir[64];
    struct farm_outcome outcome = {0};
    const struct farm farm = {.jobs = w->jobs,
                              .n_jobs = n,
                              .dir = dir,
                              .machine = w->o->machine,
                              .in_process = in_process,
                              .log = w->log,
                              .order = give_order,
                              .compute = do_nothing};
    TRY(make_folder(dir, err));
    const double start = clock_now();
    rc = farm_run(&farm, w->par, &outcome, err);
    *rate = (double)n / (clock_now() - start);
    remove_folder(dir);
    if (rc == ERR_OK && outcome.done != n)
        rc = ERR(err, ERR_BUG, "only %zu of %zu empty jobs are done", outcome.done, n);
cleanup:
    farm_release(w->par); /* the other ranks wait for it */
    return rc;
}

static void add_lines(struct journal *j, struct text *line, const char *identity) {
    event_begin(line, EVENT_START);
    event_text(line, "job", identity);
    event_text(line, "ranks", "0");
    event_integer(line, "serial", 1);
    event_end(line);
    journal_add(j, line->data, line->size);
    event_begin(line, EVENT_DONE);
    event_text(line, "job", identity);
    event_integer(line, "rows", 0);
    event_real(line, "seconds", 1e-5);
    event_real(line, "share", 0);
    event_integer(line, "artifact", 0);
    event_integer(line, "bytes", 0);
    event_text(line, "sha256", "");
    event_text(line, "shards", "");
    event_end(line);
    journal_add(j, line->data, line->size);
}

static enum err_code time_journal(double *rate, const struct work *w, struct err *err) {
    enum err_code rc = ERR_OK;
    char dir[64] = "";
    struct text line = {0};
    struct journal j = {.fd = -1};
    TRY(make_folder(dir, err));
    TRY(journal_open(&j, dir, err));
    const double start = clock_now();
    for (size_t i = 0; i < w->o->jobs; i++) {
        add_lines(&j, &line, w->jobs[i].identity);
        TRY(journal_tick(&j, err));
    }
    TRY(journal_sync(&j, err));
    *rate = (double)w->o->jobs / (clock_now() - start);
cleanup:
    (void)journal_close(&j, NULL);
    if (*dir) remove_folder(dir);
    text_release(&line);
    return rc;
}

static enum err_code repeat(struct rates_table *out, const struct work *w, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t ranks = (size_t)w->par->size;
    double rate = 0;
    TRY(time_journal(&rate, w, err));
    rates_table_add(rates_table_line(out, "journal alone", "jobs", 1), rate);
    if (ranks == 1) {
        TRY(time_farm(&rate, w, w->o->jobs, true, err));
        rates_table_add(rates_table_line(out, "in process", "jobs", 1), rate);
    }
    TRY(time_farm(&rate, w, w->o->jobs / 4, false, err));
    rates_table_add(rates_table_line(out, "through children", "jobs", ranks), rate);
cleanup:
    return rc;
}

static void set_limits(struct rates_table *t) {
    for (size_t i = 1; i < t->n_lines; i++) t->lines[i].limit = rates_table_median(&t->lines[0]);
}

enum err_code bench_dispatch_measure(struct rates_table *out,
                                     const struct bench_dispatch_options *o, struct par *par,
                                     struct err *err) {
    enum err_code rc = ERR_OK;
    size_t done = 0; /* repeats; the other ranks serve one farm in each */
    struct work w = {.o = o, .par = par, .log = {LOG_WARNING, par->rank}};
    if (par->rank > 0) {
        for (size_t r = 0; r < o->repeats; r++) TRY(farm_serve(par, o->machine, &w.log, err));
        return ERR_OK;
    }
    out->bench = "dispatch";
    out->limit = "the journal alone: two lines per job, checksummed, written, synced";
    TRY(create_jobs(&w, err));
    for (; done < o->repeats; done++) TRY(repeat(out, &w, err));
    set_limits(out);
cleanup:
    for (; rc != ERR_OK && done < o->repeats; done++) farm_release(par);
    free(w.jobs);
    return rc;
}
