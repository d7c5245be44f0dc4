#include "base/text.h"

#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool reserve(struct text *t, size_t more) {
    if (t->failed) return false;
    const size_t need = t->size + more + 1;
    if (need <= t->capacity) return true;
    size_t capacity = t->capacity ? t->capacity : 64;
    while (capacity < need) capacity *= 2;
    char *data = realloc(t->data, capacity);
    if (!data) {
        t->failed = true;
        return false;
    }
    t->data = data;
    t->capacity = capacity;
    return true;
}

void text_bytes(struct text *t, const void *data, size_t size) {
    if (!reserve(t, size)) return;
    if (size > 0) memcpy(t->data + t->size, data, size);
    t->size += size;
    t->data[t->size] = '\0';
}

void text_add(struct text *t, const char *fmt, ...) {
    enum { FIRST_TRY = 63 };
    va_list args;
    if (!reserve(t, FIRST_TRY)) return;
    const size_t room = t->capacity - t->size;
    va_start(args, fmt);
    const int n = vsnprintf(t->data + t->size, room, fmt, args);
    va_end(args);
    if (n < 0 || !reserve(t, (size_t)n)) {
        t->failed = true;
        t->data[t->size] = '\0';
        return;
    }
    if ((size_t)n >= room) {
        va_start(args, fmt);
        (void)vsnprintf(t->data + t->size, (size_t)n + 1, fmt, args);
        va_end(args);
    }
    t->size += (size_t)n;
}

void text_integer(struct text *t, int64_t value) {
    char digits[20];
    size_t at = sizeof digits;
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do digits[--at] = (char)('0' + left % 10);
    while (left /= 10);
    if (value < 0) digits[--at] = '-';
    text_bytes(t, digits + at, sizeof digits - at);
}

void text_clear(struct text *t) {
    t->size = 0;
    t->failed = false;
    if (t->data) t->data[0] = '\0';
}

void text_release(struct text *t) {
    free(t->data);
    *t = (struct text){0};
}

enum err_code text_check(const struct text *t, struct err *err) {
    return t->failed ? ERR(err, ERR_MEMORY, "cannot grow a text beyond %zu bytes", t->size)
                     : ERR_OK;
}

const char *text_str(const struct text *t) { return t->data ? t->data : ""; }

char *text_copy(const char *s) {
    const size_t size = strlen(s) + 1;
    char *copy = malloc(size);
    if (copy) memcpy(copy, s, size);
    return copy;
}

double text_nan(double x) { return isnan(x) ? (double)NAN : x; }

bool text_ends_with(const char *s, const char *end) {
    const size_t n = strlen(s), m = strlen(end);
    return n >= m && strcmp(s + n - m, end) == 0;
}

int text_index(const char *const *list, const char *s) {
    int i = 0;
    while (list[i] && strcmp(list[i], s) != 0) i++;
    assert(list[i]);
    return i;
}

enum { WORD_MAX = 64 }; /* bytes; longer names get no suggestion */

static size_t least(size_t a, size_t b, size_t c) {
    const size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

static bool differ(char a, char b) {
    return tolower((unsigned char)a) != tolower((unsigned char)b);
}

/* Levenshtein distance without regard to case, one row of the table at a time. */
static size_t edit_distance(const char *a, const char *b) {
    size_t row[WORD_MAX + 1];
    const size_t n = strlen(b);
    for (size_t j = 0; j <= n; j++) row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            const size_t above = row[j];
            row[j] = least(above + 1, row[j - 1] + 1, diagonal + differ(a[i - 1], b[j - 1]));
            diagonal = above;
        }
    }
    return row[n];
}

const char *text_nearest(const char *word, const char *const *choices, size_t n) {
    const char *best = NULL;
    size_t best_distance = strlen(word) / 3 + 2;
    if (strlen(word) > WORD_MAX) return NULL;
    for (size_t i = 0; i < n; i++) {
        if (strlen(choices[i]) > WORD_MAX) continue;
        const size_t distance = edit_distance(word, choices[i]);
        if (distance < best_distance) best = choices[i], best_distance = distance;
    }
    return best;
}
