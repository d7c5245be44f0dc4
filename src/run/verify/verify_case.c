#include "run/verify/verify_case.h"

#include <stdio.h>

#include "run/verify/verify_reference.h"

static const char *named(char out[128], const struct verify_case *t, const char *what) {
    (void)snprintf(out, 128, "methods/%s/%s", t->c->group, what);
    return out;
}

bool verify_case_has(const struct verify_case *t, const char *what) {
    char name[128];
    return fixture_has(t->file, named(name, t, what));
}

enum err_code verify_case_read(struct fixture_array *out, const struct verify_case *t,
                               const char *what, size_t n, struct err *err) {
    char name[128];
    return verify_reference_floats(out, t->file, named(name, t, what), n, err);
}

enum err_code verify_case_compare(const struct verify_case *t, const char *what, const float *got,
                                  size_t n, enum tolerance tolerance, struct err *err) {
    char name[128];
    return verify_reference_compare(t->report, t->file, "methods", named(name, t, what), got, n,
                                    tolerance, err);
}
