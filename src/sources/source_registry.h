/*
 * source_registry.h - the sources that a config can name; the only file that lists the kinds of
 * sources.
 */
#ifndef SOURCES_SOURCE_REGISTRY_H
#define SOURCES_SOURCE_REGISTRY_H

#include "sources/source.h"

/* Keys "source.*" of every kind; key "shift" and every shift's own. */
enum err_code source_schema(struct config_schema *out, struct err *err);
enum err_code source_shift_schema(struct config_schema *out, struct err *err);

/* The source that the point's keys name. */
enum err_code source_open(struct source **out, const struct config_point *point,
                          const struct source_options *o, struct err *err);

/* Its source_info.name, without opening it. */
void source_name(char *out, size_t size, const struct config_point *point);

/* Numbers of a token of that source: the width of a model that is made for it. 0: token ids. */
size_t source_inputs(const struct config_point *point);

/* Whether prompts are token ids; then what the source's tokenizer has. */
bool source_is_text(const struct config_point *point);
enum err_code source_tokens_of(struct source_tokens *out, const struct config_point *point,
                               struct err *err);

/* Of that source; all 0 where prompts are not of token ids. Reads the files of tasks, and encodes
 * each pair where the tokenizer can lack words. Errors as of source_open(). */
enum err_code source_count_items(struct source_items *out, const struct config_point *point,
                                 struct err *err);

/* What help prints of each problem and of each shift. paper: NULL or "" where there is none. */
struct source_entry {
    const char *name, *meaning, *paper;
    const struct config_key *keys;
    size_t n_keys;
};
size_t source_problem_count(void);
struct source_entry source_problem_entry(size_t i);
size_t source_shift_count(void);
struct source_entry source_shift_entry(size_t i);

/* Linear functions of `dims` coordinates without a config: what benchmarks run on. */
enum err_code source_open_linear(struct source **out, size_t dims, const struct source_options *o,
                                 struct err *err);

#endif
