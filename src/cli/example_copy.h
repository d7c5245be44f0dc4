/*
 * example_copy.h - copies of shipped configs, with the files that they read, that run elsewhere.
 */
#ifndef CLI_EXAMPLE_COPY_H
#define CLI_EXAMPLE_COPY_H

#include "cli/example_files.h"

/* Copies the config, those it is based on and what they read (models, text tasks, tokenizers) into
 * `folder`, with their paths below experiments/, and adds one line to *out for each file. A file
 * that is there with other content is ERR_CONFIG. What is not shipped is named in a line. */
enum err_code example_copy(struct text *out, const struct example_files *e, const char *name,
                           const char *folder, struct err *err);

#endif
