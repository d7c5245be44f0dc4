#include "stages/evaluated_method.h"

#include <stdio.h>

#include "stages/job_model.h"

/* "heads" for a fit of ltv; "ltv.heads" for a control of that fit. */
static void name_reading(struct evaluated_method *m) {
    const char *variant = method_variant(&m->fitted.setup), *method = m->fitted.setup.method->name;
    if (m->control)
        (void)snprintf(m->reading, sizeof m->reading, "%s%s%s", method, variant[0] ? "." : "",
                       variant);
    else
        (void)snprintf(m->reading, sizeof m->reading, "%s", variant);
}

enum err_code evaluated_method_open(struct evaluated_method *m, const struct job_ctx *ctx,
                                    const struct params *params, struct err *err) {
    enum err_code rc = ERR_OK;
    const char *control = ctx->control;
    *m = (struct evaluated_method){.fit = job_model_fit_input(ctx)};
    if (m->fit && control) m->control = method_find(control);
    if (m->fit)
        TRY(fitted_method_open(&m->fitted, m->fit->point, m->fit->artifact, params, err));
    else
        method_setup_named(&m->fitted.setup, control ? control : "plain", params);
    name_reading(m);
cleanup:
    return rc;
}

void evaluated_method_close(struct evaluated_method *m) { fitted_method_close(&m->fitted); }

const char *evaluated_method_name(const struct evaluated_method *m) {
    return m->control ? m->control->name : m->fitted.setup.method->name;
}

int64_t evaluated_method_fit_points(const struct evaluated_method *m) {
    if (!m->fit) return 0;
    return config_has(m->fit->point, "points") ? config_int(m->fit->point, "points") : JOB_NO_INT;
}

int64_t evaluated_method_repeat(const struct evaluated_method *m) {
    return m->fit ? config_int(m->fit->point, "repeat") : 0;
}

struct rng evaluated_method_stream(const struct evaluated_method *m, uint64_t seed,
                                   const char *source) {
    char name[128];
    (void)snprintf(name, sizeof name, "%s/%s/%s", source, EVALUATED_SPLIT,
                   m->control ? m->control->name : "");
    return rng_stream(seed, name);
}
