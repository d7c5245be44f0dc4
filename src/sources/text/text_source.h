/*
 * text_source.h - text tasks as a source of prompts: its keys, and how a point's keys open it.
 */
#ifndef SOURCES_TEXT_TEXT_SOURCE_H
#define SOURCES_TEXT_TEXT_SOURCE_H

#include "sources/source.h"

/* The keys "source.*" of text; all have the condition source.kind=text. */
enum err_code text_source_schema(struct config_schema *out, struct err *err);

/* ERR_CONFIG and ERR_DATA for a task, a template or a tokenizer that cannot be used. */
enum err_code text_source_open(struct source **out, const struct config_point *point,
                               const struct source_options *o, struct err *err);

/* "antonym", "antonym_inverse": after the file of the task. */
void text_source_name(char *out, size_t size, const struct config_point *point);

/* The tokens of such a source; its keys source.bos and source.tokenizer are enough. */
enum err_code text_source_tokens(struct source_tokens *out, const struct config_point *point,
                                 struct err *err);

#endif
