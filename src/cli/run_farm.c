/* What the farm is given: limits and choices of the command line, the jobs to skip, provenance. */
#include <stdlib.h>
#include <string.h>

#include "cli/run_session.h"
#include "machine/memory_budget.h"
#include "machine/time_limit.h"
#include "run/plan/job_message.h"

static enum err_code no_such_stage(const struct run_session *s, const char *name, struct err *err) {
    struct text names = {0};
    for (size_t i = 0; i < s->plan.n_stages; i++)
        text_add(&names, "%s%s", i ? ", " : "", s->plan.stages[i].name);
    const enum err_code rc =
        ERR(err, ERR_USAGE, "--only %s: no stage of %s has this name; it has %s", name,
            config_path(s->config), text_str(&names));
    text_release(&names);
    return rc;
}

static enum err_code read_time(double *seconds, const struct options *o, const char *option,
                               struct err *err) {
    struct err why;
    if (!options_has(o, option) || options_time(seconds, options_value(o, option), &why) == ERR_OK)
        return ERR_OK;
    return ERR(err, ERR_USAGE, "%s: %s, or UNLIMITED", option, why.msg);
}

static enum err_code skip_stages(bool *skipped, const struct run_session *s, struct err *err) {
    const char *only[OPTIONS_MAX];
    const size_t n = options_values(only, s->options, "--only");
    for (size_t i = 0; i < s->plan.n_stages; i++) skipped[i] = n > 0;
    for (size_t k = 0; k < n; k++) {
        const size_t stage = plan_find_stage(&s->plan, only[k]);
        if (stage == PLAN_NONE) return no_such_stage(s, only[k], err);
        skipped[stage] = false;
    }
    return ERR_OK;
}

static enum err_code skip_jobs(struct run_session *s, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t n = s->plan.n_jobs;
    bool *skipped = calloc(s->plan.n_stages + 1, sizeof *skipped);
    s->skip = calloc(n + 1, sizeof *s->skip);
    CHECK(skipped && s->skip, ERR_MEMORY, "no memory for %zu jobs", n);
    TRY(skip_stages(skipped, s, err));
    for (size_t j = 0; j < n; j++) s->skip[j] = skipped[s->plan.jobs[j].stage];
cleanup:
    free(skipped);
    return rc;
}

static enum err_code write_order(struct text *out, size_t job, void *context, struct err *err) {
    const struct run_session *s = context;
    return job_message_write(out, &s->plan, job, s->dir, err);
}

static void show_progress(const struct farm_progress *p, void *context) {
    struct run_session *s = context;
    progress_bar_show(p, &s->bar);
}

static enum err_code read_limits(struct run_session *s, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct options *o = s->options;
    struct farm *f = &s->farm;
    struct memory_limits limits;
    double bytes = 0.0, max_time = 0.0;
    memory_budget_look(&limits);
    f->memory = memory_budget_bytes(&limits);
    if (options_has(o, "--memory")) {
        struct err why;
        CHECK(options_bytes(&bytes, options_value(o, "--memory"), &why) == ERR_OK, ERR_USAGE,
              "--memory: %s", why.msg);
        f->memory = (size_t)bytes;
    }
    TRY(read_time(&max_time, o, "--max-time", err));
    f->end = time_limit_end(s->began, max_time, &s->log);
    TRY(read_time(&f->hang_after, o, "--hang-after", err));
cleanup:
    return rc;
}

static enum err_code read_sequence(bool *shortest, const struct options *o, struct err *err) {
    const char *value = options_value(o, "--order");
    *shortest = value && strcmp(value, "shortest") == 0;
    if (!value || *shortest || strcmp(value, "longest") == 0) return ERR_OK;
    return ERR(err, ERR_USAGE, "--order %s: expected longest or shortest", value);
}

static enum err_code read_sharing(bool *share, const struct options *o, struct err *err) {
    const char *value = options_value(o, "--share-contexts");
    *share = !value || strcmp(value, "yes") == 0;
    if (*share || strcmp(value, "no") == 0) return ERR_OK;
    return ERR(err, ERR_USAGE, "--share-contexts %s: expected yes or no", value);
}

enum err_code run_session_make_farm(struct run_session *s, struct err *err) {
    enum err_code rc = ERR_OK;
    s->farm = (struct farm){.dir = s->dir,
                            .provenance = s->fields,
                            .retry_failed = options_has(s->options, "--retry-failed"),
                            .in_process = options_has(s->options, "--in-process"),
                            .lock = &s->lock,
                            .past = &s->past,
                            .log = s->log,
                            .context = s,
                            .order = write_order,
                            .progress = show_progress,
                            .compute = job_message_compute};
    TRY(read_limits(s, err));
    TRY(read_sequence(&s->farm.shortest_first, s->options, err));
    TRY(read_sharing(&s->farm.share_contexts, s->options, err));
    TRY(skip_jobs(s, err));
    s->farm.jobs = s->plan.jobs;
    s->farm.skip = s->skip;
    s->farm.n_jobs = s->plan.n_jobs;
    TRY(provenance_make(&s->provenance, &s->plan, s->farm.memory, s->argv, err));
    for (size_t i = 0; i < s->provenance.n; i++)
        s->fields[i] = (struct farm_field){s->provenance.fields[i].name,
                                           text_str(&s->provenance.fields[i].value)};
    s->farm.n_provenance = s->provenance.n;
    s->farm.machine = text_str(&s->machine);
cleanup:
    return rc;
}
