/* The probes: each runs a pass of the program on random numbers and divides the processor time by
 * the load that plan() of a stage would predict for it (passes/flops.h), so that both count alike.
 */
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "calibration/calibration.h"
#include "estimators/estimator.h"
#include "model/query.h"
#include "passes/flops.h"
#include "passes/train_step.h"
#include "sources/prompt_batch.h"
#include "sources/source_registry.h"

/* Two layers suffice, because all layers take the same time. POINTS, PROMPTS and ROWS are those of
 * small fits; a probe runs for at least BUSY seconds and REPEATS times. */
enum { LAYERS = 2, HEADS = 4, DIMS = 8, POINTS = 41, PROMPTS = 16, ROWS = 64, SEED = 1 };
enum { TOKENS = 2 * (POINTS - 1), REPEATS = 3, REPEATS_MOST = 15 };
static const double BUSY = 0.05;
static const size_t MEMORY = (size_t)64 << 20; /* bytes of contexts that no cache of a core holds */

struct scene { /* a small model, prompts and all that the probes of it need */
    struct params params, gradient;
    struct source *source;
    struct prompt_view view;
    struct prompt_batch near, far; /* contexts that the cache holds; contexts in memory */
    struct query query;
    struct train_step train;
    float *dprediction; /* [ROWS] */
    size_t first;       /* of far: the slot of the next pass */
};

/* ---- timing */

struct probe {
    void (*run)(void *state);
    void *state;
    double work; /* operations or bytes of one run */
};

/* Processor seconds of the fastest run: a slower one shared caches, memory or a core with another
 * program. The first run, which touches the memory, is not counted. */
static double seconds_of_run(const struct probe *p) {
    double least = INFINITY, sum = 0.0;
    p->run(p->state);
    for (size_t n = 0; n < REPEATS || (n < REPEATS_MOST && sum < BUSY); n++) {
        const double start = clock_cpu();
        p->run(p->state);
        const double seconds = clock_cpu() - start;
        least = fmin(least, seconds);
        sum += seconds;
    }
    return least;
}

/* A clock that did not move counts as a nanosecond, so that no rate is 0. */
static double seconds_per_unit(const struct probe *p) {
    const double seconds = seconds_of_run(p);
    return (seconds > 1e-9 ? seconds : 1e-9) / p->work;
}

/* ---- probes of a model */

static void make_contexts(void *state) {
    struct scene *s = state;
    prompt_batch_fill(&s->near, &s->view, (struct prompt_span){.pairs = POINTS - 1});
}

static void run_queries(struct scene *s, struct prompt_batch *batch, size_t first, size_t slots) {
    for (size_t r = 0; r < ROWS; r++) {
        const struct prompt_seat at = {first + r % slots, TOKENS};
        prompt_rows_ask(&batch->rows, r, at, &s->view, r % PROMPTS, POINTS - 1);
    }
    const struct query_rows rows = prompt_rows_of(&batch->rows, ROWS);
    query_forward(&s->query, &s->params, &batch->context, &rows, &(struct edits){0});
    query_backward(&s->query, &s->params, &batch->context, &rows, s->dprediction);
}

/* ROWS / 8 rows read each of a few contexts. */
static void ask_near(void *state) {
    struct scene *s = state;
    run_queries(s, &s->near, 0, 8);
}

/* Every row reads a context of its own, and the next pass other ones. */
static void ask_far(void *state) {
    struct scene *s = state;
    if (s->first + ROWS > s->far.context.slots) s->first = 0;
    run_queries(s, &s->far, s->first, ROWS);
    s->first += ROWS;
}

static void update(void *state) {
    struct scene *s = state;
    static const struct prompt_loss loss = {.kind = LOSS_SQUARED};
    const struct prompt_view part = prompt_view_part(&s->view, 0, PROMPTS / 4);
    (void)train_step_run(&s->gradient, &s->train, &s->params, &part, &loss, 1.0 / POINTS);
}

/* ---- a scene */

static void scene_release(struct scene *s) {
    train_step_destroy(&s->train);
    query_destroy(&s->query);
    prompt_batch_destroy(&s->far);
    prompt_batch_destroy(&s->near);
    source_close(s->source);
    params_destroy(&s->gradient);
    params_destroy(&s->params);
    free(s->dprediction);
}

static struct model_dims dims_of(size_t width) {
    return (struct model_dims){.L = LAYERS,
                               .H = HEADS,
                               .E = width,
                               .inputs = DIMS,
                               .positions = 2 * POINTS,
                               .epsilon = 1e-5F};
}

static enum err_code create_model(struct scene *s, const struct model_dims *d, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct source_options o = {.seed = SEED, .split = "calibration"};
    TRY(params_create(&s->params, d, err));
    TRY(params_create(&s->gradient, d, err));
    params_init(&s->params, SEED);
    TRY(source_open_linear(&s->source, DIMS, &o, err));
    TRY(source_reserve(s->source, PROMPTS, POINTS, err));
    s->view = source_draw(s->source, 0, PROMPTS);
cleanup:
    return rc;
}

static enum err_code create_batches(struct scene *s, const struct model_dims *d, struct err *err) {
    enum err_code rc = ERR_OK;
    struct prompt_batch_options o = {.dims = d, .slots = PROMPTS, .tokens = TOKENS, .rows = ROWS};
    TRY(prompt_batch_create(&s->near, &o, err));
    prompt_batch_begin(&s->near, &s->params, NULL);
    const size_t slots = MEMORY / context_bytes(d, 1, TOKENS, CONTEXT_SINGLE);
    o.slots = slots > ROWS ? slots : ROWS;
    /* Its contexts stay zero, which takes the same time. */
    TRY(prompt_batch_create(&s->far, &o, err));
cleanup:
    return rc;
}

static enum err_code scene_init(struct scene *s, size_t width, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims d = dims_of(width);
    *s = (struct scene){0};
    s->dprediction = calloc(ROWS, sizeof *s->dprediction);
    CHECK(s->dprediction, ERR_MEMORY, "no memory for %d numbers", ROWS);
    for (size_t r = 0; r < ROWS; r++) s->dprediction[r] = 1.0F / ROWS;
    TRY(create_model(s, &d, err));
    TRY(create_batches(s, &d, err));
    TRY(query_create(&s->query, &d, ROWS, TOKENS, true, err));
    TRY(train_step_create(&s->train, &d, PROMPTS / 4, POINTS, err));
cleanup:
    if (rc != ERR_OK) scene_release(s);
    return rc;
}

/* ---- rates */

struct rates { /* of one width */
    double contexts, queries, training, read;
};

static struct rates measure_rates(struct scene *s) {
    const struct model_dims *d = &s->params.dims;
    struct job_load load = {0};
    struct rates out;
    flops_add_contexts(&load, d, PROMPTS, TOKENS);
    flops_add_queries(&load, d, 2 * ROWS, TOKENS);
    flops_add_reading(&load, d, 2 * ROWS, TOKENS, CONTEXT_SINGLE);
    flops_add_training(&load, d, PROMPTS / 4 * 2 * POINTS, POINTS);
    out.contexts = seconds_per_unit(&(struct probe){make_contexts, s, load.contexts});
    out.queries = seconds_per_unit(&(struct probe){ask_near, s, load.queries});
    out.training = seconds_per_unit(&(struct probe){update, s, load.training});
    const double far = seconds_of_run(&(struct probe){ask_far, s, load.read});
    const double more = far - out.queries * load.queries;
    out.read = more > 0.0 ? more / load.read : 0.0;
    return out;
}

static enum err_code measure_width(struct rates *out, size_t width, struct err *err) {
    enum err_code rc = ERR_OK;
    struct scene s;
    TRY(scene_init(&s, width, err));
    *out = measure_rates(&s);
    scene_release(&s);
cleanup:
    return rc;
}

/* ---- estimators */

struct estimation {
    struct estimator_setup setup;
    struct estimator_prompt prompt;
    float predictions[POINTS];
    void *state;
};

static void estimate(void *state) {
    struct estimation *e = state;
    struct err err;
    (void)estimator_curve(e->predictions, &e->setup, &e->prompt, e->state, &err);
}

/* Ridge regression, with which the operations of all estimators are compared. */
static enum err_code measure_estimates(double *seconds, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct source_options o = {.seed = SEED, .split = "calibration"};
    struct source *source = NULL;
    struct estimation e = {0};
    double work = 0;
    estimator_setup_named(&e.setup, "ridge");
    e.setup.weight = 1;
    TRY(source_open_linear(&source, DIMS, &o, err));
    TRY(source_reserve(source, 1, POINTS, err));
    const struct prompt_view view = source_draw(source, 0, 1);
    e.prompt = (struct estimator_prompt){
        .points = POINTS, .dims = DIMS, .x = view.x, .y = view.y, .query = view.x};
    e.state = malloc(estimator_state(&e.setup, POINTS, DIMS) + 1);
    CHECK(e.state, ERR_MEMORY, "no memory for an estimator");
    for (size_t k = 1; k < POINTS; k++) work += e.setup.estimator->flops(&e.setup, k, DIMS);
    *seconds = seconds_per_unit(&(struct probe){estimate, &e, work});
cleanup:
    free(e.state);
    source_close(source);
    return rc;
}

enum err_code calibration_measure(struct calibration *out, struct err *err) {
    enum err_code rc = ERR_OK;
    struct rates narrow, wide;
    const double start = clock_cpu(), load = calibration_load_now();
    TRY(measure_width(&narrow, CALIBRATION_NARROW, err));
    TRY(measure_width(&wide, CALIBRATION_WIDE, err));
    *out = (struct calibration){.contexts = {narrow.contexts, wide.contexts},
                                .queries = {narrow.queries, wide.queries},
                                .training = {narrow.training, wide.training},
                                .read = (narrow.read + wide.read) / 2,
                                .measured = clock_wall(),
                                .load = load};
    TRY(measure_estimates(&out->estimates, err));
    out->took = clock_cpu() - start;
cleanup:
    return rc;
}
