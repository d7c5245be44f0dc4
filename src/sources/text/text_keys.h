/*
 * text_keys.h - the keys of a text source, as a config point gives them.
 */
#ifndef SOURCES_TEXT_TEXT_KEYS_H
#define SOURCES_TEXT_TEXT_KEYS_H

#include "config/config.h"
#include "sources/text/prompt_template.h"

struct text_keys {         /* texts are those of the point */
    const char *task;      /* a file, or a folder of files */
    const char *tokenizer; /* folder or tokenizer.json */
    const char *bos;
    enum task_form form;
    struct prompt_template written;
    bool shuffled; /* source.labels, or the shift shuffled_labels */
    bool drop;     /* prompts that are too long */
};

/* ERR_CONFIG for a template without {x} and {y}, for a shift other than shuffled_labels, and where
 * neither source.tokenizer nor model.checkpoint is a folder with a tokenizer. */
enum err_code text_keys_read(struct text_keys *out, const struct config_point *point, bool shifted,
                             struct err *err);

enum task_form text_keys_form(const struct config_point *point);

/* The folder or file of the tokenizer alone. ERR_CONFIG as above. */
enum err_code text_keys_tokenizer(const char **out, const struct config_point *point,
                                  struct err *err);

#endif
