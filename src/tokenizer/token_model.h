/*
 * token_model.h - the `model` of a tokenizer.json: a vocabulary, and how words become its tokens.
 */
#ifndef TOKENIZER_TOKEN_MODEL_H
#define TOKENIZER_TOKEN_MODEL_H

#include "tokenizer/bpe.h"
#include "tokenizer/token_ids.h"
#include "tokenizer/token_vocab.h"
#include "json/json.h"

struct token_model {
    enum { TOKEN_MODEL_BPE, TOKEN_MODEL_WORD_LEVEL } kind;
    struct token_vocab vocab;
    struct bpe bpe;
    char *unk_token; /* of WordLevel: stands for every other word */
};

/* Both: release the model also after an error. ERR_DATA naming the file: what is not supported,
 * ids that are wrong, merges of tokens that are not in the vocabulary. */
enum err_code token_model_read(struct token_model *out, struct json value, const char *file,
                               struct err *err);
enum err_code token_model_read_files(struct token_model *out, const char *vocab_json,
                                     const char *merges_txt, struct err *err);
void token_model_release(struct token_model *m); /* idempotent */

int32_t token_model_unknown(const struct token_model *m); /* the id of its unk_token, or -1 */

/* Appends the ids of a word, UTF-8 of at least one byte. */
enum err_code token_model_encode(struct token_ids *out, const struct token_model *m,
                                 struct bpe_scratch *scratch, const char *word, size_t size,
                                 struct err *err);

#endif
