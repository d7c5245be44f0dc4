/*
 * i2cl.h - the keys of the method "i2cl".
 */
#ifndef METHODS_I2CL_H
#define METHODS_I2CL_H

#include "methods/method.h"

struct i2cl_keys {
    int64_t demonstrations; /* pairs for training, each alone */
    int64_t epochs;         /* of the calibration; 0: the published initial scalars */
    double lr;              /* of AdamW, at its peak */
};
METHOD_KEYS(i2cl)

#endif
