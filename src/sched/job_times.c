#include "sched/job_times.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct class {
    double rates[JOB_TIMES_KEPT]; /* seconds of a rank per cost; a ring */
    size_t seen;                  /* in all */
    double predicted;             /* of these rates, if `fresh` */
    bool fresh;
};

struct job_times {
    struct class *classes;
    size_t n;
};

enum err_code job_times_create(struct job_times **out, size_t n_classes, struct err *err) {
    struct job_times *p = calloc(1, sizeof *p);
    struct class *classes = calloc(n_classes ? n_classes : 1, sizeof *classes);
    if (!p || !classes) {
        free(p);
        free(classes);
        return ERR(err, ERR_MEMORY, "no memory for the times of %zu classes", n_classes);
    }
    *p = (struct job_times){classes, n_classes};
    *out = p;
    return ERR_OK;
}

void job_times_destroy(struct job_times *p) {
    if (!p) return;
    free(p->classes);
    free(p);
}

static struct class *class_of(const struct job_times *p, size_t class) {
    assert(class < p->n);
    return &p->classes[class];
}

void job_times_learn(struct job_times *p, size_t class, double cost, int group, double seconds) {
    struct class *s = class_of(p, class);
    const double rate = seconds * group / cost;
    if (!(cost > 0.0) || !(rate > 0.0) || !isfinite(rate)) return;
    s->rates[s->seen++ % JOB_TIMES_KEPT] = rate;
    s->fresh = false;
}

static int ascending(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* The 95th percentile of n rates, the largest when they are few. */
static double slow_rate(const double *rates, size_t n) {
    double sorted[JOB_TIMES_KEPT];
    memcpy(sorted, rates, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, ascending);
    return sorted[n < JOB_TIMES_ENOUGH ? n - 1 : (95 * n + 99) / 100 - 1];
}

double job_times_predict(struct job_times *p, size_t class, double cost, int group) {
    struct class *s = class_of(p, class);
    if (s->seen == 0) return 0.0;
    if (!s->fresh)
        s->predicted = slow_rate(s->rates, s->seen < JOB_TIMES_KEPT ? s->seen : JOB_TIMES_KEPT);
    s->fresh = true;
    return s->predicted * cost / group;
}
