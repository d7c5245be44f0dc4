/*
 * hf_keys.h - typed access to the keys of a config.json, in every published spelling.
 *
 * A value of null is an absent key. Where a key has several spellings, those that are given must
 * agree. Each error is ERR_DATA and names the file, the key and what was found.
 */
#ifndef MODEL_HF_KEYS_H
#define MODEL_HF_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "json/json.h"

struct hf_source {
    const char *place; /* the file, for messages */
    struct json root;
    struct text *defaulted; /* "rope_theta 10000, ...": keys whose default was used */
};

enum { HF_SPELLINGS = 4, HF_PLACE = 1024 };

/* Above those of any published model, so small that no product of two overflows, and that a row of
 * a matrix fits the tile that widens it (WEIGHT_TILE). */
enum {
    HF_LAYERS_MOST = 1 << 12,
    HF_HEADS_MOST = 1 << 12,
    HF_WIDTH_MOST = 1 << 17,
    HF_MLP_MOST = 1 << 18,
    HF_VOCABULARY_MOST = 1 << 24,
    HF_POSITIONS_MOST = 1 << 28
};

struct hf_spelling {
    const char *section, *key; /* section: the object that holds the key; NULL: the root */
};

/* A key: its spellings, the first of which messages and `defaulted` give; ends with {NULL, NULL}.
 */
struct hf_key {
    struct hf_spelling spellings[HF_SPELLINGS + 1];
};

/* The value, absent if no spelling is given; place: "FILE: SECTION.KEY" for messages. */
enum err_code hf_find(struct json *out, char place[HF_PLACE], const struct hf_source *s,
                      const struct hf_key *key, struct err *err);

/* The rest write a default only when the key is absent, and note it. */
enum { HF_REQUIRED = 0 }; /* for `fallback`: an absent key is refused */
enum err_code hf_read_size(size_t *out, const struct hf_source *s, const struct hf_key *key,
                           size_t most, size_t fallback, struct err *err); /* 1 .. most */
enum err_code hf_read_real(double *out, const struct hf_source *s, const struct hf_key *key,
                           double least, double most, double fallback, struct err *err);
enum err_code hf_read_flag(bool *out, const struct hf_source *s, const struct hf_key *key,
                           bool fallback, struct err *err);
enum err_code hf_read_word(const char **out, const struct hf_source *s, const struct hf_key *key,
                           const char *fallback, struct err *err);

void hf_note(const struct hf_source *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
