/*
 * help_artifacts.h - the two tables of docs/results.md on artifacts: the tensors of each stage, and
 * what the vector of each method is made of.
 */
#ifndef CLI_HELP_ARTIFACTS_H
#define CLI_HELP_ARTIFACTS_H

#include "base/text.h"

void help_artifacts(struct text *out); /* Markdown */

#endif
