#include "sources/source_registry.h"

#include <stdio.h>
#include <string.h>

#include "sources/problems/problem_source.h"
#include "sources/text/text_items.h"
#include "sources/text/text_source.h"

static const char *const KINDS[] = {"functions", "text", NULL};
static const struct config_key KIND = {
    .name = "source.kind",
    .type = CONFIG_NAME,
    .flags = CONFIG_SINCE,
    .def = "functions",
    .choices = KINDS,
    .unit = "",
    .meaning = "What prompts are of: source.problem, or a text task.",
};

enum err_code source_schema(struct config_schema *out, struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(config_schema_add(out, &KIND, 1, err));
    TRY(problem_schema(out, err));
    TRY(text_source_schema(out, err));
cleanup:
    return rc;
}

/* Points of programs before 0.4.0 have no kind. */
bool source_is_text(const struct config_point *point) {
    return config_has(point, "source.kind") &&
           strcmp(config_text(point, "source.kind"), "text") == 0;
}

enum err_code source_tokens_of(struct source_tokens *out, const struct config_point *point,
                               struct err *err) {
    return text_source_tokens(out, point, err);
}

enum err_code source_count_items(struct source_items *out, const struct config_point *point,
                                 struct err *err) {
    *out = (struct source_items){0};
    return source_is_text(point) ? text_items_count(out, point, err) : ERR_OK;
}

enum err_code source_shift_schema(struct config_schema *out, struct err *err) {
    return shift_schema(out, err);
}

enum err_code source_open(struct source **out, const struct config_point *point,
                          const struct source_options *o, struct err *err) {
    struct problem_setup setup;
    struct shift_setup shift = {0};
    if (source_is_text(point)) return text_source_open(out, point, o, err);
    problem_setup_read(&setup, point);
    if (o->shifted) shift_setup_read(&shift, point);
    return problem_source_open(out, &setup, &shift, o, err);
}

void source_name(char *out, size_t size, const struct config_point *point) {
    if (source_is_text(point))
        text_source_name(out, size, point);
    else
        (void)snprintf(out, size, "%s", config_text(point, "source.problem"));
}

size_t source_inputs(const struct config_point *point) {
    struct problem_setup setup;
    if (source_is_text(point)) return 0;
    problem_setup_read(&setup, point);
    return setup.dims;
}

size_t source_problem_count(void) { return problem_count(); }

struct source_entry source_problem_entry(size_t i) {
    const struct problem *p = problem_at(i);
    return (struct source_entry){
        .name = p->name, .meaning = p->meaning, .keys = p->keys, .n_keys = p->n_keys};
}

size_t source_shift_count(void) { return shift_count(); }

struct source_entry source_shift_entry(size_t i) {
    const struct shift *s = shift_at(i);
    return (struct source_entry){s->name, s->meaning, s->paper, s->keys, s->n_keys};
}

enum err_code source_open_linear(struct source **out, size_t dims, const struct source_options *o,
                                 struct err *err) {
    const struct problem_setup setup = {
        .problem = problem_find("linear"), .dims = dims, .scale = 1};
    return problem_source_open(out, &setup, &(struct shift_setup){0}, o, err);
}
