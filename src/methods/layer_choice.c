#include "methods/layer_choice.h"

static bool is_open(const struct method_setup *s) { return s->own[LAYER_CHOICE] < 0; }

size_t layer_choice_of(const struct method_setup *s) {
    return is_open(s) ? s->choice : (size_t)s->own[LAYER_CHOICE];
}

size_t layer_choice_count(const struct method_setup *s) {
    return is_open(s) ? s->params->dims.L : 1;
}

double layer_choice_shown(const struct method_setup *s) { return (double)layer_choice_of(s); }

void layer_choice_read(struct method_setup *s, const struct config_point *point, const char *key) {
    s->own[LAYER_CHOICE] = (double)config_int(point, key);
}

enum err_code layer_choice_check(const struct method_setup *s, const struct config_point *point,
                                 const char *key, struct err *err) {
    const size_t L = s->params->dims.L;
    if (s->own[LAYER_CHOICE] < (double)L) return ERR_OK;
    return config_error(err, point, key, "layer %.0f of a model of %zu, counted from 0",
                        s->own[LAYER_CHOICE], L);
}
