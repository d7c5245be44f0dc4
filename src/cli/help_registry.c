#include "cli/help_registry.h"

#include <string.h>

#include "cli/help_keys.h"
#include "cli/help_text.h"
#include "estimators/estimator.h"
#include "methods/method.h"
#include "sources/source_registry.h"

/* What help prints of an entry, whatever its registry. NULL or "": nothing to print. */
struct entry {
    const char *name, *meaning, *paper, *weights, *vector, *edits, *sees, *cost, *text, *absent;
    const struct config_key *keys;
    size_t n_keys;
};

/* A registry as help sees it. at: false when entry i belongs to another title. */
struct registry {
    const char *title, *plural, *key; /* key: the one that chooses an entry */
    size_t (*count)(void);
    bool (*at)(struct entry *out, size_t i);
};

static struct entry of_method(const struct method *m) {
    return (struct entry){.name = m->name,
                          .meaning = m->docs.meaning,
                          .paper = m->docs.paper,
                          .weights = m->docs.weights,
                          .vector = m->docs.vector,
                          .edits = m->docs.place,
                          .sees = m->docs.sees,
                          .cost = m->docs.cost,
                          .text = m->docs.text,
                          .keys = m->config.rows,
                          .n_keys = m->config.n};
}

static bool fitted_at(struct entry *out, size_t i) {
    *out = of_method(method_at(i));
    return method_is_fitted(method_at(i));
}

static bool control_at(struct entry *out, size_t i) {
    *out = of_method(method_at(i));
    return !method_is_fitted(method_at(i));
}

static struct entry of_source(struct source_entry e) {
    return (struct entry){
        .name = e.name, .meaning = e.meaning, .paper = e.paper, .keys = e.keys, .n_keys = e.n_keys};
}

static bool one_problem(struct entry *out, size_t i) {
    *out = of_source(source_problem_entry(i));
    return true;
}

static bool one_shift(struct entry *out, size_t i) {
    *out = of_source(source_shift_entry(i));
    return true;
}

static bool one_estimator(struct entry *out, size_t i) {
    const struct estimator *e = estimator_at(i);
    *out = (struct entry){.name = e->name,
                          .meaning = e->meaning,
                          .paper = e->paper,
                          .absent = e->absent,
                          .keys = e->keys,
                          .n_keys = e->n_keys};
    return true;
}

static const struct registry REGISTRIES[] = {
    {"method", "methods", "method", method_count, fitted_at},
    {"control", "controls", "also", method_count, control_at},
    {"problem", "problems", "source.problem", source_problem_count, one_problem},
    {"shift", "shifts", "shift", source_shift_count, one_shift},
    {"estimator", "estimators", "estimator", estimator_count, one_estimator},
};
enum { N_REGISTRIES = sizeof REGISTRIES / sizeof *REGISTRIES };

static void add_fact(struct text *out, const char *label, const char *s) {
    if (s && *s) help_paragraph(out, label, s);
}

static void add_entry(struct text *out, const struct registry *r, const struct entry *e) {
    text_add(out, "%s%s %s (key %s)\n", out->size ? "\n" : "", r->title, e->name, r->key);
    help_paragraph(out, "", e->meaning);
    add_fact(out, "paper", e->paper);
    add_fact(out, "weights", e->weights);
    add_fact(out, "vector", e->vector);
    add_fact(out, "edits", e->edits);
    add_fact(out, "sees", e->sees);
    add_fact(out, "cost", e->cost);
    add_fact(out, "on text", e->text);
    add_fact(out, "absent", e->absent);
    if (e->n_keys == 0) return;
    text_add(out, "keys and defaults (taskvec help KEY: type, bounds, axis or not)\n");
    help_key_rows(out, e->keys, e->n_keys);
}

bool help_registry(struct text *out, const char *word) {
    const size_t before = out->size;
    struct entry e;
    for (size_t r = 0; r < N_REGISTRIES; r++)
        for (size_t i = 0; i < REGISTRIES[r].count(); i++)
            if (REGISTRIES[r].at(&e, i) && strcmp(e.name, word) == 0)
                add_entry(out, &REGISTRIES[r], &e);
    return out->size > before;
}

void help_registry_names(struct text *out) {
    struct entry e;
    for (size_t r = 0; r < N_REGISTRIES; r++) {
        struct text names = {0};
        for (size_t i = 0; i < REGISTRIES[r].count(); i++)
            if (REGISTRIES[r].at(&e, i)) text_add(&names, "%s%s", names.size ? " " : "", e.name);
        if (names.failed) out->failed = true;
        help_paragraph(out, REGISTRIES[r].plural, text_str(&names));
        text_release(&names);
    }
}

bool help_registry_choices(struct text *out, const char *word) {
    bool found = false;
    struct entry e;
    for (size_t r = 0; r < N_REGISTRIES; r++) {
        const struct registry *of = &REGISTRIES[r];
        if (strcmp(of->key, word) != 0 && strcmp(of->title, word) != 0 &&
            strcmp(of->plural, word) != 0)
            continue;
        found = true;
        text_add(out, "%s%s, chosen by the key %s\n", out->size ? "\n" : "", of->plural, of->key);
        for (size_t i = 0; i < of->count(); i++)
            if (of->at(&e, i)) help_row(out, e.name, e.meaning);
    }
    return found;
}

void help_registry_visit(void (*visit)(void *context, const char *name), void *context) {
    struct entry e;
    for (size_t r = 0; r < N_REGISTRIES; r++)
        for (size_t i = 0; i < REGISTRIES[r].count(); i++)
            if (REGISTRIES[r].at(&e, i)) visit(context, e.name);
}
