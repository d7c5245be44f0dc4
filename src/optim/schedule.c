#include "optim/schedule.h"

#include <math.h>

/* Fraction of lr after the warm-up: half a cosine period from 1 to floor. */
static double cosine_fraction(const struct schedule *s, int64_t step) {
    const double pi = 3.14159265358979323846;
    if (step >= s->steps || s->steps <= s->warmup) return s->floor;
    const double done = (double)(step - s->warmup) / (double)(s->steps - s->warmup);
    return s->floor + (1 - s->floor) * 0.5 * (1 + cos(pi * done));
}

static double before_cooldown(const struct schedule *s, int64_t step) {
    if (step < s->warmup) return s->lr * (double)step / (double)s->warmup;
    return s->kind == SCHEDULE_COSINE ? s->lr * cosine_fraction(s, step) : s->lr;
}

double schedule_lr(const struct schedule *s, int64_t step) {
    const int64_t start = s->end > s->cooldown ? s->end - s->cooldown : 0;
    if (s->cooldown == 0 || step <= start) return before_cooldown(s, step);
    const double from = before_cooldown(s, start), to = s->lr * s->floor;
    return from + (to - from) * (double)(step - start) / (double)(s->end - start);
}
