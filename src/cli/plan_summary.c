#include "cli/plan_summary.h"

#include "base/clock.h"
#include "machine/memory_budget.h"
#include "run/plan/plan_folded.h"

static void add_span(struct text *out, double seconds) {
    char span[32];
    clock_span_fine(span, seconds);
    text_add(out, "%s", span);
}

static void add_stages(struct text *out, const struct plan *p) {
    for (size_t s = 0; s < p->n_stages; s++)
        text_add(out, "%s%s %zu", s ? ", " : "", p->stages[s].name, p->stages[s].n_jobs);
    if (p->merged) text_add(out, " (%zu planned twice, run once)", p->merged);
    for (size_t s = 0; s < p->n_stages; s++) {
        struct text folded = {0};
        plan_folded_describe(&folded, p, s);
        if (folded.size > 0) text_add(out, "; %s", text_str(&folded));
        if (folded.failed) out->failed = true;
        text_release(&folded);
    }
}

static void add_stage_times(struct text *out, const struct plan *p, const struct plan_totals *t) {
    for (size_t s = 0; s < p->n_stages; s++) {
        text_add(out, "%s%s ", s ? ", " : "", p->stages[s].name);
        add_span(out, plan_totals_stage(t, p, s));
    }
}

static void add_time_left(struct text *out, const struct plan_totals *t) {
    add_span(out, t->core_left);
    text_add(out, " of core time");
    if (t->at_most) text_add(out, " at most (patience may end a fit earlier)");
    text_add(out, "; %d rank%s can be used and then take ", t->useful_ranks,
             t->useful_ranks == 1 ? "" : "s");
    add_span(out, t->seconds_left);
    text_add(out, " on idle cores");
}

static void add_rate(struct text *out, const char *what, const struct calibration_rate *r) {
    text_add(out, "%s %.3g-%.3g, ", what, 1e-9 / r->narrow, 1e-9 / r->wide);
}

static void add_speed(struct text *out, const struct calibration *c) {
    add_rate(out, "contexts", &c->contexts);
    add_rate(out, "queries", &c->queries);
    add_rate(out, "training", &c->training);
    text_add(out, "estimators %.3g Gflop/s at widths %d-%d, %s%s", 1e-9 / c->estimates,
             CALIBRATION_NARROW, CALIBRATION_WIDE, c->cached ? "measured earlier" : "measured now",
             calibration_is_of_busy_machine(c) ? " on a busy machine" : "");
}

static void add_memory(struct text *out, const struct plan_totals *t) {
    text_add(out, "largest job ");
    memory_budget_text(out, t->memory);
    text_add(out, ", at least ");
    memory_budget_text(out, t->memory_least);
    text_add(out, "; request ");
    plan_totals_request(out, t);
}

void plan_summary_print(struct text *out, const struct plan *p, const struct plan_totals *t,
                        const struct plan_notes *notes, const char *folder) {
    text_add(out, "name       %s, seed %llu\n", config_name(p->config),
             (unsigned long long)config_seed(p->config));
    text_add(out, "folder     %s\n", folder);
    text_add(out, "jobs       %zu: ", p->n_jobs), add_stages(out, p);
    text_add(out, "\nstate      %zu done, %zu failed or blocked, %zu left", t->count[QUEUE_DONE],
             t->count[QUEUE_FAILED] + t->count[QUEUE_BLOCKED],
             t->count[QUEUE_PENDING] + t->count[QUEUE_RUNNING]);
    text_add(out, "\ncore time  "), add_span(out, t->core), text_add(out, ": ");
    add_stage_times(out, p, t);
    text_add(out, "\ncontexts   "), add_span(out, t->contexts);
    text_add(out, " of it, before any query");
    text_add(out, "\nleft       "), add_time_left(out, t);
    text_add(out, "\nmemory     "), add_memory(out, t);
    text_add(out, "\nspeed      "), add_speed(out, &t->speed);
    text_add(out, "\nnotes      %zu%s\n", notes->n, notes->n ? ", on standard error" : "");
}
