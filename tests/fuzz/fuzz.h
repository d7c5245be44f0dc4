/*
 * fuzz.h - one reader, fed with bytes from anywhere.
 *
 * Each fuzz_NAME.c holds LLVMFuzzerTestOneInput(); libFuzzer calls it (tests/fuzz/run.sh), or
 * replay.c does with every file of tests/fuzz/corpus/NAME (the test fuzz.replay_NAME). It must
 * neither crash nor hang nor leak, whatever the bytes are; what a reader promises is held by MUST.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (condition) break;                                                                      \
        (void)fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);       \
        abort();                                                                                   \
    } while (0)

/* A folder of this process, made when first asked for and removed when the process ends. */
const char *fuzz_folder(void);

/* Writes fuzz_folder()/NAME anew and returns its path, which the next call overwrites. */
const char *fuzz_file(const char *name, const void *data, size_t size);

#endif
