/*
 * task_names.h - what people read in place of the paths of text tasks: the shortest end of a path
 * that no other task of the run has, without ".json".
 */
#ifndef RUN_PLAN_TASK_NAMES_H
#define RUN_PLAN_TASK_NAMES_H

#include "base/text.h"
#include "config/config.h"

/* The paths of the tasks of a config, each once. */
struct task_names {
    const char **paths; /* of the config's points */
    size_t n;
};

/* *out is {0}; the config must outlive it. ERR_MEMORY. */
enum err_code task_names_collect(struct task_names *out, const struct config *config,
                                 struct err *err);
void task_names_release(struct task_names *t); /* idempotent */

/* Appends "antonym", or "large/antonym" where another folder has a task of that name. */
void task_names_add(struct text *out, const struct task_names *t, const char *path);
/* Appends the folders of that name alone: "" or "large/". */
void task_names_add_folders(struct text *out, const struct task_names *t, const char *path);

#endif
