/*
 * help_registry.h - help on what the registries hold: methods, controls, problems, shifts and
 * estimators.
 */
#ifndef CLI_HELP_REGISTRY_H
#define CLI_HELP_REGISTRY_H

#include <stdbool.h>

#include "base/text.h"

/* Adds a page for each entry named `word` (a name may be in several registries); returns whether
 * there was one. */
bool help_registry(struct text *out, const char *word);

/* The names of all registries, a paragraph each. */
void help_registry_names(struct text *out);

/* One line for each entry of the registry that `word` names: its kind ("shift", "shifts") or the
 * key that chooses from it ("source.problem", "also"). Returns whether there is such a registry. */
bool help_registry_choices(struct text *out, const char *word);

/* Calls visit(context, name) for every entry. */
void help_registry_visit(void (*visit)(void *context, const char *name), void *context);

#endif
