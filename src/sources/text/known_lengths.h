/*
 * known_lengths.h - lengths of prompts that this process has measured: jobs that differ in their
 * method alone have the same prompts, and plan measures those of every job.
 */
#ifndef SOURCES_TEXT_KNOWN_LENGTHS_H
#define SOURCES_TEXT_KNOWN_LENGTHS_H

#include <stdbool.h>

#include "base/hash.h"
#include "sources/source.h"

/* key: hash of all that the prompts depend on. False: not measured, or forgotten since. */
bool known_lengths_find(struct source_lengths *out, const char key[HASH_HEX]);
void known_lengths_add(const char key[HASH_HEX], const struct source_lengths *lengths);

#endif
