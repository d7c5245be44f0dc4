/* What blas_kernel_judge() reports of kernels on CPUs of several kinds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "machine/blas_kernel.h"
#include "ops/blas.h"

enum { SSE = 1, AVX, AVX2, AVX512 };

static void expect(enum blas_kernel_state state, const char *part, const char *core,
                   const char *pinned, int cpu) {
    char line[CORE_LINE];
    const enum blas_kernel_state got = blas_kernel_judge(line, core, pinned, cpu);
    if (got != state || !strstr(line, part))
        fail_msg("%s on CPU %d: state %d, expected %d; \"%s\", expected \"%s\"", core, cpu, got,
                 state, line, part);
    assert_true(strlen(line) < CORE_LINE - 1);
}

static void test_unknown_cpus_get_the_name_of_their_kernel(void **state) {
    (void)state;
    expect(CORE_SLOWER, "export OPENBLAS_CORETYPE=SkylakeX", "Prescott", NULL, AVX512);
    expect(CORE_SLOWER, "export OPENBLAS_CORETYPE=Haswell", "Prescott", NULL, AVX2);
    expect(CORE_SLOWER, "export OPENBLAS_CORETYPE=Haswell", "Sandybridge", NULL, AVX2);
    expect(CORE_SLOWER, "export OPENBLAS_CORETYPE=Sandybridge", "Prescott", NULL, AVX);
}

static void test_known_cpus_are_left_alone(void **state) {
    (void)state;
    expect(CORE_OWN, "core Prescott", "Prescott", NULL, SSE);
    expect(CORE_OWN, "core Zen", "Zen", NULL, AVX2);
    expect(CORE_OWN, "core Zen", "Zen", NULL, AVX512); /* AVX2 kernels: about as fast */
    expect(CORE_OWN, "core Cooperlake", "Cooperlake", NULL, AVX512);
    expect(CORE_OWN, "core armv8", "armv8", NULL, SSE); /* no kernel of x86-64 */
}

static void test_pinned_kernels(void **state) {
    (void)state;
    expect(CORE_OWN, "pinned by OPENBLAS_CORETYPE=skylakex", "SkylakeX", "skylakex", AVX512);
    expect(CORE_SLOWER, "export OPENBLAS_CORETYPE=SkylakeX", "Haswell", "Haswell", AVX512);
    expect(CORE_UNKNOWN, "it uses Prescott: unset the variable, or name SkylakeX", "Prescott",
           "Hasvell", AVX512);
}

static void test_the_cpu_runs_the_kernel_in_use(void **state) {
    (void)state;
    char line[CORE_LINE];
    const int cpu = blas_kernel_cpu();
    assert_in_range(cpu, SSE, AVX512);
    expect(CORE_OWN, "core", blas_core(), NULL, SSE);
    (void)blas_kernel_look(line);
    assert_non_null(strstr(line, blas_core()));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unknown_cpus_get_the_name_of_their_kernel),
        cmocka_unit_test(test_known_cpus_are_left_alone),
        cmocka_unit_test(test_pinned_kernels),
        cmocka_unit_test(test_the_cpu_runs_the_kernel_in_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
