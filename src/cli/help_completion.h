/*
 * help_completion.h - completion of the command line for shells, with the words of all registries.
 */
#ifndef CLI_HELP_COMPLETION_H
#define CLI_HELP_COMPLETION_H

#include "base/err.h"
#include "base/text.h"
#include "stages/stage_schemas.h"

/* A script for the shell "bash" or "zsh"; ERR_USAGE for another. */
enum err_code help_completion(struct text *out, const struct stage_schemas *s, const char *shell,
                              struct err *err);

#endif
