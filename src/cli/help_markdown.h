/*
 * help_markdown.h - the reference part of docs/config.md: every key of every stage, from the
 * schema.
 */
#ifndef CLI_HELP_MARKDOWN_H
#define CLI_HELP_MARKDOWN_H

#include "base/text.h"
#include "stages/stage_schemas.h"

void help_markdown(struct text *out, const struct stage_schemas *s);

#endif
