#include "run/rundir/throughput.h"

/* Three significant digits: a timing on a shared machine is no more precise. */
static void print_rate(struct text *out, double rate) {
    if (rate < 1000.0)
        text_add(out, "%.3g", rate);
    else if (rate < 1e6)
        text_add(out, "%.3gk", rate / 1e3);
    else
        text_add(out, "%.3gM", rate / 1e6);
}

static void print_stage(struct text *out, const struct run_state *r, size_t stage) {
    double work = 0.0, seconds = 0.0;
    const char *unit = "";
    size_t jobs = 0;
    for (size_t j = 0; j < r->plan.n_jobs; j++) {
        const struct run_state_job *job = &r->jobs[j];
        if (r->plan.jobs[j].stage != stage || job->state != QUEUE_DONE) continue;
        if (job->past->share <= 0.0 || job->past->seconds <= 0.0) continue;
        work += r->plan.jobs[j].cost.work * job->past->share;
        seconds += job->past->seconds;
        unit = r->plan.jobs[j].cost.unit;
        jobs++;
    }
    if (jobs == 0 || work <= 0.0) return;
    text_add(out, "%s: ", config_stage_name(r->config, stage));
    print_rate(out, work / seconds);
    text_add(out, " %s/s in %s%zu job%s\n", unit, jobs > 1 ? "each of " : "", jobs,
             jobs > 1 ? "s" : "");
}

void throughput_print(struct text *out, const struct run_state *r) {
    for (size_t stage = 0; stage < config_stage_count(r->config); stage++)
        print_stage(out, r, stage);
}
