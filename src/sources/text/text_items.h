/*
 * text_items.h - what the files of a text source hold: repeated inputs, and items with words that
 * the tokenizer does not know.
 */
#ifndef SOURCES_TEXT_TEXT_ITEMS_H
#define SOURCES_TEXT_TEXT_ITEMS_H

#include "sources/source.h"

/* Of all tasks of the point. *out is {0}. ERR_CONFIG and ERR_DATA as text_source_open(). */
enum err_code text_items_count(struct source_items *out, const struct config_point *point,
                               struct err *err);

#endif
