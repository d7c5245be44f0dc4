/*
 * scratch_group.h - setup and teardown functions for cmocka that create and remove a scratch
 * folder.
 */
#ifndef TWINS_SCRATCH_GROUP_H
#define TWINS_SCRATCH_GROUP_H

#include "twins/scratch.h"

static struct scratch scratch;

/* *state becomes the path of the folder. */
static inline int scratch_begin(void **state) {
    scratch_create(&scratch);
    *state = scratch.folder;
    return 0;
}

static inline int scratch_end(void **state) {
    (void)state;
    scratch_destroy(&scratch);
    return 0;
}

#endif
