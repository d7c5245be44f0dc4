/*
 * icv.h - the keys of the method "icv".
 */
#ifndef METHODS_ICV_H
#define METHODS_ICV_H

#include "methods/method.h"

struct icv_keys {
    double scale;       /* lambda */
    size_t layer_shift; /* block l is edited with stage l + 1 - layer_shift: 0 or 1 */
    bool mean;          /* the basis is one mean, so the principal component is added to it */
    int64_t prompts;    /* training prompts of that component, the first ones; 0: all */
};
METHOD_KEYS(icv)

#endif
