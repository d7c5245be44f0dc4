#include "run/verify_learned.h"

#include <stdio.h>
#include <stdlib.h>

#include "stages/fit_data.h"

struct lesson { /* a trial's prompts as a fit has them */
    struct trial *t;
    struct fit_data *data;
    uint32_t *rows; /* [N] all of them */
};

static enum err_code read_lengths(struct fit_data_options *o, const struct trial *t,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    struct fixture_array lengths = {0};
    char name[128];
    if (!trial_has(t, "lengths")) return ERR_OK;
    (void)snprintf(name, sizeof name, "methods/%s/lengths", t->c->group);
    TRY(fixture_integers(&lengths, t->file, name, 1, err));
    CHECK(lengths.n <= FIT_LENGTHS, ERR_DATA, "%s: %s: %zu lengths, at most %d",
          fixture_path(t->file), name, lengths.n, FIT_LENGTHS);
    o->n_lengths = lengths.n;
    for (size_t i = 0; i < lengths.n; i++) {
        const int64_t points = lengths.integers[i];
        CHECK(points >= 1 && (size_t)points <= t->prompts.points, ERR_DATA,
              "%s: %s: %lld points in prompts of %zu", fixture_path(t->file), name,
              (long long)points, t->prompts.points);
        o->lengths[i] = (size_t)points;
    }
cleanup:
    fixture_array_release(&lengths);
    return rc;
}

static void lesson_end(struct lesson *x) {
    fit_data_destroy(x->data);
    free(x->rows);
}

/* mean: one basis for all prompts. */
static enum err_code lesson_begin(struct lesson *x, struct trial *t, bool mean, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t N = t->prompts.n;
    struct fit_data_options o = {.setup = &t->setup,
                                 .prompts = t->prompts,
                                 .basis_points = t->T0,
                                 .mean = mean,
                                 .train = N,
                                 .batch = N,
                                 .shards = 1,
                                 .memory = SIZE_MAX,
                                 .loss = FIT_HUBER,
                                 .delta = 1};
    *x = (struct lesson){.t = t};
    TRY(read_lengths(&o, t, err));
    x->rows = calloc(N, sizeof *x->rows);
    CHECK(x->rows, ERR_MEMORY, "no memory for %zu rows", N);
    for (size_t i = 0; i < N; i++) x->rows[i] = (uint32_t)i;
    TRY(fit_data_create(&x->data, &o, NULL, err));
cleanup:
    if (rc != ERR_OK) lesson_end(x);
    return rc;
}

/* Mean loss over all prompts and its gradient, overwritten. */
static double loss_at(float *gradient, const struct lesson *x, const float *w) {
    const size_t N = x->t->prompts.n;
    double loss;
    fit_data_pass(&loss, gradient, x->data, w, x->rows, N, 1 / (double)N);
    return loss;
}

/* Groups LOSS and GRADIENT, of every choice. */
static enum err_code compare_slope(struct trial *t, const char *loss, const char *gradient,
                                   bool mean, struct err *err) {
    enum err_code rc = ERR_OK;
    struct lesson x = {0};
    float *slope = calloc(t->choices * t->weights, sizeof *slope);
    float *losses = calloc(t->choices, sizeof *losses);
    CHECK(slope && losses, ERR_MEMORY, "no memory for %zu weights", t->weights);
    TRY(lesson_begin(&x, t, mean, err));
    for (t->setup.choice = 0; t->setup.choice < t->choices; t->setup.choice++)
        losses[t->setup.choice] = (float)loss_at(slope + t->setup.choice * t->weights, &x, t->w);
    TRY(trial_compare(t, loss, losses, t->choices, VERIFY_SCALED, err));
    TRY(trial_compare(t, gradient, slope, t->choices * t->weights, VERIFY_RELATIVE, err));
cleanup:
    t->setup.choice = 0;
    lesson_end(&x);
    free(losses);
    free(slope);
    return rc;
}

enum err_code verify_learned(struct trial *t, struct err *err) {
    enum err_code rc = ERR_OK;
    if (trial_has(t, "loss")) TRY(compare_slope(t, "loss", "gradient", false, err));
    if (trial_has(t, "mean_loss")) TRY(compare_slope(t, "mean_loss", "mean_gradient", true, err));
cleanup:
    return rc;
}
