#include "run/plan/prompt_notes.h"

#include <stdlib.h>
#include <string.h>

#include "sources/source_registry.h"

/* ---- prompts that do not fit, and answers that published code tokenizes otherwise */

/* The job of the stage of which most prompts are counted, and how many jobs have such prompts. */
static size_t most_of(size_t *jobs, const struct plan *p, const struct plan_stage *s,
                      bool crossed) {
    size_t most = PLAN_NONE, count = 0;
    *jobs = 0;
    for (size_t i = 0; i < s->n_jobs; i++) {
        const struct job_cost *cost = &p->jobs[s->jobs[i]].cost;
        const size_t n = crossed ? cost->crossed : cost->left_out;
        *jobs += n > 0;
        if (n > count) most = s->jobs[i], count = n;
    }
    return most;
}

static enum err_code note_prompts(struct plan_notes *out, const struct plan *p, size_t stage,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    size_t jobs;
    struct err note;
    const size_t cut = most_of(&jobs, p, &p->stages[stage], false);
    if (cut != PLAN_NONE) {
        (void)config_error(&note, p->jobs[cut].point, "source.too_long",
                           "up to %zu of %zu prompts are longer than the model computes and are "
                           "left out, in %zu of %zu jobs",
                           p->jobs[cut].cost.left_out, p->jobs[cut].cost.prompts, jobs,
                           p->stages[stage].n_jobs);
        TRY(plan_notes_add(out, &note, err));
    }
    const size_t crossed = most_of(&jobs, p, &p->stages[stage], true);
    if (crossed != PLAN_NONE) {
        (void)config_error(
            &note, p->jobs[crossed].point, "source.template",
            "up to %zu of %zu answers have other tokens alone, as in published code, "
            "than after their query, in %zu of %zu jobs",
            p->jobs[crossed].cost.crossed, p->jobs[crossed].cost.prompts, jobs,
            p->stages[stage].n_jobs);
        TRY(plan_notes_add(out, &note, err));
    }
cleanup:
    return rc;
}

/* ---- what the tasks hold */

/* Texts that name what was looked at. */
struct seen_tasks {
    char **list;
    size_t n;
};

static enum err_code see_task(bool *is_new, struct seen_tasks *seen, const char *text,
                              struct err *err) {
    *is_new = false;
    for (size_t i = 0; i < seen->n; i++)
        if (strcmp(seen->list[i], text) == 0) return ERR_OK;
    char **list = realloc(seen->list, (seen->n + 1) * sizeof *list), *copy = text_copy(text);
    if (list) seen->list = list;
    if (!list || !copy) {
        free(copy);
        return ERR(err, ERR_MEMORY, "no memory for the names of %zu tasks", seen->n + 1);
    }
    list[seen->n++] = copy;
    *is_new = true;
    return ERR_OK;
}

/* All that the tokens of the items depend on. */
static void name_items(struct text *out, const struct config_point *point) {
    static const char *const KEYS[] = {"source.task", "source.form", "source.template",
                                       "source.tokenizer", "model.checkpoint"};
    text_clear(out);
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++)
        text_add(out, "%s\n", config_has(point, KEYS[i]) ? config_text(point, KEYS[i]) : "");
}

static bool has_note(const struct plan_notes *notes, const struct err *note) {
    for (size_t i = 0; i < notes->n; i++)
        if (strcmp(notes->items[i], note->msg) == 0) return true;
    return false;
}

static enum err_code note_items(struct plan_notes *out, const struct config_point *point,
                                const struct source_items *items, struct err *err) {
    enum err_code rc = ERR_OK;
    const bool one = items->repeated == 1;
    struct err note;
    char name[96];
    source_name(name, sizeof name, point);
    if (items->unknown > 0) {
        (void)config_error(&note, point, "source.task",
                           "%zu of %zu items of %s have words that the tokenizer does not know and "
                           "replaces by %s, as %s: remove them from the file, or take a model that "
                           "has the words",
                           items->unknown, items->n, name, items->token, items->example);
        if (!has_note(out, &note)) TRY(plan_notes_add(out, &note, err));
    }
    if (items->repeated > 0) {
        (void)config_error(&note, point, "source.task",
                           "%zu item%s of %s %s left out, since %s input came before: of several "
                           "with one input the first counts",
                           items->repeated, text_plural(items->repeated), name, one ? "is" : "are",
                           one ? "its" : "their");
        if (!has_note(out, &note)) TRY(plan_notes_add(out, &note, err));
    }
cleanup:
    return rc;
}

/* Files that cannot be read are refused by the plan, or were read by an earlier attempt. */
static enum err_code note_tasks(struct plan_notes *out, struct seen_tasks *seen,
                                const struct plan *p, size_t stage, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text name = {0};
    for (size_t i = 0; i < config_stage_points(p->config, stage); i++) {
        const struct config_point *point = config_stage_point(p->config, stage, i);
        struct source_items items;
        struct err ignored;
        bool is_new = false;
        if (!config_has(point, "source.task")) continue;
        name_items(&name, point);
        TRY(text_check(&name, err));
        TRY(see_task(&is_new, seen, text_str(&name), err));
        if (is_new && source_count_items(&items, point, &ignored) == ERR_OK)
            TRY(note_items(out, point, &items, err));
    }
cleanup:
    text_release(&name);
    return rc;
}

enum err_code prompt_notes_add(struct plan_notes *out, const struct plan *p, struct err *err) {
    enum err_code rc = ERR_OK;
    struct seen_tasks seen = {0};
    for (size_t s = 0; s < p->n_stages; s++) TRY(note_prompts(out, p, s, err));
    for (size_t s = 0; s < p->n_stages; s++) TRY(note_tasks(out, &seen, p, s, err));
cleanup:
    for (size_t i = 0; i < seen.n; i++) free(seen.list[i]);
    free(seen.list);
    return rc;
}
