#include "model/length.h"

size_t length_most(const struct model_dims *d) {
    return d->window > 0 && d->window < d->positions ? d->window : d->positions;
}

enum err_code length_check(const struct model_dims *d, size_t tokens, const char *place,
                           struct err *err) {
    if (tokens <= length_most(d)) return ERR_OK;
    if (tokens > d->positions)
        return ERR(err, ERR_DATA, "%s: prompts of %zu tokens, but the model has %zu positions",
                   place, tokens, d->positions);
    return ERR(err, ERR_DATA,
               "%s: prompts of %zu tokens, but a sliding window of %zu tokens is in use, which is "
               "not computed: use shorter prompts",
               place, tokens, d->window);
}
