/* The model as it is: the query stream with an empty edit list. */
#include "methods/method.h"

extern const struct method method_plain;
const struct method method_plain = {
    .name = "plain",
    .docs = {.meaning = "The model without any edit.",
             .paper = "",
             .sees = "nothing",
             .cost = "none"},
};
