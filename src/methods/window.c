/*
 * Control: no vector. From k = T0 examples on, only the last T0 - 1 pairs and the query are shown,
 * at the first positions, so no untrained position is used: the practical baseline for any method
 * that lowers the error on long prompts. Cost: a context for every such k.
 */
#include "methods/method.h"

extern const struct method method_window;
const struct method method_window = {
    .name = "window",
    .docs =
        {.meaning =
             "No vector: the model sees only the last T0 - 1 pairs and the query, at the first"
             " positions.",
         .paper = "",
         .sees = "nothing beyond the prompt",
         .cost = "one context per length beyond T0",
         .control = true,
         .text = "refused: prompts of text have no pairs beyond a trained length",
         .weights = "",
         .vector = "",
         .place =
             "no edit; from k = T0 examples on, the prompt is its last T0 - 1 pairs and the query"},
    .inputs = {.prompt = METHOD_WINDOW},
};
