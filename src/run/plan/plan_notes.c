#include "run/plan/plan_notes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "methods/method.h"
#include "run/plan/plan_controls.h"
#include "run/plan/prompt_notes.h"
#include "run/plan/trained_on.h"
#include "stages/fit_keys.h"

enum err_code plan_notes_add(struct plan_notes *out, const struct err *note, struct err *err) {
    if (out->n == out->capacity) {
        const size_t capacity = out->capacity ? 2 * out->capacity : 8;
        char **items = realloc(out->items, capacity * sizeof *items);
        if (!items) return ERR(err, ERR_MEMORY, "no memory for %zu notes", capacity);
        out->items = items;
        out->capacity = capacity;
    }
    out->items[out->n] = text_copy(note->msg);
    if (!out->items[out->n]) return ERR(err, ERR_MEMORY, "no memory for a note");
    out->n++;
    return ERR_OK;
}

void plan_notes_release(struct plan_notes *n) {
    for (size_t i = 0; i < n->n; i++) free(n->items[i]);
    free(n->items);
    *n = (struct plan_notes){0};
}

/* ---- repeat = 2 */

/* [2] is one repeat on purpose; so are 0 and 1, which are no number of repeats worth writing. */
static enum err_code note_repeat(struct plan_notes *out, const struct plan *p, size_t stage,
                                 struct err *err) {
    static const char key[] = "repeat";
    const struct config_point *point = config_stage_point(p->config, stage, 0);
    struct err note;
    if (!config_has(point, key) || !config_stage_sets_one(p->config, stage, key)) return ERR_OK;
    const long long repeat = (long long)config_int(point, key);
    if (repeat < 2) return ERR_OK;
    (void)config_error(&note, point, key,
                       "%lld is the number of one repetition, not how many; for %lld of them write "
                       "[0, %s%lld], for this one [%lld]",
                       repeat, repeat, repeat > 2 ? "..., " : "", repeat - 1, repeat);
    return plan_notes_add(out, &note, err);
}

/* ---- fits that no stage reads */

static enum err_code note_unread_fits(struct plan_notes *out, const struct plan *p, size_t stage,
                                      struct err *err) {
    const struct plan_stage *s = &p->stages[stage];
    size_t unread = 0;
    struct err note;
    bool *read = calloc(p->n_jobs + 1, sizeof *read);
    if (!read) return ERR(err, ERR_MEMORY, "no memory for %zu jobs", p->n_jobs);
    for (size_t j = 0; j < p->n_jobs; j++)
        for (size_t i = 0; i < p->jobs[j].n_parents; i++) read[p->jobs[j].parents[i]] = true;
    for (size_t i = 0; i < s->n_jobs; i++) unread += !read[s->jobs[i]];
    free(read);
    if (unread == 0) return ERR_OK;
    char which[64] = "it";
    if (unread < s->n_jobs)
        (void)snprintf(which, sizeof which, "%zu of its %zu jobs", unread, s->n_jobs);
    (void)config_stage_error(&note, p->config, stage, NULL,
                             "no stage evaluates %s: name \"%s\" in `of` of an evaluate stage",
                             which, s->name);
    return plan_notes_add(out, &note, err);
}

/* ---- a choice among one */

static enum err_code note_idle_choice(struct plan_notes *out, const struct plan *p, size_t stage,
                                      struct err *err) {
    const struct config_point *point = config_stage_point(p->config, stage, 0);
    struct err note;
    if (p->stages[stage].n_jobs > 0) return ERR_OK;
    (void)config_error(&note, point, "key",
                       "no fits differ in %s alone, so that nothing is chosen: give it several "
                       "values in the fit",
                       config_text(point, "key"));
    return plan_notes_add(out, &note, err);
}

/* ---- keys that no method of the stage reads */

/* Some method of the stage reads the key; names: all methods of the stage. */
static bool is_read(struct text *names, const struct plan *p, size_t stage, const char *key) {
    const char *last = NULL;
    text_clear(names);
    for (size_t i = 0; i < config_stage_points(p->config, stage); i++) {
        const struct config_point *point = config_stage_point(p->config, stage, i);
        const char *method = config_text(point, "method");
        if (last && strcmp(method, last) == 0) continue;
        if (!config_is_unread(point, key)) return true;
        if (!strstr(text_str(names), method))
            text_add(names, "%s%s", names->size ? ", " : "", method);
        last = method;
    }
    return false;
}

static enum err_code note_unread_keys(struct plan_notes *out, const struct plan *p, size_t stage,
                                      struct err *err) {
    enum err_code rc = ERR_OK;
    const struct config_point *point = config_stage_point(p->config, stage, 0);
    struct text names = {0};
    struct err note;
    for (size_t k = 0; k < config_stage_keys(p->config, stage); k++) {
        const char *key = config_stage_key(p->config, stage, k)->name;
        if (!config_stage_changes(p->config, stage, key) || is_read(&names, p, stage, key))
            continue;
        (void)config_error(&note, point, key, "no method of this stage reads it (%s)",
                           text_str(&names));
        TRY(plan_notes_add(out, &note, err));
    }
    TRY(text_check(&names, err));
cleanup:
    text_release(&names);
    return rc;
}

/* ---- another problem than the model's */

enum { PAIRS = 64 }; /* of problems that are noted; further ones are not */

struct problem_pair {
    char trained[TRAINED_ON_NAME];
    const char *asked;
};

static bool is_noted(const struct problem_pair *pairs, size_t n, const char *trained,
                     const char *asked) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(pairs[i].trained, trained) == 0 && strcmp(pairs[i].asked, asked) == 0)
            return true;
    return false;
}

/* Once for each pair of problems, at the first job that has it. */
static enum err_code note_problems(struct plan_notes *out, const struct plan *p, struct err *err) {
    static const char key[] = "source.problem";
    enum err_code rc = ERR_OK;
    struct problem_pair pairs[PAIRS];
    struct trained_on model = {0};
    struct err note;
    size_t n = 0;
    for (size_t j = 0; j < p->n_jobs && n < PAIRS; j++) {
        const struct config_point *point = p->jobs[j].point;
        trained_on_read(&model, p, j);
        if (!model.problem[0] || !config_has(point, key)) continue;
        const char *asked = config_text(point, key);
        if (strcmp(asked, model.problem) == 0 || is_noted(pairs, n, model.problem, asked)) continue;
        pairs[n].asked = asked;
        memcpy(pairs[n++].trained, model.problem, sizeof model.problem);
        (void)config_error(&note, point, key, "\"%s\", but the model was trained on \"%s\"", asked,
                           model.problem);
        TRY(plan_notes_add(out, &note, err));
    }
cleanup:
    return rc;
}

/* ---- columns that the main table will lack */

/* A job that evaluates a fit, or PLAN_NONE. */
static size_t fit_evaluation(const struct plan *p, const struct plan_stage *s) {
    for (size_t i = 0; i < s->n_jobs; i++) {
        const struct planned_job *job = &p->jobs[s->jobs[i]];
        if (!job->control && job->n_parents > 0 &&
            (plan_chosen_key(p, job->parents[0]) ||
             plan_stage_is(p, p->jobs[job->parents[0]].stage, "fit")))
            return s->jobs[i];
    }
    return PLAN_NONE;
}

/* Of text: plain is evaluated at `budget` points, those of the largest basis; where no basis shows
 * shots, at any number of points that does. */
static bool has_budget(const struct plan *p, const struct plan_stage *s, int64_t budget) {
    for (size_t i = 0; i < s->n_jobs; i++) {
        const struct planned_job *job = &p->jobs[s->jobs[i]];
        const int64_t points = config_int(job->point, "points");
        if (job->control && strcmp(job->control, "plain") == 0 &&
            strcmp(config_text(job->point, "shift"), "none") == 0 && points > 1 &&
            (points == budget || budget <= 1))
            return true;
    }
    return false;
}

static enum err_code note_budget(struct plan_notes *out, const struct plan *p, size_t stage,
                                 struct err *err) {
    const struct plan_stage *s = &p->stages[stage];
    const size_t job = fit_evaluation(p, s);
    int64_t budget = 0;
    struct err note;
    for (size_t i = 0; i < s->n_jobs; i++) {
        const struct planned_job *of = &p->jobs[s->jobs[i]];
        const struct config_point *read =
            of->n_parents > 0 ? plan_read_point(p, of->parents[0]) : NULL;
        if (read && config_has(read, "basis_points") && config_int(read, "basis_points") > budget)
            budget = config_int(read, "basis_points");
    }
    if (job == PLAN_NONE || has_budget(p, s, budget)) return ERR_OK;
    (void)config_error(
        &note, p->jobs[job].point, "points",
        "without \"plain\" at %s%lld points the main table lacks the prompt of equal "
        "budget, its first column",
        budget > 1 ? "" : "more than ", budget > 1 ? (long long)budget : 1LL);
    return plan_notes_add(out, &note, err);
}

/* damage needs plain; recovered needs plain, oracle, and points beyond the trained ones. */
static enum err_code note_columns(struct plan_notes *out, const struct plan *p, size_t stage,
                                  struct err *err) {
    const struct plan_stage *s = &p->stages[stage];
    const size_t job = fit_evaluation(p, s);
    struct trained_on model = {0};
    struct err note;
    if (job == PLAN_NONE) return ERR_OK;
    if (config_has(p->jobs[job].point, "source.task")) return note_budget(out, p, stage, err);
    trained_on_read(&model, p, job);
    const bool beyond = config_int(p->jobs[job].point, "points") > model.points;
    const bool plain = plan_controls_includes(p, s, "plain");
    const bool oracle = plan_controls_includes(p, s, "oracle") || !beyond;
    if (model.points == 0 || (plain && oracle)) return ERR_OK;
    const char *columns = plain    ? "column recovered"
                          : beyond ? "columns damage and recovered"
                                   : "column damage";
    (void)config_error(&note, p->jobs[job].point, "also",
                       "without %s%s%s the main table lacks the %s", plain ? "" : "\"plain\"",
                       !plain && !oracle ? " and " : "", oracle ? "" : "\"oracle\"", columns);
    return plan_notes_add(out, &note, err);
}

/* ---- a warm-up that does not end */

/* Updates of the job of a point; 0: it has none. */
static double updates_of(const struct plan *p, size_t stage, const struct config_point *point) {
    struct fit_keys k;
    if (plan_stage_is(p, stage, "pretrain")) return (double)config_int(point, "steps");
    if (!plan_stage_is(p, stage, "fit")) return 0;
    fit_keys_read(&k, point);
    if (!method_learns(method_find(config_text(point, "method")))) return 0;
    return (double)k.epochs * ceil((double)k.train / (double)k.batch);
}

/* Updates of the warm-up and the cooldown. */
static int64_t updates_below_peak(const struct config_point *point) {
    int64_t sum = config_int(point, "optimiser.warmup");
    if (config_has(point, "optimiser.cooldown")) sum += config_int(point, "optimiser.cooldown");
    return sum;
}

static enum err_code note_warmup(struct plan_notes *out, const struct plan *p, size_t stage,
                                 struct err *err) {
    static const char key[] = "optimiser.warmup";
    struct err note;
    for (size_t i = 0; i < config_stage_points(p->config, stage); i++) {
        const struct config_point *point = config_stage_point(p->config, stage, i);
        const double steps = config_has(point, key) ? updates_of(p, stage, point) : 0;
        if (steps <= 0 || (double)updates_below_peak(point) <= steps) continue;
        const bool warmup = (double)config_int(point, key) > steps;
        (void)config_error(&note, point, warmup ? key : "optimiser.cooldown",
                           "%lld steps of %s in %.0f updates: the learning rate never reaches "
                           "optimiser.lr",
                           (long long)updates_below_peak(point),
                           warmup ? "warm-up" : "warm-up and cooldown", steps);
        return plan_notes_add(out, &note, err);
    }
    return ERR_OK;
}

enum err_code plan_notes_make(struct plan_notes *out, const struct plan *p, struct err *err) {
    enum err_code rc = ERR_OK;
    *out = (struct plan_notes){0};
    for (size_t s = 0; s < p->n_stages; s++) TRY(note_repeat(out, p, s, err));
    for (size_t s = 0; s < p->n_stages; s++)
        if (plan_stage_is(p, s, "fit") || plan_stage_is(p, s, "choose"))
            TRY(note_unread_fits(out, p, s, err));
    for (size_t s = 0; s < p->n_stages; s++)
        if (plan_stage_is(p, s, "fit")) TRY(note_unread_keys(out, p, s, err));
    for (size_t s = 0; s < p->n_stages; s++)
        if (plan_stage_is(p, s, "choose")) TRY(note_idle_choice(out, p, s, err));
    for (size_t s = 0; s < p->n_stages; s++) TRY(note_warmup(out, p, s, err));
    TRY(prompt_notes_add(out, p, err));
    TRY(note_problems(out, p, err));
    for (size_t s = 0; s < p->n_stages; s++)
        if (plan_stage_is(p, s, "evaluate")) TRY(note_columns(out, p, s, err));
cleanup:
    if (rc != ERR_OK) plan_notes_release(out);
    return rc;
}
