/*
 * prompt_size.h - the longest prompts of text among those of a job, for which buffers are made.
 */
#ifndef SOURCES_PROMPT_SIZE_H
#define SOURCES_PROMPT_SIZE_H

#include <stddef.h>

struct prompt_size {     /* all 0: prompts are of numbers, and their points say how long they are */
    size_t tokens;       /* before the query token */
    size_t answer;       /* tokens of the true answer */
    size_t basis;        /* tokens of a basis prompt before its query token; 0: there is none */
    size_t basis_answer; /* tokens of the answer to its query */
    size_t teacher;      /* tokens of a teacher's prompt before its query; 0: there is none */
    size_t more, more_answer; /* the same of the other prompts that weights are derived from */
};

#endif
