#include "run/tables/summary_text.h"

#include <stdlib.h>
#include <string.h>

#include "passes/answer_scores.h"
#include "run/tables/answer_lines.h"
#include "run/tables/summary_columns.h"

const char SUMMARY_SHOTS[] = "shots";
static const char TASK[] = "source.task";

bool summary_is_text(const struct summary_group *g) { return g->ranges[0].name == SUMMARY_SHOTS; }

enum err_code summary_text_read(float **errors, struct summary_group *g,
                                const struct tensorfile *file, int64_t shots, struct err *err) {
    enum err_code rc = ERR_OK;
    float *scores = NULL;
    const struct tensor_info *t = tensorfile_find(file, "scores");
    CHECK(t && t->rank == 2 && t->shape[0] > 0 && t->shape[1] > ANSWER_RIGHT, ERR_DATA,
          "\"scores\" is not [items, scores]");
    TRY(tensorfile_copy(&scores, file, t, err));
    g->functions = t->shape[0];
    g->points = 1;
    g->n_ranges = 1;
    g->ranges[0] = (struct error_range){(size_t)shots, (size_t)shots, SUMMARY_SHOTS};
    for (size_t i = 0; i < g->functions; i++)
        scores[i] = 1 - scores[i * t->shape[1] + ANSWER_RIGHT];
    *errors = scores;
    scores = NULL;
cleanup:
    free(scores);
    return rc;
}

/* ---- the plain model on the same task */

static bool is_of_prompts(const char *head) {
    return strcmp(head, "points") == 0 || strcmp(head, "shift") == 0;
}

static bool is_same_task(const struct summary *s, const struct summary_group *a,
                         const struct summary_group *b) {
    if (a->functions != b->functions || strcmp(a->source, b->source) != 0) return false;
    for (size_t k = 0; k < s->n_keys; k++)
        if (s->of_section[k] && !is_of_prompts(text_str(&s->heads[k])) &&
            strcmp(text_str(&a->keys[k]), text_str(&b->keys[k])) != 0)
            return false;
    return true;
}

static const struct summary_group *find_plain(const struct summary *s,
                                              const struct summary_group *g, const char *shift,
                                              size_t most) {
    const struct summary_group *found = NULL;
    for (size_t i = 0; i < s->n; i++) {
        const struct summary_group *other = &s->groups[i];
        const size_t k = other->ranges[0].first;
        if (other->kind == SUMMARY_BASELINE && strcmp(other->shift, shift) == 0 &&
            is_same_task(s, g, other) && k > 0 && k <= most &&
            (!found || k > found->ranges[0].first))
            found = other;
    }
    return found;
}

const struct summary_group *summary_text_plain(const struct summary *s,
                                               const struct summary_group *g, const char *shift) {
    return find_plain(s, g, shift, SIZE_MAX);
}

/* ---- its fit without training, or of another task */

static bool begins_with(const char *line, const char *key) {
    return strncmp(line, key, strlen(key)) == 0;
}

/* The texts of two fits have equal lines "KEY=VALUE" but for lines that begin with one of these. */
static bool are_equal_but(const char *a, const char *b, const char *const *keys) {
    while (*a && *b) {
        const size_t n = strcspn(a, "\n"), m = strcspn(b, "\n");
        bool counts = true;
        for (size_t i = 0; keys[i]; i++) counts &= !begins_with(a, keys[i]);
        if (counts && (n != m || strncmp(a, b, n) != 0)) return false;
        a += n + (a[n] == '\n');
        b += m + (b[m] == '\n');
    }
    return *a == *b;
}

bool summary_text_same_fit(const struct summary_group *a, const struct summary_group *b) {
    static const char *const keys[] = {"source.task=", "source.form=", NULL};
    return are_equal_but(text_str(&a->fit), text_str(&b->fit), keys);
}

static bool is_initial(const char *initial, const char *fit) {
    static const char *const keys[] = {"epochs=", NULL};
    return strstr(initial, "\nepochs=0\n") && are_equal_but(initial, fit, keys);
}

const struct summary_group *summary_text_initial(const struct summary *s,
                                                 const struct summary_group *g) {
    for (size_t i = 0; i < s->n; i++)
        if (&s->groups[i] != g && s->groups[i].kind == g->kind &&
            strcmp(text_str(&s->groups[i].setting), text_str(&g->setting)) == 0 &&
            strcmp(text_str(&s->groups[i].keys[0]), text_str(&g->keys[0])) == 0 &&
            is_initial(text_str(&s->groups[i].fit), text_str(&g->fit)))
            return &s->groups[i];
    return NULL;
}

/* ---- shuffled labels */

static double accuracy_of(const struct summary_group *g) {
    double wrong = 0;
    for (size_t i = 0; i < g->functions; i++) wrong += summary_errors(g, 0)[i];
    return 1 - wrong / (double)g->functions;
}

static struct answer_effect find_effect(const struct summary *s, const struct summary_group *g) {
    const struct summary_group *shuffled = summary_text_plain(s, g, "shuffled_labels");
    const size_t k = shuffled ? shuffled->ranges[0].first : 0;
    const struct summary_group *clean = find_plain(s, g, "none", k);
    if (!clean || clean->ranges[0].first != k) return (struct answer_effect){0};
    return (struct answer_effect){(int64_t)k, accuracy_of(clean), accuracy_of(shuffled)};
}

static const char *task_of(const struct summary *s, const struct summary_group *g) {
    for (size_t k = 0; k < s->n_keys; k++)
        if (s->of_section[k] && strcmp(text_str(&s->heads[k]), TASK) == 0)
            return text_str(&g->keys[k]);
    return g->source;
}

void summary_text_title(struct text *out, const struct summary *s, const struct summary_group *g) {
    const struct answer_effect effect = find_effect(s, g);
    const bool harmless = answer_effect_share(&effect) >= ANSWER_HARMLESS;
    text_clear(out);
    text_add(out, "%s%s", task_of(s, g), harmless ? " *" : "");
    for (size_t k = 0; k < s->n_keys; k++) {
        const char *head = text_str(&s->heads[k]), *value = text_str(&g->keys[k]);
        if (!s->of_section[k] || !s->varies[k] || is_of_prompts(head) || strcmp(head, TASK) == 0 ||
            strcmp(value, "-") == 0)
            continue;
        text_add(out, ", %s = %s", summary_columns_last_part(head), value);
    }
    text_add(out, ", %zu-shot%s", g->ranges[0].first,
             strcmp(g->shift, "none") == 0 ? "" : " shuffled");
    answer_effect_describe(out, &effect);
}
