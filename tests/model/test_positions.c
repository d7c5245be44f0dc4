/* Regression models with rotary positions and with none: whole sequences, all weight gradients,
 * contexts and query rows against the double-precision twin; and the metadata of their files. */
#include "model/checkpoint.h"
#include "model/forward.h"
#include "model/query.h"
#include "model/tiny.h"
#include "ops/blas.h"
#include "twins/context_fill.h"
#include "twins/scratch_group.h"

static struct err err;

enum { LENGTH = 10, B = 2 };

#define SIZES                                                                                      \
    .L = 2, .H = 2, .E = 16, .inputs = 3, .positions = 14, .epsilon = 1e-5f,                       \
    .family = &family_gpt2_regression_unlearned
static const struct model_dims ENCODINGS[] = {{SIZES, .rotary = {.dims = 8, .base = 100}}, {SIZES}};
enum { ENCODING_COUNT = sizeof ENCODINGS / sizeof *ENCODINGS };

/* B sequences; loss = <c, prediction>. */
struct scene {
    struct params p;
    struct model_twin twin;
    struct pair tokens, c;
};

static struct scene scene_new(const struct model_dims *d) {
    struct scene s = {.p = tiny_params(d)};
    s.twin = model_twin_create(&s.p);
    s.tokens = pair_normals(B * LENGTH * d->inputs, 1, 1.0);
    s.c = pair_normals(B * LENGTH / 2, 2, 1.0);
    return s;
}

static void scene_free(struct scene *s) {
    model_twin_destroy(&s->twin);
    params_destroy(&s->p);
    pair_free(&s->tokens), pair_free(&s->c);
}

static void run_twin(struct scene *s, size_t b, size_t length) {
    model_twin_run(&s->twin, s->tokens.d + b * LENGTH * s->p.dims.inputs, length, NULL, 0);
}

static double twin_loss(void *context) {
    struct scene *s = context;
    double sum = 0;
    for (size_t b = 0; b < B; b++) {
        run_twin(s, b, LENGTH);
        for (size_t k = 0; k < LENGTH / 2; k++)
            sum += s->c.d[b * LENGTH / 2 + k] * s->twin.prediction[2 * k];
    }
    return sum;
}

static void sequences_equal_the_twin(void **state) {
    (void)state;
    for (size_t i = 0; i < ENCODING_COUNT; i++) {
        struct scene s = scene_new(&ENCODINGS[i]);
        struct params g;
        struct forward f;
        SUCCEEDS(params_create(&g, &ENCODINGS[i], &err));
        SUCCEEDS(forward_create(&f, &ENCODINGS[i], B, LENGTH, true, &err));
        forward_run(&f, &s.p, s.tokens.f, B, LENGTH);
        for (size_t b = 0; b < B; b++) {
            run_twin(&s, b, LENGTH);
            for (size_t k = 0; k < LENGTH / 2; k++)
                CLOSE(twin_error(f.prediction + b * LENGTH / 2 + k, s.twin.prediction + 2 * k, 1),
                      1e-5);
        }
        forward_backward(&g, &f, &s.p, s.tokens.f, s.c.f);
        for (size_t k = 0; k < params_tensors(&ENCODINGS[i]); k++)
            tiny_compare_gradient(&g, &s.twin, k, twin_loss, &s, 64, 23);
        forward_destroy(&f);
        params_destroy(&g);
        scene_free(&s);
    }
}

/* Row k asks for the x of point k, which is token 2 k, after the tokens before it. */
static void queries_equal_the_twin(void **state) {
    (void)state;
    enum { ROWS = LENGTH / 2 };
    for (size_t i = 0; i < ENCODING_COUNT; i++) {
        const struct model_dims *d = &ENCODINGS[i];
        struct scene s = scene_new(d);
        struct context context;
        struct context_scratch *filler;
        struct query query;
        uint32_t slot[ROWS] = {0}, length[ROWS];
        float x[ROWS * 3];
        for (uint32_t k = 0; k < ROWS; k++) {
            length[k] = 2 * k;
            memcpy(x + 3 * k, s.tokens.f + 6 * k, 3 * sizeof *x);
        }
        SUCCEEDS(context_create(&context, d, 1, LENGTH, CONTEXT_SINGLE, &err));
        SUCCEEDS(context_scratch_create(&filler, d, 1, LENGTH, &err));
        SUCCEEDS(query_create(&query, d, ROWS, LENGTH, false, &err));
        context_fill(&context, 0, filler, &s.p, s.tokens.f, LENGTH, &(struct edits){0});
        query_forward(&query, &s.p, &context,
                      &(struct query_rows){.R = ROWS, .slot = slot, .length = length, .x = x},
                      &(struct edits){0});
        run_twin(&s, 0, LENGTH);
        for (size_t k = 0; k < ROWS; k++)
            CLOSE(twin_error(query.prediction + k, s.twin.prediction + 2 * k, 1), 1e-5);
        query_destroy(&query);
        context_scratch_destroy(filler);
        context_destroy(&context);
        scene_free(&s);
    }
}

/* Without positions, exchanging two pairs of the context changes nothing in one layer; rotary
 * positions make a difference. */
static void only_positions_tell_the_order(void **state) {
    (void)state;
    for (size_t i = 0; i < ENCODING_COUNT; i++) {
        struct model_dims d = ENCODINGS[i];
        d.L = 1;
        struct scene s = scene_new(&d);
        struct forward f;
        float exchanged[LENGTH * 3];
        memcpy(exchanged, s.tokens.f, sizeof exchanged);
        memcpy(exchanged, s.tokens.f + 6, 6 * sizeof *exchanged);
        memcpy(exchanged + 6, s.tokens.f, 6 * sizeof *exchanged);
        SUCCEEDS(forward_create(&f, &d, 1, LENGTH, false, &err));
        forward_run(&f, &s.p, s.tokens.f, 1, LENGTH);
        const double before = (double)f.prediction[LENGTH / 2 - 1];
        forward_run(&f, &s.p, exchanged, 1, LENGTH);
        const double change = (double)f.prediction[LENGTH / 2 - 1] - before;
        assert_true(d.rotary.dims > 0 ? change * change > 1e-6 : change * change < 1e-10);
        forward_destroy(&f);
        scene_free(&s);
    }
}

/* ---- files; note: one that is omitted, or whose value is `value` */

static void save(char path[SCRATCH_PATH], const struct params *p, const char *note,
                 const char *value) {
    struct tensor_writer *w = NULL;
    struct model_note notes[MODEL_NOTES];
    const size_t n = model_describe(notes, &p->dims, 5);
    SUCCEEDS(tensor_writer_create(&w, &err));
    for (size_t i = 0; i < n; i++) {
        const bool changed = note && strcmp(notes[i].key, note) == 0;
        if (changed && !value) continue;
        SUCCEEDS(tensor_writer_note(w, notes[i].key, changed ? value : notes[i].value, &err));
    }
    for (size_t i = 0; i < params_tensors(&p->dims); i++) {
        struct param_info t;
        params_at(&t, p, i);
        SUCCEEDS(tensor_writer_add(w, t.name, t.rank, t.shape, t.data, &err));
    }
    scratch_path(path, &scratch, "model.safetensors");
    SUCCEEDS(tensor_writer_save(w, path, &err));
    tensor_writer_destroy(w);
}

static void files_name_their_positions(void **state) {
    (void)state;
    for (size_t i = 0; i < ENCODING_COUNT; i++) {
        char path[SCRATCH_PATH];
        struct params p = tiny_params(&ENCODINGS[i]);
        struct model m;
        save(path, &p, NULL, NULL);
        SUCCEEDS(model_open(&m, path, &err));
        const struct model_dims *d = &m.params.dims;
        assert_ptr_equal(d->family, &family_gpt2_regression_unlearned);
        assert_int_equal(d->positions, 14);
        assert_int_equal(d->rotary.dims, ENCODINGS[i].rotary.dims);
        assert_true(d->rotary.base == ENCODINGS[i].rotary.base);
        assert_null(m.params.wpe);
        assert_int_equal(m.trained_points, 5);
        model_close(&m);
        params_destroy(&p);
    }
}

static void refused(const struct params *p, const char *note, const char *value,
                    const char *words) {
    char path[SCRATCH_PATH];
    struct model m = {0};
    save(path, p, note, value);
    ERROR_SAYS(model_open(&m, path, &err), ERR_DATA, words);
}

static void files_without_valid_positions_are_refused(void **state) {
    (void)state;
    struct params p = tiny_params(&ENCODINGS[0]);
    refused(&p, "n_positions", NULL, "lacks n_positions");
    refused(&p, "n_positions", "0", "n_positions is 0");
    refused(&p, "n_positions", "8", "8 positions hold 4 points");
    refused(&p, "rope_theta", "-1", "rope_theta is \"-1\", expected a number above 0");
    refused(&p, "position_encoding", "alibi", "expected \"rotary\" or \"none\"");
    refused(&p, "position_encoding", NULL, "no tensor named \"_backbone.wpe.weight\"");
    refused(&p, "n_head", "16", "heads of 1 coordinates");
    params_destroy(&p);
}

int main(void) {
    blas_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequences_equal_the_twin),
        cmocka_unit_test(queries_equal_the_twin),
        cmocka_unit_test(only_positions_tell_the_order),
        cmocka_unit_test(files_name_their_positions),
        cmocka_unit_test(files_without_valid_positions_are_refused),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
