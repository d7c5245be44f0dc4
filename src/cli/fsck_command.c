#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "cli/command.h"
#include "journal/journal.h"
#include "run/rundir/provenance.h"
#include "run/rundir/run_state.h"
#include "run/rundir/rundir.h"
#include "store/artifact.h"
#include "store/lock.h"

/* `taskvec fsck DIR`: checks all that has a checksum: the lines of the journal, the stored configs,
 * the artifacts of finished jobs, the checkpoints of others. Needs neither the config nor the lock.
 */
struct fsck {
    const char *dir;
    struct text *out;
    struct text data; /* the journal */
    struct history history;
    size_t troubles, artifacts, checkpoints;
};

static void trouble(struct fsck *f, const char *what, const char *where, const char *remedy) {
    text_add(f->out, "TROUBLE  %s: %s: %s\n", where, what, remedy);
    f->troubles++;
}

static size_t jobs_done(const struct history *h) {
    size_t n = 0;
    for (size_t i = 0; i < h->n_jobs; i++) n += h->jobs[i].state == HISTORY_DONE;
    return n;
}

/* ---- the journal */

/* A journal is only appended to, so a damaged line is reported forever, even after a later attempt
 * has repeated the work that it recorded. */
static void describe_damage(char *out, size_t size, const struct history *h) {
    const size_t left = h->n_jobs - jobs_done(h);
    if (left > 0)
        (void)snprintf(
            out, size,
            "it is skipped and stays; %zu of the %zu jobs in the other lines are not DONE: "
            "taskvec status shows what is left to run",
            left, h->n_jobs);
    else
        (void)snprintf(
            out, size,
            "it is skipped and stays; all %zu jobs in the other lines are DONE: if taskvec "
            "status counts as many, nothing is missing",
            h->n_jobs);
}

static void check_lines(struct fsck *f) {
    struct event_reader r;
    char where[64], remedy[200];
    describe_damage(remedy, sizeof remedy, &f->history);
    event_reader_init(&r, text_str(&f->data), f->data.size);
    for (bool more = true; more;) {
        const size_t damaged = r.damaged;
        more = event_reader_next(&r);
        if (r.damaged == damaged) continue;
        (void)snprintf(where, sizeof where, "journal, before line %zu", r.line + !more);
        trouble(f, "a line with a wrong checksum", where, remedy);
    }
    if (r.torn)
        trouble(f, "it is incomplete", "journal, last line",
                "left by a kill or a full disk; the next run cuts it off");
    event_reader_release(&r);
}

static void check_version(struct fsck *f) {
    if (f->history.version != EVENT_VERSION)
        trouble(f, f->history.version ? "another version of the format" : "no first line",
                "journal", "use the taskvec that wrote it");
}

static void check_provenance(struct fsck *f) {
    char where[64];
    struct text lacking = {0}, what = {0};
    for (size_t i = 0; i < f->history.n_attempts; i++) {
        text_clear(&lacking);
        text_clear(&what);
        provenance_lacking(&lacking, &f->history.attempts[i]);
        if (lacking.size == 0) continue;
        (void)snprintf(where, sizeof where, "journal, attempt %zu", f->history.attempts[i].number);
        text_add(&what, "its provenance lacks %s", text_str(&lacking));
        trouble(f, text_str(&what), where, "an earlier taskvec wrote it; the run can be resumed");
    }
    text_release(&lacking);
    text_release(&what);
}

static void check_rows(struct fsck *f) {
    char what[96], where[96];
    for (size_t i = 0; i < f->history.n_jobs; i++) {
        const struct history_job *job = &f->history.jobs[i];
        if (job->dones == 0 || job->n_rows >= job->rows_due) continue;
        (void)snprintf(what, sizeof what, "%zu of its %zu rows are readable in the journal",
                       job->n_rows, job->rows_due);
        (void)snprintf(where, sizeof where, "journal, job %.16s", job->identity);
        trouble(f, what, where, "it runs again");
    }
}

static void check_attempts(struct fsck *f) {
    char where[64];
    const size_t lost = provenance_lost_attempt(&f->history, text_str(&f->data), f->data.size);
    (void)snprintf(where, sizeof where, "journal, attempt %zu", lost);
    if (lost)
        trouble(f, "its line is damaged or missing", where,
                "the build and core of its jobs are unknown; resume with run --mix");
}

/* ---- configs and changes, named by their SHA-256 */

static void check_named(struct fsck *f, const char *folder, const char *name) {
    char path[FILE_PATH_MAX], sum[HASH_HEX];
    const int n = snprintf(path, sizeof path, "%s/%s/%s", f->dir, folder, name);
    if (strspn(name, "0123456789abcdef") != HASH_HEX - 1 || name[HASH_HEX - 1] != '.') return;
    if (strstr(name, ".tmp.") || n >= FILE_PATH_MAX) return;
    if (hash_file(sum, path, NULL) != ERR_OK || strncmp(sum, name, HASH_HEX - 1) != 0)
        trouble(f, "its content does not match its name", path,
                "delete it; the next run of that config writes it again");
}

static void check_folder(struct fsck *f, const char *folder) {
    char path[FILE_PATH_MAX];
    const int n = snprintf(path, sizeof path, "%s/%s", f->dir, folder);
    DIR *d = n < FILE_PATH_MAX ? opendir(path) : NULL;
    if (!d) return;
    for (const struct dirent *e = readdir(d); e; e = readdir(d)) check_named(f, folder, e->d_name);
    closedir(d);
}

/* A run stores its config under its sum before it writes config.cfg, even where it then finds
 * nothing to do and begins no attempt. */
static void check_config(struct fsck *f) {
    char path[FILE_PATH_MAX], kept[FILE_PATH_MAX], sum[HASH_HEX];
    const size_t n = f->history.n_attempts;
    const char *last = n ? history_field(&f->history.attempts[n - 1], "config") : NULL;
    if (!last || run_state_config_path(path, f->dir, NULL) != ERR_OK)
        return; /* written before attempts recorded their config */
    if (hash_file(sum, path, NULL) == ERR_OK &&
        rundir_kept_path(kept, f->dir, sum, NULL) == ERR_OK && file_exists(kept))
        return;
    trouble(f, "no run wrote this content", path,
            "run your config again, or replace it by that of the last attempt:");
    text_add(f->out, "         %s/configs/%s.cfg\n", f->dir, last);
}

/* ---- artifacts */

static enum err_code check_artifact(struct fsck *f, const struct history_job *job,
                                    struct err *err) {
    enum err_code rc = ERR_OK;
    char path[FILE_PATH_MAX], sum[HASH_HEX], found[96];
    struct stat info;
    const char *const again = "delete it, and the next run computes its job again";
    TRY(artifact_path(path, f->dir, job->identity, err));
    f->artifacts++;
    if (stat(path, &info) != 0) {
        trouble(f, "missing", path, "the next run computes its job again");
        return ERR_OK;
    }
    if ((uint64_t)info.st_size != job->bytes) {
        (void)snprintf(found, sizeof found, "%" PRIu64 " bytes, the journal has %" PRIu64,
                       (uint64_t)info.st_size, job->bytes);
        trouble(f, found, path, again);
        return ERR_OK;
    }
    struct err why = {0};
    if (hash_file(sum, path, &why) != ERR_OK)
        trouble(f, "it cannot be read", path, why.msg);
    else if (strcmp(sum, job->sha256) != 0)
        trouble(f, "its content has changed since it was written", path, again);
cleanup:
    return rc;
}

static enum err_code check_artifacts(struct fsck *f, struct err *err) {
    enum err_code rc = ERR_OK;
    for (size_t i = 0; i < f->history.n_jobs; i++) {
        const struct history_job *job = &f->history.jobs[i];
        if (job->state == HISTORY_DONE && job->artifact) TRY(check_artifact(f, job, err));
    }
cleanup:
    return rc;
}

/* ---- checkpoints of jobs that are not done */

static enum err_code check_checkpoint(struct fsck *f, const struct history_job *job,
                                      struct err *err) {
    enum err_code rc = ERR_OK;
    char path[FILE_PATH_MAX];
    struct checkpoint c;
    struct checkpoint_hold *hold = NULL;
    struct err why = {0};
    TRY(checkpoint_path(path, f->dir, job->identity, err));
    if (!file_exists(path)) return ERR_OK;
    f->checkpoints++;
    if (checkpoint_read(&c, &hold, f->dir, job->identity, &why) != ERR_OK)
        trouble(f, why.msg, "checkpoint", "its job starts from the beginning");
    checkpoint_close(hold);
cleanup:
    return rc;
}

static enum err_code check_checkpoints(struct fsck *f, struct err *err) {
    enum err_code rc = ERR_OK;
    for (size_t i = 0; i < f->history.n_jobs; i++)
        if (f->history.jobs[i].state != HISTORY_DONE)
            TRY(check_checkpoint(f, &f->history.jobs[i], err));
cleanup:
    return rc;
}

/* ---- the command */

static void report_end(struct fsck *f) {
    struct lock_holder holder;
    lock_look(&holder, f->dir);
    const struct {
        size_t n;
        const char *what, *state;
    } counts[] = {{f->history.lines, "line", ""},
                  {jobs_done(&f->history), "job", " done"},
                  {f->artifacts, "artifact", ""},
                  {f->checkpoints, "checkpoint", ""}};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        text_add(f->out, "%s%zu %s%s%s", i ? ", " : "", counts[i].n, counts[i].what,
                 text_plural(counts[i].n), counts[i].state);
    text_add(f->out, ": ");
    if (f->troubles)
        text_add(f->out, "%zu problem%s", f->troubles, text_plural(f->troubles));
    else
        text_add(f->out, "all sound");
    text_add(f->out, "; results.h5 is not checked: every run writes it again\n");
    if (holder.alive)
        text_add(f->out, "a run is alive (%s, process %ld): its last lines may be incomplete\n",
                 holder.host, holder.pid);
}

static enum err_code fsck_command(struct text *out, int *exit_code, const struct options *o,
                                  char *const *argv, struct err *err) {
    enum err_code rc = ERR_OK;
    struct fsck f = {.dir = o->args[0], .out = out};
    (void)argv;
    TRY(journal_read(&f.data, f.dir, err));
    CHECK(f.data.size > 0, ERR_CONFIG,
          "%s: no run there (journal is missing); start one with taskvec run CFG -o %s", f.dir,
          f.dir);
    TRY(history_replay(&f.history, text_str(&f.data), f.data.size, err));
    check_lines(&f);
    check_version(&f);
    check_provenance(&f);
    check_attempts(&f);
    check_rows(&f);
    check_folder(&f, "configs");
    check_folder(&f, "changes");
    check_config(&f);
    TRY(check_artifacts(&f, err));
    TRY(check_checkpoints(&f, err));
    report_end(&f);
    if (f.troubles) *exit_code = err_exit_code(ERR_DIFFERS);
cleanup:
    history_release(&f.history);
    text_release(&f.data);
    return rc;
}

const struct command COMMAND_FSCK = {
    .name = "fsck",
    .arguments = "DIR",
    .meaning = "check every checksum of a run: journal, configs, artifacts, checkpoints",
    .more =
        "It also checks that every attempt has all fields of its provenance.\n"
        "A damaged line of the journal is skipped, and the next run repeats the work that it "
        "recorded.\nThe line stays, since a journal is only appended to, and the exit code is 1 "
        "from then on.\n",
    .least_args = 1,
    .most_args = 1,
    .run = fsck_command,
};
