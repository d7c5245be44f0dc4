/*
 * loreft.h - where the numbers of the method "loreft" stand.
 */
#ifndef METHODS_LOREFT_H
#define METHODS_LOREFT_H

#include "methods/layer_choice.h"

/* setup.own, behind the layer; 0: rank 1. */
enum { LOREFT_RANK = LAYER_CHOICE_NEXT };

#endif
