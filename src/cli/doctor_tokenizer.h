/*
 * doctor_tokenizer.h - what `taskvec doctor` reports of the tokenizer in the folder of a language
 * model.
 */
#ifndef CLI_DOCTOR_TOKENIZER_H
#define CLI_DOCTOR_TOKENIZER_H

#include <stddef.h>

#include "base/err.h"
#include "cli/doctor_report.h"

/* Adds one line: its tokens, the token that begins every prompt, the first ids of a sample prompt;
 * or that there is none. vocabulary: rows of the embedding. ERR_DATA for a tokenizer that cannot be
 * read or has more tokens than that. */
enum err_code doctor_tokenizer(struct doctor *d, const char *folder, size_t vocabulary,
                               struct err *err);

#endif
