/*
 * catalogue.h - what the registries hold, for people: problems, shifts, methods, estimators.
 */
#ifndef RUN_CATALOGUE_H
#define RUN_CATALOGUE_H

#include "base/text.h"

/* A line or a few for each entry, in the order of the registries. */
void catalogue_add(struct text *out);

#endif
