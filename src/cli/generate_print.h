/*
 * generate_print.h - what `taskvec generate` prints: the text, and the most likely next tokens.
 */
#ifndef CLI_GENERATE_PRINT_H
#define CLI_GENERATE_PRINT_H

#include "passes/greedy.h"
#include "tokenizer/tokenizer.h"

struct generated {
    const char *model; /* the folder */
    const struct tokenizer *tokenizer;
    const char *prompt; /* as given */
    size_t prompt_size, prompt_tokens;
    int32_t bos;              /* the token that begins prompts; -1: none */
    struct token_ids ids;     /* of the prompt and of what follows */
    struct likely_token *top; /* [generated tokens, K] */
    size_t K;
};

/* The prompt with its continuation, and the K tokens that may follow the prompt. */
enum err_code generate_print(struct text *out, const struct generated *g, struct err *err);
/* As one JSON object, with the K tokens of every step. */
enum err_code generate_print_json(struct text *out, const struct generated *g, struct err *err);

#endif
