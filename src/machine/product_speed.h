/*
 * product_speed.h - what this CPU gains by oneDNN: rates of its products compared with OpenBLAS.
 */
#ifndef MACHINE_PRODUCT_SPEED_H
#define MACHINE_PRODUCT_SPEED_H

#include "base/text.h"
#include "ops/products.h"

/* One line: the kernel, and for f32 by oneDNN and each arithmetic in bfloat16 the rate of a product
 * [256,256] x [256,1024] over that of OpenBLAS, in processor time (about a tenth of a second). Or
 * why there is none. */
void product_speed_text(struct text *out);

/* The rate in one arithmetic over that of OpenBLAS; NaN where this program or CPU has none. */
double product_speed_rate(enum arithmetic a);

#endif
