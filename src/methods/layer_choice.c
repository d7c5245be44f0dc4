#include "methods/layer_choice.h"

#include <inttypes.h>

static bool is_open(const struct method_setup *s) { return s->layer < 0; }

size_t layer_choice_of(const struct method_setup *s) {
    return is_open(s) ? s->choice : (size_t)s->layer;
}

size_t layer_choice_count(const struct method_setup *s) {
    return is_open(s) ? s->params->dims.L : 1;
}

double layer_choice_shown(const struct method_setup *s) { return (double)layer_choice_of(s); }

void layer_choice_read(struct method_setup *s, const struct config_point *point, const char *key) {
    s->layer = config_int(point, key);
}

enum err_code layer_choice_check(const struct method_setup *s, const struct config_point *point,
                                 const char *key, struct err *err) {
    const size_t L = s->params->dims.L;
    if (s->layer < (int64_t)L) return ERR_OK;
    return config_error(err, point, key, "layer %" PRId64 " of a model with layers 0 to %zu",
                        s->layer, L - 1);
}
