/*
 * fit_recipes.h - published procedures as defaults of the keys of `fit`: its key `recipe`.
 */
#ifndef STAGES_FIT_RECIPES_H
#define STAGES_FIT_RECIPES_H

#include "config/schema.h"

extern const char *const FIT_RECIPES[];              /* names, NULL-terminated; the first is none */
extern const struct config_recipe FIT_RECIPE_KEYS[]; /* the last has no name */

#endif
