/*
 * stage_tensors.h - what the tensors of an artifact are, for help, docs/results.md and
 * `taskvec artifact`: every tensor that a stage writes has a line here.
 */
#ifndef STAGES_STAGE_TENSORS_H
#define STAGES_STAGE_TENSORS_H

#include <stddef.h>

/* Shapes: n prompts or functions, T points, T0 points of a basis prompt, L layers, H heads, E
 * width, d coordinates of x. */
struct stage_tensor {
    const char *stage;
    const char *name; /* "*": all other tensors of the stage */
    const char *shape, *meaning;
};

size_t stage_tensor_count(void);
const struct stage_tensor *stage_tensor_at(size_t i);
const struct stage_tensor *stage_tensor_find(const char *stage, const char *name); /* or NULL */

#endif
