#include "activations/basis_set.h"

#include <assert.h>
#include <string.h>

const char *const BASIS_NAMES[BASIS_PARTS] = {"basis_heads", "basis_attention", "basis_state",
                                              "basis_alone", "basis_anchors",   "basis_step",
                                              "basis_recent"};

static void lay_out(struct basis_set *s) {
    for (enum basis_part p = 0; p < BASIS_PARTS; p++)
        if (s->parts & basis_bit(p))
            s->part[p] = arena_floats(&s->memory,
                                      basis_blocks(p, &s->dims) * s->n * basis_width(p, &s->dims));
}

enum err_code basis_set_create(struct basis_set *s, const struct model_dims *dims, unsigned parts,
                               size_t n, struct err *err) {
    *s = (struct basis_set){.dims = *dims, .parts = parts, .n = n};
    lay_out(s);
    enum err_code rc = arena_commit(&s->memory, err);
    if (rc == ERR_OK) lay_out(s);
    return rc;
}

void basis_set_destroy(struct basis_set *s) {
    arena_release(&s->memory);
    *s = (struct basis_set){0};
}

size_t basis_set_bytes(const struct model_dims *dims, unsigned parts, size_t n) {
    struct basis_set s = {.dims = *dims, .parts = parts, .n = n};
    lay_out(&s);
    return s.memory.used;
}

bool basis_pass_needed(unsigned parts, enum basis_pass pass) {
    const unsigned alone = basis_bit(BASIS_ALONE),
                   others = basis_bit(BASIS_ANCHORS) | basis_bit(BASIS_RECENT);
    return (parts & (pass == BASIS_PASS_ALONE ? alone : ~(alone | others))) != 0;
}

/* Block 0 of a part in a query pass; blocks are capacity * basis_width() apart. NULL: not in this
 * pass. */
static const float *part_of(const struct query *q, enum basis_part part, enum basis_pass pass) {
    if ((part == BASIS_ALONE) != (pass == BASIS_PASS_ALONE)) return NULL;
    switch (part) {
    case BASIS_HEADS:
        return q->z;
    case BASIS_ATTENTION:
        return q->a;
    case BASIS_STATE:
    case BASIS_ALONE:
        return q->x + q->capacity * q->dims.E;
    default:
        return NULL;
    }
}

void basis_set_take(struct basis_set *s, size_t first, const struct query *q, size_t R,
                    enum basis_pass pass) {
    assert(first + R <= s->n);
    for (enum basis_part p = 0; p < BASIS_PARTS; p++) {
        const float *from = part_of(q, p, pass);
        const size_t width = basis_width(p, &s->dims);
        for (size_t i = 0; s->part[p] && from && i < basis_blocks(p, &s->dims); i++)
            memcpy(s->part[p] + (i * s->n + first) * width, from + i * q->capacity * width,
                   R * width * sizeof *from);
    }
}

size_t basis_set_floats(const struct basis_set *s) {
    size_t floats = 0;
    for (enum basis_part p = 0; p < BASIS_PARTS; p++)
        if (s->parts & basis_bit(p)) floats += basis_blocks(p, &s->dims) * basis_width(p, &s->dims);
    return floats;
}

void basis_set_add(double *sum, const struct basis_set *s, const struct query *q, size_t r,
                   enum basis_pass pass) {
    for (enum basis_part p = 0; p < BASIS_PARTS; p++) {
        const float *from = part_of(q, p, pass);
        const size_t width = basis_width(p, &s->dims);
        for (size_t i = 0; s->part[p] && i < basis_blocks(p, &s->dims); i++, sum += width)
            for (size_t e = 0; from && e < width; e++)
                sum[e] += (double)from[(i * q->capacity + r) * width + e];
    }
}

void basis_set_add_row(double *sum, const struct basis_set *s, size_t r) {
    assert(r < s->n);
    for (enum basis_part p = 0; p < BASIS_PARTS; p++) {
        const size_t width = basis_width(p, &s->dims);
        for (size_t i = 0; s->part[p] && i < basis_blocks(p, &s->dims); i++)
            for (size_t e = 0; e < width; e++)
                *sum++ += (double)s->part[p][(i * s->n + r) * width + e];
    }
}

void basis_set_mean(struct basis_set *s, const double *sum, size_t n) {
    for (enum basis_part p = 0; p < BASIS_PARTS; p++) {
        const size_t width = basis_width(p, &s->dims);
        for (size_t i = 0; s->part[p] && i < basis_blocks(p, &s->dims); i++)
            for (size_t e = 0; e < width; e++)
                s->part[p][i * s->n * width + e] = (float)(*sum++ / (double)n);
    }
}

struct basis basis_set_view(const struct basis_set *s, size_t first, size_t R) {
    struct basis b = {.R = R, .stride = s->n};
    assert(first + R <= s->n);
    for (enum basis_part p = 0; p < BASIS_PARTS; p++)
        b.part[p] = s->part[p] ? s->part[p] + first * basis_width(p, &s->dims) : NULL;
    return b;
}
