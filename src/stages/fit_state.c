#include "stages/fit_state.h"

#include <stdlib.h>
#include <string.h>

void fit_state_copy(struct fit_loop_state *to, const struct fit_loop_state *from, size_t n,
                    size_t memory) {
    struct fit_loop_state numbers = *from;
    numbers.w = to->w, numbers.memory = to->memory, numbers.best = to->best;
    *to = numbers;
    memcpy(to->w, from->w, n * sizeof *to->w);
    memcpy(to->memory, from->memory, memory * sizeof *to->memory);
    memcpy(to->best, from->best, n * sizeof *to->best);
}

void fit_state_print(struct text *out, size_t choice, const struct fit_loop_state *s) {
    text_add(out, "%zu %lld %lld %lld %lld %lld %d %a %a %a ", choice, (long long)s->epoch,
             (long long)s->steps, (long long)s->best_epoch, (long long)s->bad_epochs,
             (long long)s->pairs, s->converged, s->best_loss, s->train_loss, s->validation_loss);
}

const char *fit_state_read(size_t *choice, struct fit_loop_state *s, const char *text) {
    char *next;
    *choice = (size_t)strtoull(text, &next, 10);
    s->epoch = strtoll(next, &next, 10);
    s->steps = strtoll(next, &next, 10);
    s->best_epoch = strtoll(next, &next, 10);
    s->bad_epochs = strtoll(next, &next, 10);
    s->pairs = strtoll(next, &next, 10);
    s->converged = strtoll(next, &next, 10) != 0;
    s->best_loss = strtod(next, &next);
    s->train_loss = strtod(next, &next);
    s->validation_loss = strtod(next, &next);
    return next;
}
