/* No vector: what a user could get at best without one, the yardstick of fidelity. */
#include "methods/method.h"

extern const struct method method_oracle;
const struct method method_oracle = {
    .name = "oracle",
    .docs = {.meaning = "No vector: plain within the trained length, the window beyond it.",
             .paper = "",
             .sees = "nothing beyond the prompt",
             .cost = "one context per length beyond the trained length"},
    .inputs = {.prompt = METHOD_ORACLE},
};
