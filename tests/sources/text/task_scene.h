/*
 * task_scene.h - a text task and a tokenizer that writes every character as one token, in the
 * scratch folder.
 */
#ifndef SOURCES_TEXT_TASK_SCENE_H
#define SOURCES_TEXT_TASK_SCENE_H

#include <stdio.h>

#include "base/text.h"
#include "ops/blas.h"
#include "twins/scratch_group.h"

/* Characters are tokens in the order of their codes: line feed is 0, space 1, ! 2, ... */
static inline char scene_character(uint32_t id) { return id == 0 ? '\n' : (char)(31 + id); }

static inline void scene_tokenizer(void) {
    struct text json = {0};
    char path[SCRATCH_PATH];
    text_add(&json, "{\"model\":{\"type\":\"BPE\",\"merges\":[],\"vocab\":{\"\\n\":0");
    for (int c = ' '; c <= '~'; c++)
        text_add(&json, ",\"%s%c\":%d", c == '"' || c == '\\' ? "\\" : "", c, c - 31);
    text_add(&json, "}}}");
    scratch_write(path, &scratch, "tokenizer.json", json.data, json.size);
    text_release(&json);
}

/* n pairs w0 -> A0, w1 -> A1, ...; last first where `reversed`. */
static inline void scene_task(const char *name, size_t n, bool reversed) {
    struct text json = {0};
    char path[SCRATCH_PATH];
    for (size_t i = 0; i < n; i++) {
        const size_t k = reversed ? n - 1 - i : i;
        text_add(&json, "%s{\"input\": \"w%zu\", \"output\": \"A%zu\"}", i ? "," : "[", k, k);
    }
    text_add(&json, "]");
    scratch_write(path, &scratch, name, json.data, json.size);
    text_release(&json);
}

/* Before a group of tests of stages: that tokenizer and a task t.json of 40 pairs. */
static inline int scene_begin(void **state) {
    const int rc = scratch_begin(state);
    scene_tokenizer();
    scene_task("t.json", 40, false);
    blas_init();
    return rc;
}

#endif
