/*
 * fitted_method.h - the method of a finished fit, as its artifact holds it: settings, weights, the
 * choice made on validation prompts, the mean basis.
 */
#ifndef STAGES_FITTED_METHOD_H
#define STAGES_FITTED_METHOD_H

#include "activations/basis_set.h"
#include "methods/method.h"

struct fitted_method {
    struct method_setup setup;
    float *w;       /* [method_weights]; NULL: the method has none */
    bool own_basis; /* each prompt has a basis of its own; false too where there is no basis */
    bool has_mean;
    struct basis_set mean; /* one row, if has_mean */
};

/* The fit has one basis for all prompts; false where its method has no basis. */
bool fitted_method_is_mean(const struct config_point *fit);

/* For plan: the settings of a fit, or where fit is NULL those of the method `control`, or of
 * `plain` where that is NULL too. params: dims alone; must outlive *out. */
void fitted_method_planned(struct method_setup *out, const struct config_point *fit,
                           const char *control, const struct params *params);

/* point: of the fit; params: of the frozen model, must outlive *f. ERR_DATA for an artifact that
 * is not of this method and model. */
enum err_code fitted_method_open(struct fitted_method *f, const struct config_point *point,
                                 const char *artifact, const struct params *params,
                                 struct err *err);
void fitted_method_close(struct fitted_method *f);

#endif
