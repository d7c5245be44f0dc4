/*
 * loreft.h - the keys of the method "loreft".
 */
#ifndef METHODS_LOREFT_H
#define METHODS_LOREFT_H

#include "methods/method.h"

struct loreft_keys {
    int64_t rank; /* rows of R, W and b; 0 counts as 1 */
};
METHOD_KEYS(loreft)

#endif
