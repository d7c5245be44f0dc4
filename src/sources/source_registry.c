#include "sources/source_registry.h"

#include "sources/problems/problem_source.h"

enum err_code source_schema(struct config_schema *out, struct err *err) {
    return problem_schema(out, err);
}

enum err_code source_shift_schema(struct config_schema *out, struct err *err) {
    return shift_schema(out, err);
}

enum err_code source_open(struct source **out, const struct config_point *point,
                          const struct source_options *o, struct err *err) {
    struct problem_setup setup;
    struct shift_setup shift = {0};
    problem_setup_read(&setup, point);
    if (o->shifted) shift_setup_read(&shift, point);
    return problem_source_open(out, &setup, &shift, o, err);
}

size_t source_inputs(const struct config_point *point) {
    struct problem_setup setup;
    problem_setup_read(&setup, point);
    return setup.dims;
}

enum err_code source_open_linear(struct source **out, size_t dims, const struct source_options *o,
                                 struct err *err) {
    const struct problem_setup setup = {
        .problem = problem_find("linear"), .dims = dims, .scale = 1};
    return problem_source_open(out, &setup, &(struct shift_setup){0}, o, err);
}
