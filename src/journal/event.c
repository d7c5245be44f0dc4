#include "journal/event.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum { SUM_DIGITS = 16 };
static const char NO_SUM[] = "                \t"; /* the checksum is filled in by event_end() */

static const char *const WORDS[EVENT_OTHER] = {"journal",    "attempt", "start",  "row",
                                               "checkpoint", "done",    "failed", "stopped",
                                               "leave",      "end"};

/* ---------------------------------------------------------------- writing: with little printf,
 * since every job writes two lines or more and printf takes most of the time of a line */

static void add_word(struct text *line, const char *word) { text_bytes(line, word, strlen(word)); }

static void add_name(struct text *line, const char *name) {
    text_bytes(line, "\t", 1);
    add_word(line, name);
    text_bytes(line, "=", 1);
}

void event_begin(struct text *line, enum event_kind kind) {
    assert(kind < EVENT_OTHER);
    text_clear(line);
    add_word(line, NO_SUM);
    add_word(line, WORDS[kind]);
}

static bool plain(unsigned char c) { return c >= 0x20 && c != 0x7f && c != '%'; }

static void add_escaped(struct text *line, const char *value) {
    while (*value) {
        size_t n = 0;
        while (value[n] && plain((unsigned char)value[n])) n++;
        text_bytes(line, value, n);
        value += n;
        if (*value) text_add(line, "%%%02X", (unsigned)(unsigned char)*value++);
    }
}

void event_text(struct text *line, const char *name, const char *value) {
    add_name(line, name);
    add_escaped(line, value);
}

void event_integer(struct text *line, const char *name, int64_t value) {
    add_name(line, name);
    text_integer(line, value);
}

void event_real(struct text *line, const char *name, double value) {
    add_name(line, name);
    text_add(line, "%a", value);
}

void event_cell(struct text *line, const struct job_value *cell) {
    switch (cell->type) {
    case JOB_TEXT:
        add_word(line, "\tc=t:");
        add_escaped(line, cell->as.text ? cell->as.text : "");
        break;
    case JOB_INT:
        add_word(line, "\tc=i:");
        text_integer(line, cell->as.integer);
        break;
    case JOB_REAL:
        text_add(line, "\tc=r:%a", cell->as.real);
        break;
    }
}

void event_end(struct text *line) {
    if (line->failed || line->size <= SUM_DIGITS) return; /* text_check() reports it */
    uint64_t sum = hash_name(line->data + SUM_DIGITS + 1);
    for (size_t i = SUM_DIGITS; i-- > 0; sum >>= 4) line->data[i] = "0123456789abcdef"[sum & 15];
    text_bytes(line, "\n", 1);
}

/* ---------------------------------------------------------------- reading */

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

static bool sum_holds(const char *line) {
    uint64_t sum = 0;
    for (size_t i = 0; i < SUM_DIGITS; i++) {
        const int digit = hex_digit(line[i]);
        if (digit < 0 || (line[i] >= 'A' && line[i] <= 'F')) return false; /* one spelling only */
        sum = sum << 4 | (uint64_t)digit;
    }
    return line[SUM_DIGITS] == '\t' && sum == hash_name(line + SUM_DIGITS + 1);
}

/* In place; false for a bad escape or one of NUL. */
static bool unescape(char *s) {
    char *to = s;
    for (; *s; s++) {
        if (*s != '%') {
            *to++ = *s;
            continue;
        }
        const int high = hex_digit(s[1]), low = high < 0 ? -1 : hex_digit(s[2]);
        if (low < 0 || (high == 0 && low == 0)) return false;
        *to++ = (char)(high * 16 + low);
        s += 2;
    }
    *to = '\0';
    return true;
}

static bool add_field(struct event *e, const char *name, const char *value) {
    if (e->n == e->capacity) {
        const size_t capacity = e->capacity ? 2 * e->capacity : 16;
        struct event_field *fields = realloc(e->fields, capacity * sizeof *fields);
        if (!fields) return false;
        e->fields = fields;
        e->capacity = capacity;
    }
    e->fields[e->n++] = (struct event_field){name, value};
    return true;
}

static bool parse_fields(struct event *e, char *at) {
    while (at) {
        char *next = strchr(at, '\t');
        if (next) *next++ = '\0';
        char *value = strchr(at, '=');
        if (!value || value == at) return false;
        *value++ = '\0';
        if (!unescape(value) || !add_field(e, at, value)) return false;
        at = next;
    }
    return true;
}

static enum event_kind kind_of(const char *word) {
    for (int i = 0; i < EVENT_OTHER; i++)
        if (strcmp(word, WORDS[i]) == 0) return (enum event_kind)i;
    return EVENT_OTHER;
}

bool event_parse(struct event *e, const char *line, size_t size) {
    e->n = 0;
    e->job = NULL;
    text_clear(&e->storage);
    if (size <= SUM_DIGITS + 1 || memchr(line, '\0', size)) return false;
    text_bytes(&e->storage, line, size);
    if (e->storage.failed || !sum_holds(e->storage.data)) return false;
    char *word = e->storage.data + SUM_DIGITS + 1;
    char *fields = strchr(word, '\t');
    if (fields) *fields++ = '\0';
    if (*word == '\0' || !parse_fields(e, fields)) return false;
    e->word = word;
    e->kind = kind_of(word);
    e->job = event_find(e, "job");
    return true;
}

void event_release(struct event *e) {
    free(e->fields);
    text_release(&e->storage);
    *e = (struct event){0};
}

const char *event_find(const struct event *e, const char *name) {
    for (size_t i = 0; i < e->n; i++)
        if (strcmp(e->fields[i].name, name) == 0) return e->fields[i].value;
    return NULL;
}

int64_t event_find_integer(const struct event *e, const char *name, int64_t otherwise) {
    const char *value = event_find(e, name);
    char *end = NULL;
    const long long number = value ? strtoll(value, &end, 10) : 0;
    return value && end != value && *end == '\0' ? number : otherwise;
}

double event_find_real(const struct event *e, const char *name, double otherwise) {
    const char *value = event_find(e, name);
    char *end = NULL;
    const double number = value ? strtod(value, &end) : 0.0;
    return value && end != value && *end == '\0' ? number : otherwise;
}

static bool parse_cell(struct job_value *out, const char *value) {
    char *end = NULL;
    if (value[0] == '\0' || value[1] != ':') return false;
    switch (value[0]) {
    case 't':
        *out = (struct job_value){.type = JOB_TEXT, .as.text = value + 2};
        return true;
    case 'i':
        *out = (struct job_value){.type = JOB_INT, .as.integer = strtoll(value + 2, &end, 10)};
        break;
    case 'r':
        *out = (struct job_value){.type = JOB_REAL, .as.real = strtod(value + 2, &end)};
        break;
    default:
        return false;
    }
    return end != value + 2 && *end == '\0';
}

bool event_cell_field(struct job_value *out, bool *sound, const struct event_field *f) {
    if (strcmp(f->name, "c") != 0) return false;
    *sound = parse_cell(out, f->value);
    return true;
}

bool event_find_cell(struct job_value *out, const struct event *e, size_t i) {
    for (size_t k = 0; k < e->n; k++)
        if (strcmp(e->fields[k].name, "c") == 0 && i-- == 0)
            return parse_cell(out, e->fields[k].value);
    return false;
}

/* ---------------------------------------------------------------- a whole journal */

void event_reader_init(struct event_reader *r, const char *data, size_t size) {
    *r = (struct event_reader){.data = data, .size = size};
}

bool event_reader_next(struct event_reader *r) {
    while (r->at < r->size) {
        const char *line = r->data + r->at;
        const char *end = memchr(line, '\n', r->size - r->at);
        if (!end) {
            r->torn = true;
            r->at = r->size;
            return false;
        }
        r->at += (size_t)(end - line) + 1;
        r->line++;
        if (event_parse(&r->event, line, (size_t)(end - line))) return true;
        r->damaged++;
    }
    return false;
}

void event_reader_release(struct event_reader *r) { event_release(&r->event); }
