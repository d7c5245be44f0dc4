#include "methods/method.h"

#include <assert.h>
#include <string.h>

#include "ops/vector_ops.h"

/* The registry: one line per method, X(method), in the order of tables and help. */
#define METHODS_FITTED(X)                                                                          \
    X(ltv)                                                                                         \
    X(constant)                                                                                    \
    X(bias_only)                                                                                   \
    X(task_vector)                                                                                 \
    X(state_vector)                                                                                \
    X(linear_vector)                                                                               \
    X(learned_vector)                                                                              \
    X(site)                                                                                        \
    X(loreft)                                                                                      \
    X(fv)                                                                                          \
    X(icv)                                                                                         \
    X(i2cl)
#define METHODS_CONTROL(X)                                                                         \
    X(plain)                                                                                       \
    X(zero)                                                                                        \
    X(window)                                                                                      \
    X(oracle)                                                                                      \
    X(random)                                                                                      \
    X(mismatched)

#define X(name) extern const struct method method_##name;
METHODS_FITTED(X)
METHODS_CONTROL(X)
#undef X

#define X(name) &method_##name,
static const struct method *const METHODS[] = {METHODS_FITTED(X) METHODS_CONTROL(X)};
#undef X

#define X(name) #name,
const char *const METHOD_CONTROLS[] = {METHODS_CONTROL(X) NULL};
const char *const METHOD_FITTED[] = {METHODS_FITTED(X) NULL};
static const char *const ALL_NAMES[] = {METHODS_FITTED(X) METHODS_CONTROL(X) NULL};
#undef X

static const struct config_key KEY_FITTED = {
    .name = "method",
    .type = CONFIG_NAME,
    .flags = CONFIG_AXIS,
    .def = "ltv",
    .choices = METHOD_FITTED,
    .unit = "",
    .meaning = "Method that makes the task vector.",
};

static const struct config_key KEY_ALL = {
    .name = "method",
    .type = CONFIG_NAME,
    .flags = CONFIG_AXIS,
    .def = "plain",
    .choices = ALL_NAMES,
    .unit = "",
    .meaning = "Method or control that makes the task vector.",
};

size_t method_count(void) { return sizeof METHODS / sizeof *METHODS; }

const struct method *method_at(size_t i) {
    assert(i < method_count());
    return METHODS[i];
}

const struct method *method_find(const char *name) {
    for (size_t i = 0; i < method_count(); i++)
        if (strcmp(METHODS[i]->name, name) == 0) return METHODS[i];
    return NULL;
}

bool method_learns(const struct method *m) {
    return m->application.gradient || m->application.gradient_at;
}

bool method_is_fitted(const struct method *m) {
    return m->derivation.weights_shape || m->derivation.choices;
}

size_t method_basis_of(const struct method *control, size_t i, size_t n) {
    return control && control->control.next_function ? (i + 1) % n : i;
}

unsigned method_basis(const struct method_setup *s) {
    return s->method->inputs.basis ? s->method->inputs.basis(s) : 0;
}

void method_texts(size_t n[], const struct method_setup *s, size_t train) {
    for (enum method_texts i = 0; i < METHOD_TEXTS; i++) n[i] = 0;
    if (s->method->inputs.texts && s->params->dims.vocabulary > 0)
        s->method->inputs.texts(n, s, train);
}

bool method_takes_effects(const struct method_setup *s) {
    return s->method->inputs.takes_effects && s->method->inputs.takes_effects(s);
}

bool method_reads_points(const struct method_setup *s) {
    size_t n[METHOD_TEXTS];
    method_texts(n, s, 1);
    return method_basis(s) || n[METHOD_SHUFFLED] > 0 || n[METHOD_CLEAN] > 0;
}

static enum err_code create_collector(struct basis_collector **out, const struct model_dims *d,
                                      const struct basis_size *size, size_t chunk,
                                      enum context_precision contexts, struct err *err) {
    return size->answer > 0
               ? basis_collector_create_text(out, d, size->tokens, chunk, contexts, err)
               : basis_collector_create(out, d, size->T0, chunk, contexts, err);
}

enum err_code method_collector_create(struct basis_collector **out, const struct method_setup *s,
                                      const float *w, const struct basis_size *size, size_t chunk,
                                      enum context_precision contexts, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &s->params->dims;
    struct basis_collector *c = NULL;
    struct basis_anchors anchors = {0};
    TRY(create_collector(&c, d, size, chunk, contexts, err));
    if (s->method->inputs.anchors) s->method->inputs.anchors(&anchors, w, s);
    if (anchors.n > 0) TRY(basis_collector_anchor(c, &anchors, d, err));
    if (s->method->inputs.recent) basis_collector_recent(c, s->method->inputs.recent(s));
    if (size->answer > 0 && (method_basis(s) & basis_bit(BASIS_STEP)))
        TRY(basis_collector_answers(c, d, size->answer, err));
    *out = c;
    c = NULL;
cleanup:
    basis_collector_destroy(c);
    return rc;
}

size_t method_anchors(const struct method_setup *s) {
    struct basis_anchors anchors = {0};
    if (s->method->inputs.anchors) s->method->inputs.anchors(&anchors, NULL, s);
    return anchors.n;
}

size_t method_collector_bytes(const struct method_setup *s, const struct basis_size *size,
                              size_t chunk, enum context_precision contexts) {
    const struct model_dims *d = &s->params->dims;
    if (size->answer == 0)
        return basis_collector_bytes(d, size->T0, chunk, contexts) +
               basis_anchors_bytes(d, size->T0, method_anchors(s));
    const bool steps = (method_basis(s) & basis_bit(BASIS_STEP)) != 0;
    return basis_collector_text_bytes(d, size->tokens, chunk, contexts) +
           (steps ? basis_collector_answers_bytes(d, size, chunk) : 0);
}

enum err_code method_check_reprojected(const struct model_dims *d, const struct config_point *point,
                                       const char *key, struct err *err) {
    if (strcmp(config_text(point, key), "reprojected") != 0 || model_heads_width(d) == d->E)
        return ERR_OK;
    return config_error(err, point, key,
                        "\"reprojected\" takes the attention output, of width %zu, as input of the "
                        "output projection, but the model has %zu heads of width %zu: use "
                        "\"heads\"",
                        d->E, d->H, model_head_width(d));
}

size_t method_weights(const struct method_setup *s) {
    size_t shape[2];
    if (!s->method->derivation.weights_shape) return 0;
    s->method->derivation.weights_shape(shape, s);
    return shape[0] * shape[1];
}

size_t method_values(const struct method_setup *s) {
    const struct model_dims *d = &s->params->dims;
    return s->method->application.values ? s->method->application.values(s) : d->L * d->E;
}

size_t method_choices(const struct method_setup *s) {
    return s->method->derivation.choices ? s->method->derivation.choices(s) : 1;
}

size_t method_edits_most(const struct method_setup *s) {
    return s->method->application.edits_most ? s->method->application.edits_most(s)
                                             : s->params->dims.L;
}

void method_shape_heads(size_t shape[2], const struct method_setup *s) {
    shape[0] = s->params->dims.L;
    shape[1] = s->params->dims.H;
}

void method_init_normals(float *w, const struct method_setup *s, const struct rng *stream) {
    const size_t n = method_weights(s);
    rng_normals(w, n, stream, 0, 0);
    vector_scale(w, (float)s->init, n);
}

size_t method_one_edit(const struct method_setup *s) {
    (void)s;
    return 1;
}

size_t method_first_prompts(const struct method_training *t, int64_t most) {
    return most > 0 && (uint64_t)most < t->prompts.n ? (size_t)most : t->prompts.n;
}

const char *method_variant(const struct method_setup *s) {
    return s->method->config.variants ? s->method->config.variants[s->variant] : "";
}

enum err_code method_schema(struct config_schema *out, bool fitted_only, struct err *err) {
    enum err_code rc = config_schema_add(out, fitted_only ? &KEY_FITTED : &KEY_ALL, 1, err);
    for (size_t i = 0; rc == ERR_OK && i < method_count(); i++) {
        const struct method *m = METHODS[i];
        if (m->config.n > 0 && (method_is_fitted(m) || !fitted_only))
            rc = config_schema_add(out, m->config.rows, m->config.n, err);
    }
    return rc;
}

void method_setup_named(struct method_setup *out, const char *name, const struct params *params) {
    *out = (struct method_setup){.method = method_find(name), .params = params};
    assert(out->method);
}

void method_setup_read(struct method_setup *out, const struct config_point *point,
                       const struct params *params) {
    method_setup_named(out, config_text(point, "method"), params);
    if (out->method->config.read) out->method->config.read(out, point);
}

/* v[l] added to the output of block l. */
static size_t add_to_blocks(struct edit *items, const float *v, size_t R,
                            const struct method_setup *s) {
    const struct model_dims *d = &s->params->dims;
    for (size_t l = 0; l < d->L; l++)
        items[l] = (struct edit){.layer = l,
                                 .scope = s->method->application.scope,
                                 .scale = 1.0F,
                                 .values = v + l * R * d->E,
                                 .row_stride = R > 1 ? d->E : 0};
    return d->L;
}

void method_edits(struct edit *items, struct edits *out, const float *v, const float *w, size_t R,
                  const struct method_setup *s) {
    const size_t n = s->method->application.edits ? s->method->application.edits(items, v, w, R, s)
                                                  : add_to_blocks(items, v, R, s);
    assert(n <= method_edits_most(s));
    *out = (struct edits){.items = items, .n = n};
}
