/*
 * registry_help.h - what the registries hold, for people: problems, shifts, methods, estimators.
 */
#ifndef CLI_REGISTRY_HELP_H
#define CLI_REGISTRY_HELP_H

#include "base/text.h"

/* A line or a few for each entry, in the order of the registries. */
void registry_help_add(struct text *out);

#endif
