/*
 * layer_choice.h - the layer of methods that act at one layer: setup.layer, which a key sets, or a
 * layer chosen on validation prompts where the key is -1.
 */
#ifndef METHODS_LAYER_CHOICE_H
#define METHODS_LAYER_CHOICE_H

#include "methods/method.h"

/* The row of the key METHOD.KEY. */
#define LAYER_CHOICE_KEY(method_name, key, what)                                                   \
    {                                                                                              \
        .name = method_name "." key, .type = CONFIG_INT, .flags = CONFIG_AXIS, .min = -1,          \
        .max = 1e4, .def = "-1", .when = "method=" method_name, .unit = "",                        \
        .meaning = what "; -1 chooses it on validation prompts."                                   \
    }

void layer_choice_read(struct method_setup *s, const struct config_point *point, const char *key);

/* ERR_CONFIG if the model has no such layer. */
enum err_code layer_choice_check(const struct method_setup *s, const struct config_point *point,
                                 const char *key, struct err *err);

/* The layer of the key, or the candidate setup.choice. */
size_t layer_choice_of(const struct method_setup *s);

/* derivation.choices and derivation.chosen of such a method. */
size_t layer_choice_count(const struct method_setup *s);
double layer_choice_shown(const struct method_setup *s);

#endif
