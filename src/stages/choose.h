/*
 * choose.h - what the artifact of a choice says of the fit that was chosen.
 */
#ifndef STAGES_CHOOSE_H
#define STAGES_CHOOSE_H

#include <stddef.h>

#include "base/err.h"

/* The number of the chosen fit among the `n` that the choice read. ERR_DATA for a file that does
 * not say it. */
enum err_code choose_read(size_t *out, const char *artifact, size_t n, struct err *err);

#endif
