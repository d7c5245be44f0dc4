#include "run/verify/verify_reference.h"

enum err_code verify_reference_prompts(struct verify_reference_prompts *out,
                                       const struct fixture *f, const char *xs, const char *ys,
                                       const struct model_dims *dims, struct err *err) {
    enum err_code rc = ERR_OK;
    double T0;
    *out = (struct verify_reference_prompts){0};
    TRY(fixture_floats(&out->xs, f, xs, 3, err));
    TRY(fixture_floats(&out->ys, f, ys, 2, err));
    TRY(fixture_attribute(&T0, f, "points", err));
    out->view = (struct prompt_view){.n = out->xs.shape[0],
                                     .points = out->xs.shape[1],
                                     .dims = out->xs.shape[2],
                                     .x = out->xs.floats,
                                     .y = out->ys.floats};
    const struct prompt_view *p = &out->view;
    CHECK(out->xs.n > 0 && p->dims == dims->inputs && out->ys.n == p->n * p->points && T0 >= 1 &&
              T0 <= (double)p->points && 2 * p->points <= dims->positions,
          ERR_DATA, "%s: %s, %s, points and n_positions disagree", fixture_path(f), xs, ys);
    out->T0 = (size_t)T0;
cleanup:
    if (rc != ERR_OK) verify_reference_release(out);
    return rc;
}

void verify_reference_release(struct verify_reference_prompts *p) {
    fixture_array_release(&p->ys);
    fixture_array_release(&p->xs);
}

enum err_code verify_reference_floats(struct fixture_array *out, const struct fixture *f,
                                      const char *name, size_t n, struct err *err) {
    const enum err_code rc = fixture_floats(out, f, name, -1, err);
    if (rc != ERR_OK || out->n == n) return rc;
    const size_t found = out->n;
    fixture_array_release(out);
    return ERR(err, ERR_DATA, "%s: %s: expected %zu numbers, found %zu", fixture_path(f), name, n,
               found);
}

enum err_code verify_reference_compare(struct verify_report *r, const struct fixture *f,
                                       const char *part, const char *name, const float *got,
                                       size_t n, enum tolerance tolerance, struct err *err) {
    struct fixture_array want = {0};
    enum err_code rc = verify_reference_floats(&want, f, name, n, err);
    if (rc != ERR_OK) return rc;
    rc = verify_floats(r, part, name, got, want.floats, n, tolerance, err);
    fixture_array_release(&want);
    return rc;
}
