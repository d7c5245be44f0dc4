#include "sources/text/text_tasks.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "sources/text/shared_task.h"

/* ---- files */

static int is_task(const struct dirent *entry) { return text_ends_with(entry->d_name, ".json"); }

struct named_content {
    char hash[HASH_HEX];
    char *path;
};

static int by_content(const void *a, const void *b) {
    const struct named_content *p = a, *q = b;
    return strcmp(p->hash, q->hash);
}

static char *join(const char *folder, const char *name) {
    char path[FILE_PATH_MAX];
    (void)snprintf(path, sizeof path, "%.3800s/%.255s", folder, name);
    return text_copy(path);
}

/* Moves the paths into t in the order of the content of the files: names must not matter. */
static enum err_code order_files(struct text_tasks *t, struct named_content *files,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    for (size_t i = 0; i < t->n; i++) TRY(hash_file(files[i].hash, files[i].path, err));
    qsort(files, t->n, sizeof *files, by_content);
    for (size_t i = 0; i < t->n; i++) {
        t->paths[i] = files[i].path;
        files[i].path = NULL;
    }
cleanup:
    return rc;
}

static enum err_code collect(struct text_tasks *t, const char *folder, struct dirent **entries,
                             struct err *err) {
    enum err_code rc = ERR_OK;
    struct named_content *files = calloc(t->n, sizeof *files);
    CHECK(files && t->paths, ERR_MEMORY, "no memory for %zu tasks", t->n);
    for (size_t i = 0; i < t->n; i++) {
        files[i].path = join(folder, entries[i]->d_name);
        CHECK(files[i].path, ERR_MEMORY, "no memory for %zu tasks", t->n);
    }
    TRY(order_files(t, files, err));
cleanup:
    for (size_t i = 0; files && i < t->n; i++) free(files[i].path);
    free(files);
    return rc;
}

static enum err_code list_folder(struct text_tasks *t, const char *folder, struct err *err) {
    struct dirent **entries = NULL;
    const int n = scandir(folder, &entries, is_task, alphasort);
    if (n < 0) return ERR(err, ERR_DATA, "%.600s: the folder cannot be read", folder);
    if (n == 0) {
        free(entries);
        return ERR(err, ERR_DATA, "%.600s: no task in the folder: expected files *.json", folder);
    }
    t->n = (size_t)n;
    t->paths = calloc(t->n, sizeof *t->paths);
    const enum err_code rc = collect(t, folder, entries, err);
    for (size_t i = 0; i < t->n; i++) free(entries[i]);
    free(entries);
    return rc;
}

static enum err_code list_files(struct text_tasks *t, const char *path, struct err *err) {
    if (file_is_folder(path)) return list_folder(t, path, err);
    t->n = 1;
    t->paths = calloc(1, sizeof *t->paths);
    if (t->paths) t->paths[0] = text_copy(path);
    if (!t->paths || !t->paths[0]) return ERR(err, ERR_MEMORY, "no memory for the path of a task");
    return ERR_OK;
}

/* ---- tasks */

static enum err_code open_held(struct text_tasks *t, const struct source_options *o, bool shuffled,
                               struct err *err) {
    enum err_code rc = ERR_OK;
    struct source_options of_held = *o;
    of_held.asked = SOURCE_VALIDATION;
    if (o->held_from == 0) return ERR_OK;
    t->held_from = o->held_from;
    t->held = calloc(t->n, sizeof *t->held);
    CHECK(t->held, ERR_MEMORY, "no memory for %zu tasks", t->n);
    for (size_t i = 0; i < t->n; i++)
        TRY(task_draw_create(&t->held[i], t->tasks[i], &of_held, shuffled, err));
cleanup:
    return rc;
}

enum err_code text_tasks_open(struct text_tasks *t, const struct text_keys *k,
                              const struct source_options *o, bool shuffled, struct err *err) {
    enum err_code rc = ERR_OK;
    *t = (struct text_tasks){0};
    TRY(list_files(t, k->task, err));
    t->tasks = calloc(t->n, sizeof *t->tasks);
    t->draws = calloc(t->n, sizeof *t->draws);
    CHECK(t->tasks && t->draws, ERR_MEMORY, "no memory for %zu tasks", t->n);
    for (size_t i = 0; i < t->n; i++) {
        TRY(shared_task_open(&t->tasks[i], t->paths[i], k->form, err));
        TRY(task_draw_create(&t->draws[i], t->tasks[i], o, shuffled, err));
    }
    TRY(open_held(t, o, shuffled, err));
cleanup:
    if (rc != ERR_OK) text_tasks_close(t);
    return rc;
}

void text_tasks_close(struct text_tasks *t) {
    for (size_t i = 0; i < t->n; i++) {
        if (t->draws) task_draw_destroy(&t->draws[i]);
        if (t->held) task_draw_destroy(&t->held[i]);
        if (t->tasks) shared_task_close(t->tasks[i]);
        if (t->paths) free(t->paths[i]);
    }
    free(t->draws);
    free(t->held);
    free((void *)t->tasks);
    free(t->paths);
    *t = (struct text_tasks){0};
}

struct task_draw *text_tasks_at(struct text_tasks *t, uint64_t sample, uint64_t *own) {
    const bool held = t->held && sample >= t->held_from;
    if (held) sample -= t->held_from;
    *own = sample / t->n;
    return (held ? t->held : t->draws) + sample % t->n;
}

enum err_code text_tasks_check_shots(const struct text_tasks *t, size_t shots, struct err *err) {
    const size_t least = task_draw_least(shots);
    for (size_t i = 0; i < t->n; i++) {
        const size_t has = task_count(t->tasks[i], SOURCE_TRAIN);
        if (has < least)
            return ERR(err, ERR_DATA,
                       "%.600s: %zu of its %zu pairs are for training, and %zu shots need %zu: "
                       "take fewer shots or a larger task",
                       t->paths[i], has, t->tasks[i]->n, shots, least);
    }
    return ERR_OK;
}

void text_tasks_hash(struct hash *h, const struct text_tasks *t) {
    for (size_t i = 0; i < t->n; i++) hash_text(h, t->tasks[i]->content);
}

/* Tasks take turns, so the smallest one repeats first. */
size_t text_tasks_samples(const struct text_tasks *t, enum source_part asked) {
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < t->n; i++) {
        const size_t n = task_count(t->tasks[i], asked);
        if (n < least) least = n;
    }
    return least * t->n;
}

size_t text_tasks_repeated(const struct text_tasks *t) {
    size_t sum = 0;
    for (size_t i = 0; i < t->n; i++) sum += t->tasks[i]->repeated;
    return sum;
}

size_t text_tasks_longest(const struct text_tasks *t) {
    size_t longest = 0;
    for (size_t i = 0; i < t->n; i++)
        if (t->tasks[i]->longest > longest) longest = t->tasks[i]->longest;
    return longest;
}
