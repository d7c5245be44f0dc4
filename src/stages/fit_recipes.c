#include "stages/fit_recipes.h"

const char *const FIT_RECIPES[] = {"none", "site", "site_functions", NULL};

/* SITE, Park et al., arXiv:2507.20906: gates from 0.5, 400 updates of Adam by one prompt without
 * shots each, a validation after every 50, means of 50 clean prompts of 10 shots. The number of
 * validation prompts (100) is a choice of this program. Prompts of functions need room for the
 * basis, so they have 11 points and are asked at the first. */
const struct config_recipe FIT_RECIPE_KEYS[] = {
    {"site", "method", "site"},
    {"site", "site.gate", "0.5"},
    {"site", "site.init", "0.0"},
    {"site", "basis", "mean"},
    {"site", "basis_points", "11"},
    {"site", "basis_prompts", "50"},
    {"site", "prompts", "500"},
    {"site", "validation", "0.2"},
    {"site", "batch", "1"},
    {"site", "epochs", "8"},
    {"site", "validate_every", "50"},
    {"site", "patience", "0"},
    {"site", "answer", "first"},
    {"site", "optimiser.name", "adam"},
    {"site", "optimiser.lr", "0.2"},
    {"site", "points", "1"},
    {"site_functions", "method", "site"},
    {"site_functions", "site.gate", "0.5"},
    {"site_functions", "site.init", "0.0"},
    {"site_functions", "basis", "mean"},
    {"site_functions", "basis_points", "11"},
    {"site_functions", "basis_prompts", "50"},
    {"site_functions", "prompts", "500"},
    {"site_functions", "validation", "0.2"},
    {"site_functions", "batch", "1"},
    {"site_functions", "epochs", "8"},
    {"site_functions", "validate_every", "50"},
    {"site_functions", "patience", "0"},
    {"site_functions", "answer", "first"},
    {"site_functions", "optimiser.name", "adam"},
    {"site_functions", "optimiser.lr", "0.2"},
    {"site_functions", "points", "11"},
    {"site_functions", "lengths", "[1]"},
    {NULL, NULL, NULL},
};
