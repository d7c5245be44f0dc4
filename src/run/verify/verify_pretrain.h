/*
 * verify_pretrain.h - a pretraining step against reference numbers: the loss of all x positions,
 * its gradient for every tensor of the model, and steps of Adam.
 */
#ifndef RUN_VERIFY_VERIFY_PRETRAIN_H
#define RUN_VERIFY_VERIFY_PRETRAIN_H

#include "model/params.h"
#include "run/verify/verify_report.h"
#include "sources/prompt_view.h"
#include "store/fixture.h"

/* core/mse_loss (part `core`) and core/grad/TENSOR (part `grad`), on the prompts of the file's
 * group `core`. */
enum err_code verify_loss_gradient(struct verify_report *r, const struct fixture *f,
                                   const struct params *p, const struct prompt_view *prompts,
                                   struct err *err);

/* Group `adam` (part `adam`): the loss before each step, and the parameters after the last one. */
enum err_code verify_adam(struct verify_report *r, const struct fixture *f, const struct params *p,
                          struct err *err);

#endif
