/*
 * loreft.h - where the numbers of the method "loreft" stand.
 */
#ifndef METHODS_LOREFT_H
#define METHODS_LOREFT_H

enum { /* setup.own: the layer, or -1 where it is chosen; 0: rank 1 */
       LOREFT_LAYER,
       LOREFT_RANK
};

#endif
