/*
 * tiny_tokens.h - the tiny GPT-2 that embeds token ids, and prompts for it.
 */
#ifndef TESTS_MODEL_TINY_TOKENS_H
#define TESTS_MODEL_TINY_TOKENS_H

#include "model/tiny.h"

static const struct model_dims TINY_TOKENS = {.L = 3,
                                              .H = 2,
                                              .E = 8,
                                              .vocabulary = 11,
                                              .positions = 14,
                                              .epsilon = 1e-5f,
                                              .family = &family_gpt2,
                                              .tied = true};

/* n ids below V, every one of them once n >= V. */
static inline void tiny_ids(uint32_t *ids, size_t n) {
    for (size_t i = 0; i < n; i++) ids[i] = (uint32_t)((7 * i + i / 11) % TINY_TOKENS.vocabulary);
}

#endif
