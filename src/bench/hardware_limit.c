#include "bench/hardware_limit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "ops/lanes.h"
#include "ops/products.h"

enum { SHAPES = 8, ACCUMULATORS = 8 };

struct shape {
    size_t M, N, K, times;
};

struct hardware_limit {
    struct shape shapes[SHAPES];
    float *a, *b, *c;             /* of the largest product */
    struct products *products;    /* of the arithmetic in use; NULL: sgemm of OpenBLAS */
    struct packed packed[SHAPES]; /* b of each shape, in bfloat16 */
    float *memory;                /* [floats], allocated like contexts, with huge pages */
    size_t floats;
    struct arena arena; /* of memory */
    float sum;          /* of what was read; keeps the compiler from dropping the reads */
};

static double flops_of(const struct shape *s) {
    return 2.0 * (double)s->M * (double)s->N * (double)s->K;
}

/* Square products, and those of a model on a pretraining batch and on a mini-batch of a fit. */
static void set_shapes(struct hardware_limit *l, const struct bench_size *z) {
    const size_t E = z->dims.E, rows = z->pretrain_prompts * 2 * z->trained_points, S = z->sgemm;
    const struct shape shapes[SHAPES] = {
        {S, S, S, 0},
        {2 * S, 2 * S, 2 * S, 0},
        {rows, 3 * E, E, 0},
        {rows, 4 * E, E, 0},
        {rows, E, 4 * E, 0},
        {z->batch, 3 * E, E, 0},
        {z->batch, 4 * E, E, 0},
        {z->batch, E, 4 * E, 0},
    };
    for (size_t i = 0; i < SHAPES; i++) {
        l->shapes[i] = shapes[i];
        l->shapes[i].times = (size_t)fmax(1.0, round(z->sgemm_flops / flops_of(&shapes[i])));
    }
}

static void fill(float *x, size_t n) {
    for (size_t i = 0; i < n; i++) x[i] = (float)(i % 7) - 3.0F;
}

static float *numbers(size_t n) {
    float *x = malloc(n * sizeof *x);
    if (x) fill(x, n);
    return x;
}

static enum err_code create_memory(struct hardware_limit *l, size_t bytes, struct err *err) {
    l->floats = bytes / sizeof *l->memory;
    (void)arena_floats(&l->arena, l->floats);
    const enum err_code rc = arena_commit(&l->arena, err);
    if (rc != ERR_OK) return rc;
    l->memory = arena_floats(&l->arena, l->floats);
    fill(l->memory, l->floats);
    return ERR_OK;
}

static enum err_code pack_shape(struct hardware_limit *l, size_t i, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct shape *s = &l->shapes[i];
    const enum arithmetic a = l->products->arithmetic;
    uint16_t *scratch = malloc(arithmetic_parts(a) * s->K * s->N * sizeof *scratch);
    CHECK(scratch, ERR_MEMORY, "no memory for the matrices of the hardware limits");
    TRY(packed_init(&l->packed[i], l->products, a, s->K, s->N, s->N, err));
    TRY(packed_fill(&l->packed[i], l->b, s->N, false, scratch, err));
cleanup:
    free(scratch);
    return rc;
}

static enum err_code open_products(struct hardware_limit *l, const struct model_arithmetic *a,
                                   struct err *err) {
    enum err_code rc = ERR_OK;
    if (a->arithmetic == ARITHMETIC_F32 && !a->onednn) return ERR_OK;
    TRY(products_open(&l->products, a->arithmetic, err));
    for (size_t i = 0; a->arithmetic != ARITHMETIC_F32 && i < SHAPES; i++)
        TRY(pack_shape(l, i, err));
cleanup:
    return rc;
}

enum err_code hardware_limit_open(struct hardware_limit **out, const struct bench_size *size,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    size_t a = 0, b = 0, c = 0;
    struct hardware_limit *l = calloc(1, sizeof *l);
    CHECK(l, ERR_MEMORY, "no memory for the hardware limits");
    set_shapes(l, size);
    for (size_t i = 0; i < SHAPES; i++) {
        const struct shape *s = &l->shapes[i];
        if (s->M * s->K > a) a = s->M * s->K;
        if (s->K * s->N > b) b = s->K * s->N;
        if (s->M * s->N > c) c = s->M * s->N;
    }
    l->a = numbers(a);
    l->b = numbers(b);
    l->c = numbers(c);
    CHECK(l->a && l->b && l->c, ERR_MEMORY, "no memory for the matrices of the hardware limits");
    TRY(create_memory(l, size->read_bytes, err));
    TRY(open_products(l, &size->products, err));
    *out = l;
    l = NULL;
cleanup:
    hardware_limit_close(l);
    return rc;
}

void hardware_limit_close(struct hardware_limit *l) {
    if (!l) return;
    arena_release(&l->arena);
    for (size_t i = 0; i < SHAPES; i++) packed_release(&l->packed[i]);
    products_close(l->products);
    free(l->c);
    free(l->b);
    free(l->a);
    free(l);
}

size_t hardware_limit_sgemms(const struct hardware_limit *l) {
    (void)l;
    return SHAPES;
}

size_t hardware_limit_probes(const struct hardware_limit *l) {
    return hardware_limit_sgemms(l) + 1;
}

/* Eight independent sums, so that memory is the bottleneck, not the latency of additions. */
static void read_all(struct hardware_limit *l) {
    lanes sums[ACCUMULATORS] = {{0}};
    const size_t step = ACCUMULATORS * LANES;
    for (size_t i = 0; i + step <= l->floats; i += step)
        for (size_t k = 0; k < ACCUMULATORS; k++) sums[k] += lanes_load(l->memory + i + k * LANES);
    for (size_t k = 0; k < ACCUMULATORS; k++) l->sum += lanes_sum(sums[k]);
}

static void multiply_shape(const struct hardware_limit *l, size_t i) {
    const struct shape *s = &l->shapes[i];
    if (l->packed[i].products)
        packed_add(l->c, l->a, s->K, s->M, &l->packed[i]);
    else if (l->products)
        onednn_gemm(l->products->library, l->c, l->a, l->b, BLAS_N, BLAS_N, 0.0F, s->M, s->N, s->K,
                    s->K, s->N, s->N);
    else
        blas_gemm(l->c, l->a, l->b, BLAS_N, BLAS_N, 1.0F, 0.0F, s->M, s->N, s->K, s->K, s->N, s->N);
}

void hardware_limit_probe(struct hardware_limit *l, size_t probe) {
    if (probe >= SHAPES) {
        read_all(l);
        return;
    }
    for (size_t i = 0; i < l->shapes[probe].times; i++) multiply_shape(l, probe);
}

double hardware_limit_work(const struct hardware_limit *l, size_t probe) {
    if (probe >= SHAPES) return (double)(l->floats * sizeof(float));
    const struct shape *s = &l->shapes[probe];
    return flops_of(s) * (double)s->times;
}

void hardware_limit_name(char out[48], const struct hardware_limit *l, size_t probe) {
    const struct shape *s = &l->shapes[probe];
    if (probe >= SHAPES)
        (void)snprintf(out, 48, "read");
    else
        (void)snprintf(out, 48, "%zux%zux%zu", s->M, s->N, s->K);
}
