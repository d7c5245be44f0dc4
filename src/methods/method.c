#include "methods/method.h"

#include <assert.h>
#include <string.h>

/* The registry: one line a method, X(method), in the order of tables and help. */
#define METHODS_LEARNING(X)                                                                        \
    X(ltv)                                                                                         \
    X(constant)                                                                                    \
    X(bias_only)
#define METHODS_CONTROL(X)                                                                         \
    X(plain)                                                                                       \
    X(zero)                                                                                        \
    X(window)                                                                                      \
    X(oracle)

#define X(name) extern const struct method method_##name;
METHODS_LEARNING(X)
METHODS_CONTROL(X)
#undef X

#define X(name) &method_##name,
static const struct method *const METHODS[] = {METHODS_LEARNING(X) METHODS_CONTROL(X)};
#undef X

#define X(name) #name,
const char *const METHOD_CONTROLS[] = {METHODS_CONTROL(X) NULL};
static const char *const LEARNING_NAMES[] = {METHODS_LEARNING(X) NULL};
static const char *const ALL_NAMES[] = {METHODS_LEARNING(X) METHODS_CONTROL(X) NULL};
#undef X

static const struct config_key KEY_LEARNING = {
    .name = "method",
    .type = CONFIG_NAME,
    .flags = CONFIG_AXIS,
    .def = "ltv",
    .choices = LEARNING_NAMES,
    .unit = "",
    .meaning = "what is learned: how a task vector is made",
};

static const struct config_key KEY_ALL = {
    .name = "method",
    .type = CONFIG_NAME,
    .flags = CONFIG_AXIS,
    .def = "plain",
    .choices = ALL_NAMES,
    .unit = "",
    .meaning = "how a task vector is made and where it is applied",
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

bool method_learns(const struct method *m) { return m->weights != NULL; }

const char *method_variant(const struct method_setup *s) {
    return s->method->variants ? s->method->variants[s->variant] : "";
}

enum err_code method_schema(struct config_schema *out, bool learning_only, struct err *err) {
    enum err_code rc = config_schema_add(out, learning_only ? &KEY_LEARNING : &KEY_ALL, 1, err);
    for (size_t i = 0; rc == ERR_OK && i < method_count(); i++) {
        const struct method *m = METHODS[i];
        if (m->n_keys > 0 && (method_learns(m) || !learning_only))
            rc = config_schema_add(out, m->keys, m->n_keys, err);
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
    if (out->method->read) out->method->read(out, point);
}

void method_edits(struct edit *items, struct edits *out, const float *v, size_t R,
                  const struct method_setup *s) {
    const struct model_dims *d = &s->params->dims;
    for (size_t l = 0; l < d->L; l++)
        items[l] = (struct edit){.layer = l,
                                 .scope = s->method->scope,
                                 .scale = 1.0F,
                                 .values = v + l * R * d->E,
                                 .row_stride = R > 1 ? d->E : 0};
    *out = (struct edits){.items = items, .n = d->L};
}
