/* Benchmarks of models of numbers count the matrix products that their lines do: the limit that a
 * line is compared with comes from this count. Attention is the rest, a few percent at this size.
 * Prompts have 12 and 24 tokens, which no kernel makes the program pad (prompt_groups.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bench/bench.h"
#include "ops/blas.h"
#include "twins/error_says.h"

#include <cblas.h> /* after headers with names that complex.h takes */

static const struct bench_size SIZE = {
    .name = "narrow",
    .dims = {.L = 3, .H = 2, .E = 96, .inputs = 3, .positions = 40, .epsilon = 1e-5F},
    .trained_points = 7,
    .pretrain_prompts = 4,
    .points = 13,
    .prompts = 64,
    .batch = 16,
    .few = 64,
    .read_bytes = 1 << 20,
    .sgemm = 64,
    .sgemm_flops = 1e6,
};

static double done; /* operations of sgemm */

void __real_cblas_sgemm(CBLAS_ORDER order, CBLAS_TRANSPOSE a, CBLAS_TRANSPOSE b, blasint M,
                        blasint N, blasint K, float alpha, const float *A, blasint lda,
                        const float *B, blasint ldb, float beta, float *C, blasint ldc);
void __wrap_cblas_sgemm(CBLAS_ORDER order, CBLAS_TRANSPOSE a, CBLAS_TRANSPOSE b, blasint M,
                        blasint N, blasint K, float alpha, const float *A, blasint lda,
                        const float *B, blasint ldb, float beta, float *C, blasint ldc);

void __wrap_cblas_sgemm(CBLAS_ORDER order, CBLAS_TRANSPOSE a, CBLAS_TRANSPOSE b, blasint M,
                        blasint N, blasint K, float alpha, const float *A, blasint lda,
                        const float *B, blasint ldb, float beta, float *C, blasint ldc) {
    done += 2 * (double)M * (double)N * (double)K;
    __real_cblas_sgemm(order, a, b, M, N, K, alpha, A, lda, B, ldb, beta, C, ldc);
}

/* The first run finds out which prompts may run together. */
static double operations(const struct bench *b, void *state, size_t line) {
    struct err err;
    SUCCEEDS(b->run(state, line, &err));
    done = 0;
    SUCCEEDS(b->run(state, line, &err));
    return done;
}

/* Pretraining computes the last block at x tokens only, and counts it in full. Lines that create
 * what they run on find out each time which prompts may run together, which at this size is up to
 * half as much as they count. */
static double least_part(const struct bench *b) { return b == bench_find("pretrain") ? 0.8 : 0.95; }

static double most_part(const struct bench *b, const char *line) {
    if (b == bench_find("sharing") || strcmp(line, "prefill") == 0) return 1.6;
    return 1.05;
}

static void check_bench(const struct bench *b) {
    struct err err;
    struct bench_line lines[BENCH_LINES] = {{0}};
    void *state = NULL;
    size_t n = 0;
    SUCCEEDS(b->open(&state, lines, &n, &SIZE, &err));
    for (size_t i = 0; i < n; i++) {
        if (lines[i].n_parts > 0) continue;
        const double part = operations(b, state, i) / (lines[i].flops * lines[i].units);
        if (part < least_part(b) || part > most_part(b, lines[i].name))
            fail_msg("%s, %s: sgemm does %.3f of the operations counted", b->name, lines[i].name,
                     part);
    }
    b->close(state);
}

static const char *const NAMES[] = {"pretrain", "capture", "fit", "curve", "effects", "sharing"};

static void counts_are_those_of_the_products(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) check_bench(bench_find(NAMES[i]));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(counts_are_those_of_the_products)};
    blas_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
