/*
 * model_recipe.h - which models differ in their pretraining seed alone.
 */
#ifndef RUN_TABLES_MODEL_RECIPE_H
#define RUN_TABLES_MODEL_RECIPE_H

#include "run/plan/plan.h"

/* Replaces *out by the keys of the pretraining but its repeat, of the job's model: equal texts are
 * models of other seeds. It is empty for a model that says nothing of its pretraining, as an
 * imported one. */
void model_recipe_read(struct text *out, const struct plan *p, size_t job);

/* The identity of the model's pretraining, or the hash of its file; NULL: neither is known. */
const char *model_recipe_id(const struct plan *p, size_t job);

#endif
