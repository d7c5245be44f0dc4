#include "sources/text/shared_task.h"

#include <stdlib.h>
#include <string.h>

#include "base/file_stamp.h"
#include "base/text.h"

enum { IDLE_PAIRS = 1 << 16 }; /* of tasks that are kept although nobody uses them: some 8 MB */

struct known_task {
    struct text_task task;
    char stamp[HASH_HEX]; /* of path, file and form */
    char *path;
    size_t users;
    struct known_task *next;
};

/* Of this process: the one opened last comes first. */
static struct known_task *tasks;

static void stamp_task(char out[HASH_HEX], const char *path, enum task_form form) {
    const uint64_t number = form;
    struct hash h;
    hash_begin(&h);
    file_stamp_add(&h, path);
    hash_bytes(&h, &number, sizeof number);
    hash_end(out, &h);
}

/* Takes it out of the list. */
static struct known_task *take_task(const char *stamp) {
    struct known_task **at = &tasks;
    while (*at && strcmp((*at)->stamp, stamp) != 0) at = &(*at)->next;
    struct known_task *k = *at;
    if (k) *at = k->next;
    return k;
}

static void forget_task(struct known_task *k) {
    task_release(&k->task);
    free(k->path);
    free(k);
}

/* Those that were not opened for the longest time go. */
static void drop_idle_tasks(void) {
    size_t idle = 0;
    for (struct known_task **at = &tasks; *at;) {
        struct known_task *k = *at;
        if (k->users > 0 || (idle += k->task.n) <= IDLE_PAIRS) {
            at = &k->next;
            continue;
        }
        *at = k->next;
        forget_task(k);
    }
}

static enum err_code read_known(struct known_task **out, const char *stamp, const char *path,
                                enum task_form form, struct err *err) {
    enum err_code rc = ERR_OK;
    struct known_task *k = calloc(1, sizeof *k);
    CHECK(k && (k->path = text_copy(path)), ERR_MEMORY, "no memory for a text task");
    TRY(task_read(&k->task, k->path, form, err));
    memcpy(k->stamp, stamp, sizeof k->stamp);
    *out = k;
    k = NULL;
cleanup:
    if (k) forget_task(k);
    return rc;
}

enum err_code shared_task_open(const struct text_task **out, const char *path, enum task_form form,
                               struct err *err) {
    enum err_code rc = ERR_OK;
    char stamp[HASH_HEX];
    stamp_task(stamp, path, form);
    struct known_task *k = take_task(stamp);
    if (!k) TRY(read_known(&k, stamp, path, form, err));
    k->next = tasks;
    tasks = k;
    k->users++;
    *out = &k->task;
    drop_idle_tasks();
cleanup:
    return rc;
}

void shared_task_close(const struct text_task *t) {
    for (struct known_task *k = tasks; t && k; k = k->next)
        if (&k->task == t) k->users--;
}
