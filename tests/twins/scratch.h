/*
 * scratch.h - a temporary folder for a test, removed when the test ends.
 */
#ifndef TWINS_SCRATCH_H
#define TWINS_SCRATCH_H

#include <stddef.h>

enum { SCRATCH_PATH = 600 };

struct scratch {
    char folder[SCRATCH_PATH / 2];
};

void scratch_create(struct scratch *s);  /* under $TMPDIR or /tmp */
void scratch_destroy(struct scratch *s); /* with the files in it */
void scratch_path(char out[SCRATCH_PATH], const struct scratch *s, const char *name);

/* Writes a file into the folder; out receives its path. */
void scratch_write(char out[SCRATCH_PATH], const struct scratch *s, const char *name,
                   const void *data, size_t size);

#endif
