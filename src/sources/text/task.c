#include "sources/text/task.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "json/json.h"

enum { FILE_MOST = 1 << 30, PLACE = 768 };

/* ---- one item of the file */

static bool is_blank(const char *text) { return text[strspn(text, " \t\r\n")] == '\0'; }

static enum err_code check_keys(struct json item, const char *place, struct err *err) {
    for (struct json_walk w = {.object = item}; json_next(&w);) {
        char shown[JSON_SHOWN];
        if (strcmp(w.key, "input") == 0 || strcmp(w.key, "output") == 0) continue;
        json_show_text(shown, w.key);
        return ERR(err, ERR_DATA, "%s: key %s: an item has the keys \"input\" and \"output\" alone",
                   place, shown);
    }
    return ERR_OK;
}

static enum err_code read_side(const char **out, struct json item, const char *key,
                               const char *place, struct err *err) {
    enum err_code rc = ERR_OK;
    struct err why;
    const struct json value = json_member(item, key);
    CHECK(json_kind(value) != JSON_KIND_ABSENT, ERR_DATA, "%s: no \"%s\"", place, key);
    CHECK(json_kind(value) != JSON_KIND_ARRAY, ERR_DATA,
          "%s: \"%s\" is a list: give the one answer that counts, as a text", place, key);
    CHECK(json_read_text(out, value, key, &why) == ERR_OK, ERR_DATA, "%s: %.300s", place, why.msg);
    CHECK(!is_blank(*out), ERR_DATA, "%s: \"%s\" is empty: remove the item or complete it", place,
          key);
cleanup:
    return rc;
}

static enum source_part part_of(uint64_t order) {
    const double u = (double)order * 0x1p-64;
    if (u < 0.70) return SOURCE_TRAIN;
    return u < 0.79 ? SOURCE_VALIDATION : SOURCE_TEST;
}

/* ---- all items */

struct reading {
    struct text_task *task;
    enum task_form form;
    size_t used; /* bytes of the memory */
};

static const char *keep(struct reading *r, const char *text, size_t size) {
    char *kept = r->task->memory + r->used;
    memcpy(kept, text, size + 1);
    r->used += size + 1;
    return kept;
}

static void add_pair(struct reading *r, const char *x, const char *y, uint64_t order) {
    const size_t x_size = strlen(x), y_size = strlen(y);
    struct task_pair *pair = &r->task->pairs[r->task->n++];
    *pair = (struct task_pair){
        .x_size = x_size, .y_size = y_size, .order = order, .part = part_of(order)};
    pair->x = keep(r, x, x_size);
    pair->y = keep(r, y, y_size);
}

static enum err_code read_item(struct reading *r, struct json item, size_t i, struct err *err) {
    enum err_code rc = ERR_OK;
    const char *x = NULL, *y = NULL;
    char place[PLACE];
    (void)snprintf(place, sizeof place, "%.700s: item %zu", r->task->path, i + 1);
    CHECK(json_kind(item) == JSON_KIND_OBJECT, ERR_DATA,
          "%s: expected {\"input\": TEXT, \"output\": TEXT}, received %s", place,
          json_kind_text(json_kind(item)));
    TRY(read_side(&x, item, "input", place, err));
    TRY(read_side(&y, item, "output", place, err));
    TRY(check_keys(item, place, err));
    if (r->form != TASK_INVERSE) add_pair(r, x, y, hash_name(x));
    if (r->form != TASK_FORWARD) add_pair(r, y, x, hash_name(x));
cleanup:
    return rc;
}

/* In JSON a text takes two bytes more than here, for its quotes. */
static enum err_code reserve(struct text_task *t, size_t items, size_t file_size, struct err *err) {
    t->pairs = calloc(2 * items, sizeof *t->pairs);
    t->memory = malloc(2 * file_size);
    if (t->pairs && t->memory) return ERR_OK;
    return ERR(err, ERR_MEMORY, "no memory for a task of %zu pairs", items);
}

static enum err_code read_items(struct reading *r, struct json root, size_t file_size,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    struct text_task *t = r->task;
    const size_t items = json_count(root);
    CHECK(json_kind(root) == JSON_KIND_ARRAY, ERR_DATA,
          "%s: expected a list of {\"input\": TEXT, \"output\": TEXT}, received %s", t->path,
          json_kind_text(json_kind(root)));
    CHECK(items > 0, ERR_DATA, "%s: the list has no pair", t->path);
    TRY(reserve(t, items, file_size, err));
    for (size_t i = 0; i < items; i++) TRY(read_item(r, json_item(root, i), i, err));
cleanup:
    return rc;
}

/* ---- the order of pairs */

static bool same_input(const struct task_pair *p, const struct task_pair *q) {
    return p->x_size == q->x_size && memcmp(p->x, q->x, p->x_size) == 0;
}

/* By input, and the first in the file first: the memory is in the order of the file. */
static int by_input(const void *a, const void *b) {
    const struct task_pair *p = a, *q = b;
    const int order = strcmp(p->x, q->x);
    return order ? order : (p->x > q->x) - (p->x < q->x);
}

static int by_part(const void *a, const void *b) {
    const struct task_pair *p = a, *q = b;
    if (p->part != q->part) return p->part < q->part ? -1 : 1;
    if (p->order != q->order) return p->order < q->order ? -1 : 1;
    return strcmp(p->x, q->x);
}

static void drop_repeated(struct text_task *t) {
    size_t kept = 0;
    qsort(t->pairs, t->n, sizeof *t->pairs, by_input);
    for (size_t i = 0; i < t->n; i++)
        if (kept == 0 || !same_input(&t->pairs[kept - 1], &t->pairs[i]))
            t->pairs[kept++] = t->pairs[i];
    t->repeated = t->n - kept;
    t->n = kept;
}

static void divide(struct text_task *t) {
    qsort(t->pairs, t->n, sizeof *t->pairs, by_part);
    for (size_t i = 0; i < t->n; i++) t->first[t->pairs[i].part + 1]++;
    for (size_t p = 0; p < SOURCE_PARTS; p++) t->first[p + 1] += t->first[p];
}

static void describe_pairs(struct text_task *t) {
    struct hash h;
    hash_begin(&h);
    for (size_t i = 0; i < t->n; i++) {
        const struct task_pair *p = &t->pairs[i];
        hash_text(&h, p->x);
        hash_text(&h, p->y);
        if (p->x_size + p->y_size > t->longest) t->longest = p->x_size + p->y_size;
    }
    hash_end(t->content, &h);
}

enum err_code task_read(struct text_task *out, const char *path, enum task_form form,
                        struct err *err) {
    enum err_code rc = ERR_OK;
    struct text file = {0};
    struct json root = {0};
    *out = (struct text_task){.path = path};
    TRY(file_read(&file, path, FILE_MOST, err));
    TRY(json_parse(&root, text_str(&file), file.size, path, err));
    TRY(read_items(&(struct reading){.task = out, .form = form}, root, file.size, err));
    drop_repeated(out);
    divide(out);
    describe_pairs(out);
cleanup:
    if (rc != ERR_OK) task_release(out);
    json_release(&root);
    text_release(&file);
    return rc;
}

void task_release(struct text_task *t) {
    free(t->pairs);
    free(t->memory);
    *t = (struct text_task){0};
}

bool task_reveals(const struct task_pair *shot, const struct task_pair *query) {
    if (same_input(shot, query)) return true;
    return shot->x_size == query->y_size && shot->y_size == query->x_size &&
           memcmp(shot->x, query->y, shot->x_size) == 0 &&
           memcmp(shot->y, query->x, shot->y_size) == 0;
}
