/*
 * linear_vector.h - the forms and keys of the method "linear_vector".
 */
#ifndef METHODS_LINEAR_VECTOR_H
#define METHODS_LINEAR_VECTOR_H

#include "methods/method.h"

enum linear_form { LINEAR_MAP, LINEAR_CONSTANT }; /* setup.variant */

struct linear_vector_keys {
    int64_t anchors; /* queries without labels */
    double ridge;    /* 0: chosen on validation prompts */
};
METHOD_KEYS(linear_vector)

#endif
