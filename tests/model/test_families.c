/* Every family over whole sequences: values and all weight gradients against the double-precision
 * twin; over contexts and query rows: values, and gradients at every layer. */
#include <math.h>
#include <stdlib.h>

#include "model/context_pass.h"
#include "model/forward.h"
#include "model/query.h"
#include "model/tiny_families.h"
#include "ops/blas.h"

static struct err err;

enum { B = 3, T = 16, LONGEST = 8 };
static const uint32_t LENGTH[B] = {5, 8, 3};

static void fill_ids(uint32_t ids[T], const struct model_dims *d) {
    for (size_t i = 0; i < T; i++) ids[i] = (uint32_t)((5 * i + i / 4) % d->vocabulary);
}

static void compare_sequences(const struct forward *f, struct model_twin *twin, const uint32_t *ids,
                              const char *title) {
    const struct model_dims *d = &f->dims;
    const size_t E = d->E, Z = model_heads_width(d);
    for (size_t b = 0, row = 0; b < B; row += LENGTH[b++]) {
        model_twin_run_ids(twin, ids + row, LENGTH[b]);
        for (size_t l = 0; l <= d->L; l++)
            FAMILY_CLOSE(relative_error(forward_x(f, l) + row * E, twin->x + l * d->positions * E,
                                        LENGTH[b] * E),
                         1e-5, title);
        for (size_t l = 0; l < d->L; l++)
            FAMILY_CLOSE(relative_error(f->layers[l].z + row * Z, twin->z + l * d->positions * Z,
                                        LENGTH[b] * Z),
                         1e-5, title);
    }
}

static void sequences_equal_the_twin(void **state) {
    (void)state;
    for (size_t i = 0; i < TINY_FAMILY_COUNT; i++) {
        const struct tiny_family *family = &TINY_FAMILIES[i];
        struct params p = tiny_params(&family->dims);
        struct model_twin twin = model_twin_create(&p);
        struct forward f;
        uint32_t ids[T];
        fill_ids(ids, &family->dims);
        const struct forward_ids sequences = {B, LENGTH, ids};
        SUCCEEDS(forward_create_tokens(&f, &family->dims, B, LONGEST, T, false, &err));
        forward_run_ids(&f, &p, &sequences);
        compare_sequences(&f, &twin, ids, family->title);
        forward_destroy(&f);
        model_twin_destroy(&twin);
        params_destroy(&p);
    }
}

/* ---- weight gradients of <c, x[L]> */

struct loss {
    struct model_twin *twin;
    const uint32_t *ids;
    const struct pair *c; /* [T, E] */
};

static double loss_of(void *context) {
    const struct loss *s = context;
    const struct model_dims *d = &s->twin->dims;
    double sum = 0;
    for (size_t b = 0, row = 0; b < B; row += LENGTH[b++]) {
        model_twin_run_ids(s->twin, s->ids + row, LENGTH[b]);
        sum += twin_dot(s->c->d + row * d->E, s->twin->x + d->L * d->positions * d->E,
                        LENGTH[b] * d->E);
    }
    return sum;
}

/* All numbers of a small tensor, every seventh of a large one; 3e-5 of the largest. */
static void compare_tensor(struct loss *s, size_t i, const struct param_info *t,
                           const char *title) {
    const size_t n = tensor_size(t), step = n > 40 ? 7 : 1;
    double *weights = model_twin_tensor(s->twin, i), want[T * 16];
    float got[T * 16];
    size_t checked = 0;
    for (size_t j = 0; j < n; j += step, checked++) {
        assert_true(checked < T * 16);
        want[checked] = twin_slope(loss_of, s, &weights[j]);
        got[checked] = t->data[j];
    }
    const double error = relative_error(got, want, checked);
    if (!(error < 3e-5)) fail_msg("%s: %s: error %.3g", title, t->name, error);
}

static void weights_have_their_gradients(const struct tiny_family *family) {
    const struct model_dims *d = &family->dims;
    struct params p = tiny_params(d), g;
    struct model_twin twin = model_twin_create(&p);
    struct pair c = pair_normals(T * d->E, 5, 1.0);
    struct forward f;
    uint32_t ids[T];
    fill_ids(ids, d);
    const struct forward_ids sequences = {B, LENGTH, ids};
    struct loss loss = {&twin, ids, &c};
    SUCCEEDS(params_create(&g, d, &err));
    SUCCEEDS(forward_create_tokens(&f, d, B, LONGEST, T, true, &err));
    forward_run_ids(&f, &p, &sequences);
    compare_sequences(&f, &twin, ids, family->title);
    forward_backward_ids(&g, &f, &p, &sequences, c.f);
    for (size_t i = 0; i < params_tensors(d); i++) {
        struct param_info t;
        params_at(&t, &g, i);
        compare_tensor(&loss, i, &t, family->title);
    }
    forward_destroy(&f);
    params_destroy(&g), params_destroy(&p);
    model_twin_destroy(&twin);
    pair_free(&c);
}

static void gradients_equal_the_twin(void **state) {
    (void)state;
    for (size_t i = 0; i < TINY_FAMILY_COUNT; i++) weights_have_their_gradients(&TINY_FAMILIES[i]);
}

/* ---- prompts of 7 to 130 tokens together and alone */

static void batches_do_not_change_results(void **state) {
    (void)state;
    enum { PROMPTS = 4, ALL = 7 + 130 + 64 + 31 };
    const uint32_t length[PROMPTS] = {7, 130, 64, 31};
    for (size_t i = 3; i < TINY_FAMILY_COUNT; i += 3) {
        struct model_dims d = TINY_FAMILIES[i].dims;
        d.positions = 130;
        struct params p = tiny_params(&d);
        struct forward all, one;
        uint32_t ids[ALL];
        for (size_t t = 0; t < ALL; t++) ids[t] = (uint32_t)((3 * t + t / 7) % d.vocabulary);
        SUCCEEDS(forward_create_tokens(&all, &d, PROMPTS, 130, ALL, false, &err));
        SUCCEEDS(forward_create_tokens(&one, &d, 1, 130, 130, false, &err));
        forward_run_ids(&all, &p, &(struct forward_ids){PROMPTS, length, ids});
        for (size_t b = 0, row = 0; b < PROMPTS; row += length[b++]) {
            const float *got = forward_x(&all, d.L) + row * d.E;
            forward_run_ids(&one, &p, &(struct forward_ids){1, &length[b], ids + row});
            struct pair alone = pair_filled(length[b] * d.E, 0);
            for (size_t j = 0; j < alone.n; j++) alone.d[j] = (double)forward_x(&one, d.L)[j];
            FAMILY_CLOSE(relative_error(got, alone.d, alone.n), 1e-6, TINY_FAMILIES[i].title);
            pair_free(&alone);
        }
        forward_destroy(&all), forward_destroy(&one);
        params_destroy(&p);
    }
}

/* ---- contexts and query rows */

enum { ROWS = 9, SLOT_TOKENS = 9, LONGEST_SUFFIX = 4 };

/* Prompts of 9 tokens; row r is token length[r] of prompt slot[r]. */
struct scene {
    struct params p;
    struct model_twin twin;
    struct context context;
    struct query query;
    uint32_t ids[B][SLOT_TOKENS + 1], slot[ROWS], length[ROWS], own[ROWS];
    uint32_t earlier[ROWS]; /* all 0, or those of long queries */
    struct query_rows rows;
};

static void fill_contexts(struct scene *s) {
    struct context_scratch *scratch = NULL;
    const struct edits none = {0};
    SUCCEEDS(context_scratch_create(&scratch, &s->p.dims, B, SLOT_TOKENS, &err));
    for (size_t b = 0; b < B; b++)
        context_add_ids(&s->context, b, scratch, &s->p, s->ids[b], SLOT_TOKENS, &none);
    context_finish(&s->context, scratch, &s->p, &none);
    context_scratch_destroy(scratch);
}

static void scene_init(struct scene *s, const struct model_dims *d) {
    *s = (struct scene){.p = tiny_params(d)};
    s->twin = model_twin_create(&s->p);
    for (size_t i = 0; i < B * (SLOT_TOKENS + 1); i++)
        s->ids[i / (SLOT_TOKENS + 1)][i % (SLOT_TOKENS + 1)] =
            (uint32_t)((5 * i + i / 3) % d->vocabulary);
    for (uint32_t r = 0; r < ROWS; r++) {
        s->slot[r] = r % B;
        s->length[r] = 4 * r % (SLOT_TOKENS + 1);
        s->own[r] = s->ids[s->slot[r]][s->length[r]];
    }
    s->rows = (struct query_rows){.R = ROWS, .slot = s->slot, .length = s->length, .ids = s->own};
    SUCCEEDS(context_create(&s->context, d, B, SLOT_TOKENS, CONTEXT_SINGLE, &err));
    SUCCEEDS(query_create_long(&s->query, d, ROWS, SLOT_TOKENS, LONGEST_SUFFIX, true, &err));
    fill_contexts(s);
}

static void scene_free(struct scene *s) {
    query_destroy(&s->query);
    context_destroy(&s->context);
    model_twin_destroy(&s->twin);
    params_destroy(&s->p);
}

static void compare_row(const struct scene *s, size_t r, const char *title) {
    const struct model_dims *d = &s->p.dims;
    const struct query *q = &s->query;
    const size_t E = d->E, Z = model_heads_width(d), V = d->vocabulary;
    const size_t t = s->length[r] + s->earlier[r];
    for (size_t l = 0; l <= d->L; l++)
        FAMILY_CLOSE(
            relative_error(q->x + (l * ROWS + r) * E, s->twin.x + (l * d->positions + t) * E, E),
            1e-5, title);
    for (size_t l = 0; l < d->L; l++) {
        FAMILY_CLOSE(
            relative_error(q->z + (l * ROWS + r) * Z, s->twin.z + (l * d->positions + t) * Z, Z),
            1e-5, title);
        FAMILY_CLOSE(
            relative_error(q->a + (l * ROWS + r) * E, s->twin.a + (l * d->positions + t) * E, E),
            1e-5, title);
    }
    float *logits = tiny_logits(&s->p, query_output(q) + r * E, 1);
    FAMILY_CLOSE(relative_error(logits, s->twin.prediction + t * V, V), 2e-5, title);
    free(logits);
}

static void queries_equal_the_twin(void **state) {
    (void)state;
    for (size_t i = 0; i < TINY_FAMILY_COUNT; i++) {
        struct scene s;
        scene_init(&s, &TINY_FAMILIES[i].dims);
        query_forward(&s.query, &s.p, &s.context, &s.rows, &(struct edits){0});
        for (size_t r = 0; r < ROWS; r++) {
            model_twin_run_ids(&s.twin, s.ids[s.slot[r]], s.length[r] + 1);
            compare_row(&s, r, TINY_FAMILIES[i].title);
        }
        scene_free(&s);
    }
}

/* ---- edits of every site, and the gradients there */

/* What is added at one place of one row in the twin, and the loss <c, logits> there. */
struct place {
    struct scene *s;
    size_t r;
    const double *c; /* [V] */
    struct twin_patch patches[3];
};

static double place_loss(void *context) {
    struct place *place = context;
    struct scene *s = place->s;
    const size_t V = s->p.dims.vocabulary, t = s->length[place->r];
    model_twin_run_ids(&s->twin, s->ids[s->slot[place->r]], t + 1);
    return twin_dot(place->c, s->twin.prediction + t * V, V);
}

/* Gradients at the sites as query_backward_edited() reports them. */
struct seen {
    const struct model_dims *dims;
    struct pair *g; /* [3]: z, a, x of layer 0 */
    size_t calls;
};

static void visit(void *context, const struct query_place *place) {
    struct seen *seen = context;
    const size_t which = place->site == EDIT_HEADS ? 0 : place->site == EDIT_ATTENTION ? 1 : 2;
    assert_int_equal(place->layer, 0);
    memcpy(seen->g[which].f, place->g, seen->g[which].n * sizeof(float));
    seen->calls++;
}

/* dx [ROWS, E]: the gradient of <c, logits>. */
static void output_gradient(float *dx, const struct scene *s, const float *c) {
    static const struct params frozen;
    const struct model_dims *d = &s->p.dims;
    struct unembed u;
    struct arena memory = {0};
    unembed_lay_out(&u, &memory, d, ROWS, true);
    SUCCEEDS(arena_commit(&memory, &err));
    unembed_lay_out(&u, &memory, d, ROWS, true);
    unembed_norm(&u, &s->p, query_output(&s->query), ROWS);
    unembed_backward(dx, &frozen, &u, &s->p, query_output(&s->query), c, ROWS);
    arena_release(&memory);
}

static void edited_queries_equal_the_twin(const struct tiny_family *family) {
    const struct model_dims *d = &family->dims;
    const size_t width[3] = {model_heads_width(d), d->E, d->E}, V = d->vocabulary;
    const enum edit_site sites[3] = {EDIT_HEADS, EDIT_ATTENTION, EDIT_BLOCK};
    struct scene s;
    struct pair v[3], g[3], c = pair_normals(ROWS * V, 9, 1.0);
    struct edit items[3];
    scene_init(&s, d);
    for (size_t k = 0; k < 3; k++) {
        v[k] = pair_normals(ROWS * width[k], 20 + k, 0.5);
        g[k] = pair_filled(ROWS * width[k], nan(""));
        items[k] =
            (struct edit){.site = sites[k], .scale = 1, .values = v[k].f, .row_stride = width[k]};
    }
    const struct edits edits = {.items = items, .n = 3};
    float *dx = calloc(ROWS * d->E, sizeof *dx);
    assert_non_null(dx);
    struct seen seen = {d, g, 0};
    query_forward(&s.query, &s.p, &s.context, &s.rows, &edits);
    output_gradient(dx, &s, c.f);
    query_backward_edited(&s.query, &s.p, &s.context, &s.rows, &edits, dx,
                          &(struct query_visitor){visit, &seen});
    assert_int_equal(seen.calls, 3);
    for (size_t r = 0; r < ROWS; r += 2) {
        struct place place = {.s = &s, .r = r, .c = c.d + r * V};
        for (size_t k = 0; k < 3; k++)
            place.patches[k] = (struct twin_patch){
                "zax"[k], 0, s.length[r], 0, width[k], 1, 1, v[k].d + r * width[k], NULL, NULL};
        s.twin.patches = place.patches;
        s.twin.n_patches = 3;
        place_loss(&place);
        compare_row(&s, r, family->title);
        for (size_t k = 0; k < 3; k++)
            for (size_t j = 0; j < width[k]; j++)
                g[k].d[r * width[k] + j] =
                    twin_slope(place_loss, &place, &v[k].d[r * width[k] + j]);
        for (size_t k = 0; k < 3; k++)
            FAMILY_CLOSE(relative_error(g[k].f + r * width[k], g[k].d + r * width[k], width[k]),
                         1e-4, family->title);
    }
    for (size_t k = 0; k < 3; k++) pair_free(&v[k]), pair_free(&g[k]);
    free(dx);
    pair_free(&c);
    scene_free(&s);
}

static void edits_have_their_gradients(void **state) {
    (void)state;
    for (size_t i = 0; i < TINY_FAMILY_COUNT; i++) edited_queries_equal_the_twin(&TINY_FAMILIES[i]);
}

/* ---- queries of several tokens: only the first is edited, the loss is that of all */

/* Rows per query; each begins at a length of its own. */
static const uint32_t TOKENS_OF[] = {3, 1, 5}, BEGINS[] = {4, 9, 0};

static void make_long(struct scene *s) {
    for (uint32_t i = 0, r = 0; i < B; i++)
        for (uint32_t k = 0; k < TOKENS_OF[i]; k++, r++) {
            s->slot[r] = i;
            s->length[r] = BEGINS[i];
            s->earlier[r] = k;
            s->own[r] = s->ids[i][BEGINS[i] + k];
        }
    s->rows.earlier = s->earlier;
}

/* The loss of query i, whose first row is `first`, when v is added to its first token. */
struct long_query {
    struct scene *s;
    size_t i, first;
    const double *c; /* [ROWS, V] */
    struct twin_patch patch;
};

static double long_loss(void *context) {
    struct long_query *q = context;
    struct scene *s = q->s;
    const size_t V = s->p.dims.vocabulary, begins = BEGINS[q->i], n = TOKENS_OF[q->i];
    model_twin_run_ids(&s->twin, s->ids[q->i], begins + n);
    return twin_dot(q->c + q->first * V, s->twin.prediction + begins * V, n * V);
}

static void compare_long(struct long_query *q, struct pair *v, const char *title) {
    const struct model_dims *d = &q->s->p.dims;
    double want[32];
    q->patch = (struct twin_patch){'x', 0, BEGINS[q->i],           0,    d->E,
                                   1,   1, v->d + q->first * d->E, NULL, NULL};
    q->s->twin.patches = &q->patch;
    q->s->twin.n_patches = 1;
    (void)long_loss(q);
    for (size_t k = 0; k < TOKENS_OF[q->i]; k++) compare_row(q->s, q->first + k, title);
    for (size_t e = 0; e < d->E; e++)
        want[e] = twin_slope(long_loss, q, &v->d[q->first * d->E + e]);
    FAMILY_CLOSE(relative_error(q->s->query.g + q->first * d->E, want, d->E), 1e-4, title);
    for (size_t j = d->E; j < TOKENS_OF[q->i] * d->E; j++)
        assert_true(q->s->query.g[q->first * d->E + j] == 0);
}

static void answers_follow_the_edited_token(void **state) {
    (void)state;
    for (size_t i = 0; i < TINY_FAMILY_COUNT; i++) {
        const struct model_dims *d = &TINY_FAMILIES[i].dims;
        struct scene s;
        struct pair v = pair_normals(ROWS * d->E, 20, 0.5);
        struct pair c = pair_normals(ROWS * d->vocabulary, 9, 1.0);
        const struct edit add = {.scale = 1, .values = v.f, .row_stride = d->E};
        float dx[ROWS * 16];
        scene_init(&s, d);
        make_long(&s);
        query_forward(&s.query, &s.p, &s.context, &s.rows, &(struct edits){.items = &add, .n = 1});
        output_gradient(dx, &s, c.f);
        query_backward(&s.query, &s.p, &s.context, &s.rows, dx);
        struct long_query q = {.s = &s, .c = c.d};
        for (; q.i < B; q.first += TOKENS_OF[q.i++]) compare_long(&q, &v, TINY_FAMILIES[i].title);
        pair_free(&v), pair_free(&c);
        scene_free(&s);
    }
}

int main(void) {
    blas_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequences_equal_the_twin),
        cmocka_unit_test(gradients_equal_the_twin),
        cmocka_unit_test(batches_do_not_change_results),
        cmocka_unit_test(queries_equal_the_twin),
        cmocka_unit_test(edits_have_their_gradients),
        cmocka_unit_test(answers_follow_the_edited_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
