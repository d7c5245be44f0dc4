#include "cli/registry_help.h"

#include "estimators/estimator.h"
#include "methods/method.h"
#include "sources/problems/problem.h"
#include "sources/problems/shift.h"

static void add_entry(struct text *out, const char *name, const char *meaning, const char *paper) {
    text_add(out, "  %s\n      %s\n", name, meaning);
    if (paper && *paper) text_add(out, "      from: %s\n", paper);
}

static void add_problems(struct text *out) {
    text_add(out, "\nProblems: source.problem, and y\n");
    for (size_t i = 0; i < problem_count(); i++)
        add_entry(out, problem_at(i)->name, problem_at(i)->meaning, NULL);
}

static void add_shifts(struct text *out) {
    text_add(out, "\nShifts: how prompts differ from those the model was trained on\n");
    for (size_t i = 0; i < shift_count(); i++)
        add_entry(out, shift_at(i)->name, shift_at(i)->meaning, shift_at(i)->paper);
}

static void add_method(struct text *out, const struct method *m) {
    add_entry(out, m->name, m->docs.meaning, m->docs.paper);
    text_add(out, "      edits %s; sees of the function: %s\n      cost: %s\n",
             m->application.scope == EDIT_QUERY ? "the query alone" : "every token", m->docs.sees,
             m->docs.cost);
}

static void add_methods(struct text *out) {
    text_add(out, "\nMethods of fit\n");
    for (size_t i = 0; i < method_count(); i++)
        if (method_is_fitted(method_at(i))) add_method(out, method_at(i));
    text_add(out, "\nControls: `also` of evaluate\n");
    for (size_t i = 0; i < method_count(); i++)
        if (!method_is_fitted(method_at(i))) add_method(out, method_at(i));
}

static void add_estimators(struct text *out) {
    text_add(out, "\nEstimators of estimate\n");
    for (size_t i = 0; i < estimator_count(); i++) {
        const struct estimator *e = estimator_at(i);
        add_entry(out, e->name, e->meaning, e->paper);
        if (e->absent) text_add(out, "      not in this build: %s\n", e->absent);
    }
}

void registry_help_add(struct text *out) {
    add_problems(out);
    add_shifts(out);
    add_methods(out);
    add_estimators(out);
}
