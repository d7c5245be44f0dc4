/* Control: the model without edits. Sees: the prompt. Cost: none. */
#include "methods/method.h"

extern const struct method method_plain;
const struct method method_plain = {
    .name = "plain",
    .docs = {.meaning = "The model without any edit.",
             .paper = "",
             .sees = "nothing",
             .cost = "none",
             .weights = "",
             .vector = "",
             .place = "no edit"},
};
