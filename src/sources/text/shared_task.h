/*
 * shared_task.h - the tasks that this process has read: plan opens the sources of every job, and
 * thousands of jobs read a dozen files.
 */
#ifndef SOURCES_TEXT_SHARED_TASK_H
#define SOURCES_TEXT_SHARED_TASK_H

#include "sources/text/task.h"

/* task_read(), or what an earlier call has read in this form, if the file is the same (inode, size,
 * time). The path may be released. Close it as often as it was opened. */
enum err_code shared_task_open(const struct text_task **out, const char *path, enum task_form form,
                               struct err *err);
void shared_task_close(const struct text_task *t); /* NULL-safe */

#endif
