/*
 * ltv.h - the four variants of the method "ltv" (ltv.c), by name.
 */
#ifndef METHODS_LTV_H
#define METHODS_LTV_H

/* setup.variant of the method "ltv" */
enum ltv_reading { LTV_HEADS, LTV_HEADS_BIAS, LTV_REPROJECTED, LTV_BLOCKS };

extern const char *const LTV_READINGS[]; /* names in the order of the enum, NULL-terminated */

#endif
