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

static void put(struct table_output *o, const struct text_table *t) {
    if (o->format == TABLE_CSV)
        csv_table_print(o->out, t);
    else if (o->format == TABLE_MARKDOWN)
        markdown_table_print(o->out, t);
    else if (o->format == TABLE_LATEX)
        latex_table_print(o->out, t);
    else
        json_table_write(&o->json, t);
}

enum err_code table_output_put(struct table_output *o, struct text *hidden,
                               const struct text_table *t, struct err *err) {
    const enum err_code rc = text_table_check(t, err);
    if (rc != ERR_OK) return rc;
    if (o->format == TABLE_TEXT) return text_table_print(o->out, hidden, t, o->width, err);
    if (o->blocks && table_format_is_for_programs(o->format))
        return table_blocks_add(o->blocks, o->run, o->stage, t, err);
    put(o, t);
    return text_check(o->out, err);
}

enum err_code table_output_end(struct table_output *o, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text_table whole = {0};
    if (!o->blocks || !table_format_is_for_programs(o->format)) return ERR_OK;
    TRY(table_blocks_join(&whole, o->blocks, err));
    if (o->format == TABLE_JSON) o->json = json_writer_begin(o->out);
    put(o, &whole);
    if (o->format == TABLE_JSON) {
        TRY(json_writer_end(&o->json, err));
        text_add(o->out, "\n");
    }
    TRY(text_check(o->out, err));
cleanup:
    text_table_release(&whole);
    return rc;
}
