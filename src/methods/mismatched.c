/* The vector of another function: what does knowing the right one add? */
#include "methods/method.h"

/* With one basis for all, or none, there is no other function to take it from. */
static bool mismatched_applies(const struct method *fit, bool own_basis) {
    return fit->inputs.basis && own_basis;
}

extern const struct method method_mismatched;
const struct method method_mismatched = {
    .name = "mismatched",
    .docs = {.meaning =
                 "Control of a fit: its vector is made from the basis of the next function instead"
                 " of its own.",
             .paper = "",
             .sees = "T0 - 1 examples of another function",
             .cost = "that of the fit"},
    .control = {.applies = mismatched_applies, .next_function = true},
};
