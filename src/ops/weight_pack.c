#include "ops/weight_pack.h"

#include <assert.h>
#include <stdlib.h>

static size_t tiles_of(const struct weight_map *m) {
    return (m->O + WEIGHT_PACK_TILE - 1) / WEIGHT_PACK_TILE;
}

/* Outputs of tile t. */
static size_t tile_width(const struct weight_map *m, size_t t) {
    const size_t rest = m->O - t * WEIGHT_PACK_TILE;
    return rest < WEIGHT_PACK_TILE ? rest : WEIGHT_PACK_TILE;
}

/* Numbers that are bfloat16 have no lower part. */
static enum arithmetic arithmetic_of(const struct products *p, const struct weight_map *m) {
    const bool one_part = m->W.type == WEIGHT_BF16 && p->arithmetic == ARITHMETIC_BF16X3;
    return one_part ? ARITHMETIC_BF16X2 : p->arithmetic;
}

static enum err_code init_tile(struct weight_pack *tile, struct products *p,
                               const struct weight_map *m, size_t n,
                               const struct weight_pack_request *q, struct err *err) {
    enum err_code rc = ERR_OK;
    const enum arithmetic a = arithmetic_of(p, m);
    const bool in_out = m->layout == LINEAR_IN_OUT;
    TRY(packed_init(&tile->forward, p, a, m->I, n, q->tiled ? n : q->ldy, err));
    TRY(packed_init(&tile->backward, p, a, n, m->I, m->I, err));
    if (q->trains && in_out) TRY(outer_init(&tile->gradient, p, m->I, n, m->O, err));
    if (q->trains && !in_out) TRY(outer_init(&tile->gradient, p, n, m->I, m->I, err));
cleanup:
    return rc;
}

enum err_code weight_pack_create(struct weight_pack **out, struct products *p,
                                 const struct weight_map *m, const struct weight_pack_request *q,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    struct weight_pack *pack = calloc(tiles_of(m), sizeof *pack);
    CHECK(pack, ERR_MEMORY, "no memory for packed weights");
    for (size_t t = 0; t < tiles_of(m); t++)
        TRY(init_tile(&pack[t], p, m, tile_width(m, t), q, err));
    TRY(weight_pack_fill(pack, m, err));
    *out = pack;
    pack = NULL;
cleanup:
    weight_pack_destroy(pack, m);
    return rc;
}

void weight_pack_destroy(struct weight_pack *pack, const struct weight_map *m) {
    for (size_t t = 0; pack && t < tiles_of(m); t++) {
        packed_release(&pack[t].forward);
        packed_release(&pack[t].backward);
        outer_release(&pack[t].gradient);
    }
    free(pack);
}

/* ---- numbers */

/* floats [I,n] or [n,I], as the matrix is stored. */
static enum err_code fill_tile(struct weight_pack *tile, const struct weight_map *m, size_t t,
                               float *floats, uint16_t *parts, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t n = tile_width(m, t), first = t * WEIGHT_PACK_TILE;
    const bool in_out = m->layout == LINEAR_IN_OUT;
    const size_t columns = in_out ? n : m->I;
    if (in_out)
        weight_widen(floats, &m->W, first, m->I, n, m->O);
    else
        weight_widen(floats, &m->W, first * m->I, n, m->I, m->I);
    TRY(packed_fill(&tile->forward, floats, columns, !in_out, parts, err));
    TRY(packed_fill(&tile->backward, floats, columns, in_out, parts, err));
cleanup:
    return rc;
}

enum err_code weight_pack_fill(struct weight_pack *pack, const struct weight_map *m,
                               struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t numbers = m->I * tile_width(m, 0);
    float *floats = malloc(numbers * sizeof *floats);
    uint16_t *parts = malloc(3 * numbers * sizeof *parts);
    CHECK(floats && parts, ERR_MEMORY, "no memory to pack %zu weights", numbers);
    for (size_t t = 0; t < tiles_of(m); t++) TRY(fill_tile(&pack[t], m, t, floats, parts, err));
cleanup:
    free(floats);
    free(parts);
    return rc;
}

size_t weight_pack_bytes(enum arithmetic a, size_t I, size_t O) {
    return 2 * arithmetic_parts(a) * I * O * sizeof(uint16_t);
}

/* ---- products */

void weight_pack_forward(float *y, size_t ldy, const float *x, const struct weight_map *m,
                         size_t N) {
    for (size_t t = 0; t < tiles_of(m); t++) {
        assert(m->W.pack[t].forward.ldc == ldy), (void)ldy;
        packed_add(y + t * WEIGHT_PACK_TILE, x, m->I, N, &m->W.pack[t].forward);
    }
}

void weight_pack_backward(float *dx, const float *dy, size_t ldy, const struct weight_map *m,
                          size_t N) {
    for (size_t t = 0; t < tiles_of(m); t++)
        packed_add(dx, dy + t * WEIGHT_PACK_TILE, ldy, N, &m->W.pack[t].backward);
}

void weight_pack_gradient(float *dW, const float *dy, size_t ldy, const float *x,
                          const struct weight_map *m, size_t N) {
    const size_t I = m->I;
    for (size_t t = 0; t < tiles_of(m); t++) {
        const size_t first = t * WEIGHT_PACK_TILE;
        const struct outer *g = &m->W.pack[t].gradient;
        if (m->layout == LINEAR_IN_OUT)
            outer_add(dW + first, x, I, dy + first, ldy, N, g);
        else
            outer_add(dW + first * I, dy + first, ldy, x, I, N, g);
    }
}
