/*
 * help_keys.h - help on stages and on keys of a config.
 *
 * Each function adds a page for `word` and returns true, or returns false and adds nothing.
 */
#ifndef CLI_HELP_KEYS_H
#define CLI_HELP_KEYS_H

#include "base/text.h"
#include "stages/stage_schemas.h"

/* A kind of stage with one line per key. Keys of one method, problem, shift or estimator are on the
 * pages of these (help_registry.h). */
bool help_stage(struct text *out, const struct stage_schemas *s, const char *word);

/* "points" or "fit.points": meaning, type, bounds, default, and the stages that have the key. */
bool help_key(struct text *out, const struct stage_schemas *s, const char *word);

/* The index of the stage that "STAGE.KEY" begins with; s->n: none. */
size_t help_key_stage(const struct stage_schemas *s, const char *word);

/* "lr": every key whose last part it is. "optimiser": every key below it, one line each. */
bool help_key_ending(struct text *out, const struct stage_schemas *s, const char *word);
bool help_key_group(struct text *out, const struct stage_schemas *s, const char *word);

/* stage, name, of, zip, list, exclude, seed, base, stages: keys that belong to no schema. */
bool help_syntax(struct text *out, const char *word);

/* One line per key: "name = default   meaning". */
void help_key_rows(struct text *out, const struct config_key *keys, size_t n);

/* Does the key exist only for one method, problem, shift or estimator? */
bool help_key_is_registered(const struct config_key *row);

#endif
