/*
 * product_speed.h - what this CPU gains by oneDNN: rates of its products compared with OpenBLAS.
 */
#ifndef MACHINE_PRODUCT_SPEED_H
#define MACHINE_PRODUCT_SPEED_H

#include "base/text.h"

/* One line: the kernel, and for f32 by oneDNN and each arithmetic in bfloat16 the rate of a product
 * [256,256] x [256,1024] over that of OpenBLAS, in processor time (about a tenth of a second). Or
 * why there is none. */
void product_speed_text(struct text *out);

#endif
