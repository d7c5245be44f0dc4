/*
 * schedule.h - the learning rate as a function of the step.
 */
#ifndef OPTIM_SCHEDULE_H
#define OPTIM_SCHEDULE_H

#include <stdint.h>

enum schedule_kind { SCHEDULE_CONSTANT, SCHEDULE_COSINE };

struct schedule {
    enum schedule_kind kind;
    double lr;        /* at its peak */
    int64_t warmup;   /* steps of linear rise from 0; 0: none */
    int64_t steps;    /* cosine: where it reaches lr * floor */
    double floor;     /* cosine: final fraction of lr */
    int64_t end;      /* cosine: last step of the run */
    int64_t cooldown; /* cosine: steps up to `end` that fall linearly to lr * floor; 0: none */
};

/* Rate of a step, counted from 1: lr * step / warmup up to lr at step `warmup`, then constant or
 * lr * (floor + (1 - floor) (1 + cos(pi (step - warmup) / (steps - warmup))) / 2). In the cooldown
 * (Haegele et al., NeurIPS 2024) it falls linearly from the value before it, at end - cooldown. */
double schedule_lr(const struct schedule *s, int64_t step);

#endif
