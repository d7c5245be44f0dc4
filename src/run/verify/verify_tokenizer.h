/*
 * verify_tokenizer.h - compares a tokenizer with the cases of a JSON file.
 *
 * The file is an array of objects: `text` (or null), `ids`, and where they are known
 * `ids_with_special` (with the post-processor's tokens) and `decoded` (of `ids`).  A case without a
 * text is a decoding alone.
 */
#ifndef RUN_VERIFY_VERIFY_TOKENIZER_H
#define RUN_VERIFY_VERIFY_TOKENIZER_H

#include <stdbool.h>

#include "base/err.h"
#include "base/text.h"

/* Compares all cases of `path` with the tokenizer in `folder` and appends the report to *out; see
 * verify_file(). */
enum err_code verify_tokenizer(struct text *out, const char *path, const char *folder,
                               const char *require, bool json, struct err *err);

#endif
