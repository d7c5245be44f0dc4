#include "config/value.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/file.h"
#include "config/syntax/number.h"

const char *value_type_text(const struct config_key *row) {
    switch (row->type) {
    case CONFIG_BOOL:
        return "true or false";
    case CONFIG_INT:
        return "an integer";
    case CONFIG_FLOAT:
        return "a number";
    case CONFIG_NAME:
        return "a name";
    case CONFIG_TEXT:
        return "a string";
    }
    return "";
}

bool value_is_bounded(const struct config_key *row) {
    const bool number = row->type == CONFIG_INT || row->type == CONFIG_FLOAT;
    return number && !(row->min == 0 && row->max == 0);
}

/* +-DBL_MAX and beyond means no bound on that side. */
static bool has_min(const struct config_key *row) { return row->min > -DBL_MAX; }
static bool has_max(const struct config_key *row) { return row->max < DBL_MAX; }

static void print_bound(struct text *out, const struct config_key *row, double bound) {
    char text[NUMBER_TEXT];
    number_print(text, bound);
    if (row->type == CONFIG_INT && fabs(bound) <= (double)NUMBER_LARGEST)
        text_add(out, "%lld", (long long)bound);
    else
        text_add(out, "%s", text);
}

void value_bounds(struct text *out, const struct config_key *row) {
    if (!value_is_bounded(row)) return;
    if (has_min(row) && has_max(row)) {
        print_bound(out, row, row->min);
        text_add(out, " .. ");
        print_bound(out, row, row->max);
    } else if (has_min(row)) {
        print_bound(out, row, row->min);
        text_add(out, " or more");
    } else if (has_max(row)) {
        print_bound(out, row, row->max);
        text_add(out, " or less");
    }
}

#define FAULT(r, node, row, ...)                                                                   \
    place_error((r)->err, (node)->place, (r)->stage, (row)->name, __VA_ARGS__)

static enum err_code wrong_type(const struct config_key *row, const struct node *node,
                                const struct value_reader *r) {
    char shown[SHOW_TEXT];
    node_show(shown, node);
    if (node->kind == NODE_ARRAY || node->kind == NODE_LIST ||
        (node->kind == NODE_WORD && strchr(node->text, ',')))
        return FAULT(r, node, row, "expected %s, received %s (this key is not an axis)",
                     value_type_text(row), shown);
    return FAULT(r, node, row, "expected %s, received %s", value_type_text(row), shown);
}

static enum err_code check_bounds(double v, const struct config_key *row, const struct node *node,
                                  const struct value_reader *r) {
    if (!value_is_bounded(row) || (v >= row->min && v <= row->max)) return ERR_OK;
    struct text bounds = {0};
    char shown[SHOW_TEXT];
    node_show(shown, node);
    value_bounds(&bounds, row);
    const enum err_code rc =
        FAULT(r, node, row, "%s is out of bounds (%s)", shown, text_str(&bounds));
    text_release(&bounds);
    return rc;
}

static enum err_code read_int(struct value *out, const struct config_key *row,
                              const struct node *node, const struct value_reader *r) {
    if (node->kind != NODE_NUMBER && node->kind != NODE_WORD) return wrong_type(row, node, r);
    switch (number_int(&out->i, node->text)) {
    case NUMBER_NONE:
    case NUMBER_FRACTION:
        return wrong_type(row, node, r);
    case NUMBER_RANGE:
        return FAULT(r, node, row, "%.60s does not fit: integers go from -2^53 to 2^53",
                     node->text);
    case NUMBER_FINE:
        break;
    }
    return check_bounds((double)out->i, row, node, r);
}

static enum err_code read_float(struct value *out, const struct config_key *row,
                                const struct node *node, const struct value_reader *r) {
    if (node->kind != NODE_NUMBER && node->kind != NODE_WORD) return wrong_type(row, node, r);
    switch (number_float(&out->f, node->text)) {
    case NUMBER_NONE:
    case NUMBER_FRACTION:
        return wrong_type(row, node, r);
    case NUMBER_RANGE:
        return FAULT(r, node, row, "%.60s does not fit a double (largest 1.8e308, least 4.9e-324)",
                     node->text);
    case NUMBER_FINE:
        break;
    }
    if (out->f == 0) out->f = 0; /* -0.0 becomes 0.0: the same value must give the same identity */
    return check_bounds(out->f, row, node, r);
}

static enum err_code read_bool(struct value *out, const struct config_key *row,
                               const struct node *node, const struct value_reader *r) {
    const bool yes = strcasecmp(node->text, "true") == 0;
    if ((node->kind != NODE_BOOL && node->kind != NODE_WORD) ||
        (!yes && strcasecmp(node->text, "false") != 0))
        return wrong_type(row, node, r);
    out->i = yes;
    return ERR_OK;
}

static enum err_code unknown_choice(const struct config_key *row, const struct node *node,
                                    const struct value_reader *r) {
    struct text list = {0};
    size_t n = 0;
    for (; row->choices[n]; n++) text_add(&list, "%s%s", n ? ", " : "", row->choices[n]);
    const char *near = text_nearest(node->text, row->choices, n);
    const enum err_code rc =
        near ? FAULT(r, node, row, "unknown value \"%.60s\" (did you mean %s? known: %s)",
                     node->text, near, text_str(&list))
             : FAULT(r, node, row, "unknown value \"%.60s\" (known: %s)", node->text,
                     text_str(&list));
    text_release(&list);
    return rc;
}

static enum err_code read_name(struct value *out, const struct config_key *row,
                               const struct node *node, const struct value_reader *r) {
    if (!node_is_text(node)) return wrong_type(row, node, r);
    for (size_t i = 0; row->choices[i]; i++) {
        if (strcmp(row->choices[i], node->text) != 0) continue;
        out->s = row->choices[i];
        return ERR_OK;
    }
    return unknown_choice(row, node, r);
}

/* Makes a path absolute; symbolic links are not resolved. */
static enum err_code read_path(struct value *out, const struct node *node,
                               const struct value_reader *r) {
    enum err_code rc = ERR_OK;
    struct err *err = r->err;
    char seen[FILE_PATH_MAX], here[FILE_PATH_MAX];
    struct text path = {0};
    const char *own = node->place.line > 0 ? node->place.file : "the current directory";
    const char *value = node->text;
    while (value[0] == '.' && value[1] == '/') value += 2;
    TRY(file_resolve(seen, r->path_base ? r->path_base : own, value, err));
    if (seen[0] != '/') {
        CHECK(getcwd(here, sizeof here), ERR_IO, "cannot find the current directory");
        text_add(&path, "%s/", strcmp(here, "/") == 0 ? "" : here);
    }
    text_add(&path, "%s", seen);
    TRY(text_check(&path, err));
    out->s = pool_copy(r->pool, path.data, path.size);
    CHECK(out->s, ERR_MEMORY, "no memory for the configuration");
cleanup:
    text_release(&path);
    return rc;
}

static enum err_code read_text(struct value *out, const struct config_key *row,
                               const struct node *node, const struct value_reader *r) {
    if (!node_is_text(node)) return wrong_type(row, node, r);
    out->s = node->text;
    if (!(row->flags & CONFIG_PATH)) return ERR_OK;
    if (*node->text) return read_path(out, node, r);
    if (!(row->flags & CONFIG_OPTIONAL) || (row->flags & CONFIG_AXIS)) return ERR_OK;
    return place_error(r->err, node->place, r->stage, row->name,
                       "an empty path: name a file, or omit the key");
}

static enum err_code read_plain(struct value *out, const struct config_key *row,
                                const struct node *node, const struct value_reader *r) {
    *out = (struct value){.place = node->place};
    if (!node_is_plain(node)) return wrong_type(row, node, r);
    switch (row->type) {
    case CONFIG_BOOL:
        return read_bool(out, row, node, r);
    case CONFIG_INT:
        return read_int(out, row, node, r);
    case CONFIG_FLOAT:
        return read_float(out, row, node, r);
    case CONFIG_NAME:
        return read_name(out, row, node, r);
    case CONFIG_TEXT:
        return read_text(out, row, node, r);
    }
    return ERR_OK;
}

static bool is_sequence(const struct node *n) {
    return n->kind == NODE_ARRAY || n->kind == NODE_LIST;
}

bool value_is_axis(const struct config_key *row, const struct node *node) {
    if (!(row->flags & CONFIG_AXIS) || !is_sequence(node)) return false;
    if (!(row->flags & CONFIG_LIST)) return true;
    for (size_t i = 0; i < node->n; i++)
        if (is_sequence(node->items[i])) return true;
    return false;
}

/* A name has an effect once in a list, so a second one is a mistake. */
static enum err_code refuse_twice(const struct config_key *row, const struct value *items, size_t n,
                                  const struct value_reader *r) {
    for (size_t i = 0; row->type == CONFIG_NAME && i < n; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(items[i].s, items[j].s) == 0)
                return place_error(r->err, items[i].place, r->stage, row->name,
                                   "\"%s\" is given twice: name it once", items[i].s);
    return ERR_OK;
}

enum err_code value_read(struct value *out, const struct config_key *row, const struct node *node,
                         const struct value_reader *r) {
    enum err_code rc = ERR_OK;
    struct err *err = r->err;
    if (!(row->flags & CONFIG_LIST)) return read_plain(out, row, node, r);
    const size_t n = is_sequence(node) ? node->n : 1;
    struct value *items;
    TAKE(items, r->pool, n + 1); /* an empty list still has an address */
    for (size_t i = 0; i < n; i++)
        TRY(read_plain(&items[i], row, is_sequence(node) ? node->items[i] : node, r));
    TRY(refuse_twice(row, items, n, r));
    *out = (struct value){.items = items, .n = n, .place = node->place};
cleanup:
    return rc;
}

static int compare_plain(const struct config_key *row, const struct value *a,
                         const struct value *b) {
    switch (row->type) {
    case CONFIG_BOOL:
    case CONFIG_INT:
        return (a->i > b->i) - (a->i < b->i);
    case CONFIG_FLOAT:
        return (a->f > b->f) - (a->f < b->f);
    case CONFIG_NAME:
    case CONFIG_TEXT:
        return strcmp(a->s, b->s);
    }
    return 0;
}

int value_compare(const struct config_key *row, const struct value *a, const struct value *b) {
    if (!(row->flags & CONFIG_LIST)) return compare_plain(row, a, b);
    for (size_t i = 0; i < a->n && i < b->n; i++) {
        const int order = compare_plain(row, &a->items[i], &b->items[i]);
        if (order != 0) return order;
    }
    return (a->n > b->n) - (a->n < b->n);
}

static void print_plain(struct text *out, const struct config_key *row, const struct value *v) {
    char number[NUMBER_TEXT];
    switch (row->type) {
    case CONFIG_BOOL:
        text_add(out, "%s", v->i ? "true" : "false");
        break;
    case CONFIG_INT:
        text_add(out, "%lld", (long long)v->i);
        break;
    case CONFIG_FLOAT:
        number_print(number, v->f);
        text_add(out, "%s", number);
        break;
    case CONFIG_NAME:
    case CONFIG_TEXT:
        node_quote(out, v->s);
        break;
    }
}

void value_print(struct text *out, const struct config_key *row, const struct value *v) {
    if (!(row->flags & CONFIG_LIST)) {
        print_plain(out, row, v);
        return;
    }
    text_add(out, "[");
    for (size_t i = 0; i < v->n; i++) {
        if (i > 0) text_add(out, ", ");
        print_plain(out, row, &v->items[i]);
    }
    text_add(out, "]");
}
