/*
 * Control of a fit: its vector, made from the basis of the next function; the last function takes
 * that of the first. It measures how much the vector depends on the function. Cost: that of the
 * fit.
 */
#include "methods/method.h"

/* With no basis, or one mean for all functions, there is no other basis to take. */
static bool mismatched_applies(const struct method *fit, bool own_basis) {
    return fit->inputs.basis && own_basis;
}

extern const struct method method_mismatched;
const struct method method_mismatched = {
    .name = "mismatched",
    .docs = {.meaning =
                 "Control of a fit: the vector is made from the basis of the next test function.",
             .paper = "",
             .sees = "T0 - 1 examples of another function",
             .cost = "that of the fit",
             .text = "where one vector serves a whole task, the same fit of the next task; where "
                     "each prompt has its own, source.task must be a folder of tasks",
             .control = true,
             .weights = "",
             .vector = "v of the fit, from the basis of the next function",
             .place = "that of the fit"},
    .control = {.applies = mismatched_applies, .next_function = true},
};
