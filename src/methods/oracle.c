/*
 * Control: no vector. `plain` within the trained range and `window` beyond it: what is attainable
 * without a vector, to which the recovered fraction of a method refers. Cost: a context for every k
 * beyond the trained range.
 */
#include "methods/method.h"

extern const struct method method_oracle;
const struct method method_oracle = {
    .name = "oracle",
    .docs = {.meaning = "No vector: plain within the trained length, the window beyond it.",
             .paper = "",
             .sees = "nothing beyond the prompt",
             .cost = "one context per length beyond the trained length",
             .control = true,
             .text = "refused: prompts of text have no pairs beyond a trained length",
             .weights = "",
             .vector = "",
             .place = "no edit; beyond the trained length, the prompt is its last T0 - 1 pairs and "
                      "the query"},
    .inputs = {.prompt = METHOD_ORACLE},
};
