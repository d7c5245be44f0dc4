/*
 * problem_source.h - a problem, perhaps under a shift, as a source of prompts.
 */
#ifndef SOURCES_PROBLEMS_PROBLEM_SOURCE_H
#define SOURCES_PROBLEMS_PROBLEM_SOURCE_H

#include "sources/problems/prompts.h"
#include "sources/source.h"

/* shift: all zeros is none, whatever o->shifted. ERR_MEMORY. */
enum err_code problem_source_open(struct source **out, const struct problem_setup *setup,
                                  const struct shift_setup *shift, const struct source_options *o,
                                  struct err *err);

#endif
