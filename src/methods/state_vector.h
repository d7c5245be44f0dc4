/*
 * state_vector.h - the keys of the method "state_vector".
 */
#ifndef METHODS_STATE_VECTOR_H
#define METHODS_STATE_VECTOR_H

#include "methods/method.h"

struct state_vector_keys {
    int64_t average; /* the last x's whose attention outputs are averaged; 0 counts as 1 */
};
METHOD_KEYS(state_vector)

#endif
