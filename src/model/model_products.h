/*
 * model_products.h - the arithmetic of the products with a model's weights.
 *
 * A model computes in f32 by OpenBLAS unless it is told otherwise.  Told are the large matrices of
 * all layers and of the vocabulary; the maps of coordinates to rows and of rows to one number stay
 * f32 by OpenBLAS, as does everything that is no product: sums, norms, softmax, attention.
 */
#ifndef MODEL_MODEL_PRODUCTS_H
#define MODEL_MODEL_PRODUCTS_H

#include "model/params.h"
#include "ops/products.h"

struct model_arithmetic {
    enum arithmetic arithmetic;
    bool onednn; /* f32 by oneDNN instead of OpenBLAS */
};

/* Packs the weights, or selects the library; f32 by OpenBLAS: nothing. trains: gradients of the
 * weights are wanted, and model_products_refresh() follows every change of them. params_destroy()
 * releases it. ERR_CONFIG with the reason where the library or the CPU lacks what it needs. */
enum err_code model_products_use(struct params *p, const struct model_arithmetic *a, bool trains,
                                 struct err *err);
enum err_code model_products_refresh(struct params *p, struct err *err);
void model_products_release(struct params *p); /* idempotent */

/* Bytes of packed weights, about. */
size_t model_products_bytes(const struct model_dims *dims, enum arithmetic a);

/* Do rows of products with these weights have bits that depend on nothing but the row? */
bool model_products_rows_alone(const struct params *p);

#endif
