/* No vector: the obvious practical rival, which never leaves the trained positions. */
#include "methods/method.h"

extern const struct method method_window;
const struct method method_window = {
    .name = "window",
    .meaning =
        "no vector: only the last T0 - 1 pairs and the query are shown, at the first positions",
    .paper = "",
    .sees = "nothing beyond the prompt",
    .cost = "a context for every length beyond T0",
    .scope = EDIT_QUERY,
    .prompt = METHOD_WINDOW,
};
