#include "run/verify_trial.h"

#include <stdio.h>

#include "run/verify_reference.h"

static const double TOLERANCE = 1e-4;

static const char *named(char out[128], const struct trial *t, const char *what) {
    (void)snprintf(out, 128, "methods/%s/%s", t->c->group, what);
    return out;
}

bool trial_has(const struct trial *t, const char *what) {
    char name[128];
    return fixture_has(t->file, named(name, t, what));
}

enum err_code trial_read(struct fixture_array *out, const struct trial *t, const char *what,
                         size_t n, struct err *err) {
    char name[128];
    return verify_reference_floats(out, t->file, named(name, t, what), n, err);
}

enum err_code trial_compare(const struct trial *t, const char *what, const float *got, size_t n,
                            enum verify_scale scale, struct err *err) {
    char name[128];
    return verify_reference_compare(t->report, t->file, "methods", named(name, t, what), got, n,
                                    TOLERANCE, scale, err);
}
