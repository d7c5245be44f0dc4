/*
 * task.h - a text task: pairs of an input and its answer, read from a JSON file, and which of them
 * are for training, validation and test.
 *
 * The part of a pair follows from the SHA-256 of its input alone, and pairs are ordered by it:
 * neither the order of a file nor its name changes a part or a prompt. Files are lists of
 * {"input": TEXT, "output": TEXT} as in Todd et al., "Function Vectors in Large Language Models",
 * ICLR 2024.
 */
#ifndef SOURCES_TEXT_TASK_H
#define SOURCES_TEXT_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "sources/source.h"

enum task_form {
    TASK_FORWARD,
    TASK_INVERSE,  /* from answers to inputs */
    TASK_BIJECTION /* both: a task united with its inverse (Dong et al., arXiv:2506.09048) */
};

struct task_pair {
    const char *x, *y; /* UTF-8, in the memory of the task */
    size_t x_size, y_size;
    uint64_t order; /* 64 bits of the SHA-256 of the input as the file has it */
    enum source_part part;
};

struct text_task {
    const char *path; /* for messages; the caller's */
    struct task_pair *pairs;
    size_t n;
    size_t first[SOURCE_PARTS + 1]; /* part p is pairs first[p] .. first[p + 1] - 1 */
    size_t repeated;                /* pairs of the file left out, since their input came before */
    size_t longest;                 /* bytes of the longest pair */
    char content[HASH_HEX];         /* hash of the pairs in their order */
    char *memory;
};

/* 70% of the pairs are for training, 9% for validation and 21% for test. A pair and its inverse are
 * in one part. Of several pairs with one input the first in the file counts. ERR_DATA, with file
 * and item, for what is not such a list: other keys, texts that are empty, blank or not UTF-8. The
 * path must outlive the task. */
enum err_code task_read(struct text_task *out, const char *path, enum task_form form,
                        struct err *err);
void task_release(struct text_task *t); /* idempotent */

static inline size_t task_count(const struct text_task *t, enum source_part part) {
    return part == SOURCE_ALL ? t->n : t->first[part + 1] - t->first[part];
}

/* Pair i < task_count() of a part. */
static inline const struct task_pair *task_pair_at(const struct text_task *t, enum source_part part,
                                                   size_t i) {
    return &t->pairs[(part == SOURCE_ALL ? 0 : t->first[part]) + i];
}

/* A shot `shot` gives away the answer to `query`: it has its input, or is its inverse. */
bool task_reveals(const struct task_pair *shot, const struct task_pair *query);

#endif
