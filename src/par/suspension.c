#include "par/suspension.h"

#include <math.h>

static const double LEAST = 3.0; /* seconds; between two ticks a process sleeps 0.02 at most */

void suspension_tick(struct suspension *p, double now) {
    const double since = now - p->now;
    *p = (struct suspension){.now = now, .length = since > LEAST ? since : 0.0};
}

void suspension_move(double *since, const struct suspension *p) {
    if (p->length > 0.0) *since = fmin(*since + p->length, p->now);
}
