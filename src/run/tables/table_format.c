#include "run/tables/table_format.h"

#include <string.h>

static const char *const NAMES[] = {
#define X(id, name) [id] = (name),
    TABLE_FORMATS(X)
#undef X
};

enum err_code table_format_read(enum table_format *out, const char *name, struct err *err) {
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (strcmp(NAMES[i], name) == 0) {
            *out = (enum table_format)i;
            return ERR_OK;
        }
    return ERR(err, ERR_USAGE, "--format %s: unknown; use text, csv, markdown, latex or json",
               name);
}

bool table_format_is_for_programs(enum table_format format) {
    return format == TABLE_CSV || format == TABLE_JSON;
}

enum err_code table_output_put(struct table_output *o, struct text *hidden,
                               const struct text_table *t, struct err *err) {
    const enum err_code rc = text_table_check(t, err);
    if (rc != ERR_OK) return rc;
    switch (o->format) {
    case TABLE_TEXT:
        return text_table_print(o->out, hidden, t, o->width, err);
    case TABLE_CSV:
        csv_table_print(o->out, t);
        break;
    case TABLE_MARKDOWN:
        markdown_table_print(o->out, t);
        break;
    case TABLE_LATEX:
        latex_table_print(o->out, t);
        break;
    case TABLE_JSON:
        json_table_write(&o->json, t);
        break;
    }
    return text_check(o->out, err);
}
