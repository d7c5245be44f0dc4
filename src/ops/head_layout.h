/*
 * head_layout.h - where the q, k and v of each head lie in the row of a token.
 *
 * Query head h uses key-value head h / (H / KV): grouped heads, Ainslie et al., arXiv:2305.13245.
 */
#ifndef OPS_HEAD_LAYOUT_H
#define OPS_HEAD_LAYOUT_H

#include <math.h>
#include <stddef.h>

struct head_layout {
    size_t H, KV, D;        /* query heads; key-value heads, a divisor of H; width */
    size_t row;             /* floats of a token */
    size_t q_step, kv_step; /* floats from one head to the next */
    size_t k, v;            /* where the first key and the first value begin; the first query: 0 */
    float scale;            /* of the scores; usually 1 / sqrt(D) */
};

/* All q, then all k, then all v: [H D | KV D | KV D]; GPT-2's c_attn with KV = H. */
static inline struct head_layout head_layout_packed(size_t H, size_t KV, size_t D) {
    return (struct head_layout){.H = H,
                                .KV = KV,
                                .D = D,
                                .row = (H + 2 * KV) * D,
                                .q_step = D,
                                .kv_step = D,
                                .k = H * D,
                                .v = (H + KV) * D,
                                .scale = 1.0f / sqrtf((float)D)};
}

/* q, k and v of one head after the other: [H, 3, D], NeoX's query_key_value. */
static inline struct head_layout head_layout_by_head(size_t H, size_t D) {
    return (struct head_layout){.H = H,
                                .KV = H,
                                .D = D,
                                .row = 3 * H * D,
                                .q_step = 3 * D,
                                .kv_step = 3 * D,
                                .k = D,
                                .v = 2 * D,
                                .scale = 1.0f / sqrtf((float)D)};
}

static inline size_t head_layout_q(const struct head_layout *l, size_t h) { return h * l->q_step; }

static inline size_t head_layout_k(const struct head_layout *l, size_t h) {
    return l->k + h / (l->H / l->KV) * l->kv_step;
}

static inline size_t head_layout_v(const struct head_layout *l, size_t h) {
    return l->v + h / (l->H / l->KV) * l->kv_step;
}

#endif
