#include "machine/product_speed.h"

#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "ops/products.h"

enum { ROWS = 256, DEPTH = 256, WIDTH = 1024, TIMES = 8, REPEATS = 5 };

/* The factors and the result of one product, and what computes it. */
struct speed_scene {
    float *A, *B, *C;
    uint16_t *scratch;
    const struct onednn *library; /* f32 by oneDNN; NULL with packed NULL: by OpenBLAS */
    const struct packed *packed;
};

static void multiply_once(const struct speed_scene *s) {
    if (s->packed)
        packed_add(s->C, s->A, DEPTH, ROWS, s->packed);
    else if (s->library)
        onednn_gemm(s->library, s->C, s->A, s->B, BLAS_N, BLAS_N, 1.0f, ROWS, WIDTH, DEPTH, DEPTH,
                    WIDTH, WIDTH);
    else
        blas_gemm(s->C, s->A, s->B, BLAS_N, BLAS_N, 1.0f, 1.0f, ROWS, WIDTH, DEPTH, DEPTH, WIDTH,
                  WIDTH);
}

/* Processor seconds of the fastest of a few repeats; the first of them does not count. */
static double seconds_of(const struct speed_scene *s) {
    double best = 0;
    for (size_t r = 0; r <= REPEATS; r++) {
        const double begun = clock_cpu();
        for (size_t i = 0; i < TIMES; i++) multiply_once(s);
        const double taken = clock_cpu() - begun;
        if (r > 0 && (best == 0 || taken < best)) best = taken;
    }
    return best;
}

static enum err_code measure_packed(double *seconds, struct speed_scene *s, struct products *p,
                                    enum arithmetic a, struct err *err) {
    enum err_code rc = ERR_OK;
    struct packed packed;
    TRY(packed_init(&packed, p, a, DEPTH, WIDTH, WIDTH, err));
    rc = packed_fill(&packed, s->B, WIDTH, false, s->scratch, err);
    s->packed = &packed;
    if (rc == ERR_OK) *seconds = seconds_of(s);
    s->packed = NULL;
    packed_release(&packed);
cleanup:
    return rc;
}

static enum err_code add_rates(struct text *out, struct speed_scene *s, struct err *err) {
    enum err_code rc = ERR_OK;
    struct products *p = NULL;
    TRY(products_open(&p, ARITHMETIC_F32, err));
    const double openblas = seconds_of(s);
    s->library = p->library;
    text_add(out, "%s; products compared with OpenBLAS: f32 %.2f", onednn_kernel(p->library),
             openblas / seconds_of(s));
    if (!onednn_has_bfloat(p->library)) {
        text_add(out, "; this CPU has no instructions for bfloat16");
        goto cleanup;
    }
    for (int a = ARITHMETIC_BF16X3; a < ARITHMETICS; a++) {
        double seconds;
        TRY(measure_packed(&seconds, s, p, (enum arithmetic)a, err));
        text_add(out, ", %s %.2f", arithmetic_name((enum arithmetic)a), openblas / seconds);
    }
cleanup:
    products_close(p);
    return rc;
}

static bool take_memory(struct speed_scene *s) {
    s->A = calloc((size_t)ROWS * DEPTH, sizeof *s->A);
    s->B = calloc((size_t)DEPTH * WIDTH, sizeof *s->B);
    s->C = calloc((size_t)ROWS * WIDTH, sizeof *s->C);
    s->scratch = calloc((size_t)3 * DEPTH * WIDTH, sizeof *s->scratch);
    return s->A && s->B && s->C && s->scratch;
}

static void free_memory(struct speed_scene *s) {
    free(s->A), free(s->B), free(s->C), free(s->scratch);
}

static enum err_code measure_rate(double *rate, struct speed_scene *s, enum arithmetic a,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    struct products *p = NULL;
    double seconds;
    TRY(products_open(&p, a, err));
    const double openblas = seconds_of(s);
    TRY(measure_packed(&seconds, s, p, a, err));
    *rate = openblas / seconds;
cleanup:
    products_close(p);
    return rc;
}

double product_speed_rate(enum arithmetic a) {
    struct speed_scene s = {0};
    struct err unused;
    double rate = nan("");
    if (a == ARITHMETIC_F32) return 1.0;
    if (take_memory(&s)) (void)measure_rate(&rate, &s, a, &unused);
    free_memory(&s);
    return rate;
}

void product_speed_text(struct text *out) {
    struct speed_scene s = {0};
    struct text rates = {0};
    struct err err = {0};
    if (!take_memory(&s) || add_rates(&rates, &s, &err) != ERR_OK)
        text_add(out, "f32 by OpenBLAS alone: %s", err.code ? err.msg : "no memory");
    else
        text_add(out, "%s", text_str(&rates));
    text_release(&rates);
    free_memory(&s);
}
