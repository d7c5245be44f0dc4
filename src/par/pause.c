#include "par/pause.h"

#include <math.h>

static const double LEAST = 3.0; /* seconds; naps are 0.02 at most */

void pause_tick(struct pause *p, double now) {
    const double since = now - p->now;
    *p = (struct pause){.now = now, .length = since > LEAST ? since : 0.0};
}

void pause_move(double *since, const struct pause *p) {
    if (p->length > 0.0) *since = fmin(*since + p->length, p->now);
}
