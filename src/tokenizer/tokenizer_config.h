/*
 * tokenizer_config.h - the settings of tokenizer_config.json: special tokens around a prompt, and
 * how vocab.json and merges.txt are to be read.
 */
#ifndef TOKENIZER_TOKENIZER_CONFIG_H
#define TOKENIZER_TOKENIZER_CONFIG_H

#include <stdbool.h>

#include "base/err.h"

struct tokenizer_config {
    enum { CONFIG_UNSET, CONFIG_FALSE, CONFIG_TRUE } add_bos_token, add_eos_token;
    bool add_prefix_space;
    char *bos_token;       /* or NULL */
    char *tokenizer_class; /* or NULL */
};

/* A file that does not exist leaves everything unset. Keys that say nothing about token ids are
 * not looked at. Release it also after an error. */
enum err_code tokenizer_config_read(struct tokenizer_config *out, const char *path,
                                    struct err *err);
void tokenizer_config_release(struct tokenizer_config *c); /* idempotent */

#endif
