/* No vector: what a user could get at best without one, the yardstick of fidelity. */
#include "methods/method.h"

extern const struct method method_oracle;
const struct method method_oracle = {
    .name = "oracle",
    .meaning = "no vector: plain within the trained range, beyond it the window",
    .paper = "",
    .sees = "nothing beyond the prompt",
    .cost = "a context for every length beyond the trained range",
    .scope = EDIT_QUERY,
    .prompt = METHOD_ORACLE,
};
