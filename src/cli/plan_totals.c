#include "cli/plan_totals.h"

#include <math.h>
#include <stdlib.h>

#include "machine/memory_budget.h"
#include "machine/product_speed.h"
#include "run/rundir/job_seconds.h"
#include "run/rundir/useful_ranks.h"
#include "stages/shared_keys.h"

/* Beyond a few GiB, recomputing contexts is cheaper than waiting for large nodes. A job may use
 * 80% of the request; supervisor, child and libraries take the rest. */
static double memory_to_request(const struct plan_totals *t) {
    static const double GENEROUS = 4.0 * 1024 * 1024 * 1024, PROGRAM = 256.0 * 1024 * 1024;
    return ceil(fmax(t->memory_least, fmin(t->memory, GENEROUS)) / 0.8 + PROGRAM);
}

static bool may_end_early(const struct planned_job *j) {
    return config_has(j->point, "patience") && config_int(j->point, "patience") > 0;
}

static void add_job(struct plan_totals *t, const struct planned_job *j,
                    const struct run_state_job *state, double seconds) {
    const struct job_cost *c = &j->cost;
    const bool left = state->state != QUEUE_DONE;
    t->count[state->state]++;
    t->flops += c->flops;
    t->core += seconds;
    if (left) t->flops_left += c->flops, t->core_left += seconds;
    if (left && may_end_early(j)) t->at_most = true;
    t->memory = fmax(t->memory, c->memory);
    t->memory_least = fmax(t->memory_least, c->memory_least);
    t->mapped = fmax(t->mapped, c->mapped);
    if (c->group > t->group) t->group = c->group;
}

void plan_totals_request(struct text *out, const struct plan_totals *t) {
    memory_budget_text(out, t->memory_per_rank);
    text_add(out, " for each rank");
    if (t->mapped <= 0) return;
    text_add(out, ", and ");
    memory_budget_text(out, t->mapped);
    text_add(out, " a node for the weights, which its ranks share");
}

/* Of each arithmetic that a job has; where this machine has none, jobs are predicted as in f32. */
static void measure_products(double rates[ARITHMETICS], const struct plan *p) {
    for (int a = 0; a < ARITHMETICS; a++) rates[a] = nan("");
    for (size_t j = 0; j < p->n_jobs; j++) {
        double *rate = &rates[shared_keys_arithmetic(p->jobs[j].point)];
        if (isnan(*rate)) *rate = product_speed_rate(shared_keys_arithmetic(p->jobs[j].point));
        if (isnan(*rate)) *rate = 1.0;
    }
}

enum err_code plan_totals_make(struct plan_totals *out, const struct plan *p,
                               const struct run_state_job *states, struct err *err) {
    enum err_code rc = ERR_OK;
    struct plan_totals t = {.group = 1, .useful_ranks = 1};
    double rates[ARITHMETICS];
    t.seconds = calloc(p->n_jobs + 1, sizeof *t.seconds);
    CHECK(t.seconds, ERR_MEMORY, "no memory for %zu jobs", p->n_jobs);
    TRY(calibration_load(&t.speed, err));
    measure_products(rates, p);
    TRY(job_seconds(t.seconds, &t.contexts, p, states, &t.speed, rates, err));
    for (size_t j = 0; j < p->n_jobs; j++) add_job(&t, &p->jobs[j], &states[j], t.seconds[j]);
    t.memory_per_rank = memory_to_request(&t);
    TRY(useful_ranks(&t.useful_ranks, &t.seconds_left, p, states, t.seconds, err));
    *out = t;
    t.seconds = NULL;
cleanup:
    plan_totals_release(&t);
    return rc;
}

void plan_totals_release(struct plan_totals *t) {
    free(t->seconds);
    t->seconds = NULL;
}

double plan_totals_stage(const struct plan_totals *t, const struct plan *p, size_t stage) {
    double seconds = 0;
    for (size_t j = 0; j < p->n_jobs; j++)
        if (p->jobs[j].stage == stage) seconds += t->seconds[j];
    return seconds;
}
