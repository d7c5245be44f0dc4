/*
 * table_format.h - the forms in which a table is printed.  Another form is one line in
 * TABLE_FORMATS and one file, as latex_table.c.
 */
#ifndef RUN_TABLES_TABLE_FORMAT_H
#define RUN_TABLES_TABLE_FORMAT_H

#include "run/tables/table_blocks.h"
#include "json/json_writer.h"

#define TABLE_FORMATS(X)                                                                           \
    X(TABLE_TEXT, "text")                                                                          \
    X(TABLE_CSV, "csv")                                                                            \
    X(TABLE_MARKDOWN, "markdown")                                                                  \
    X(TABLE_LATEX, "latex")                                                                        \
    X(TABLE_JSON, "json")

enum table_format {
#define X(id, name) id,
    TABLE_FORMATS(X)
#undef X
};

/* A name of TABLE_FORMATS; ERR_USAGE with the names otherwise. */
enum err_code table_format_read(enum table_format *out, const char *name, struct err *err);

/* CSV and JSON are for programs: numbers exact, every column, nothing but the table. */
bool table_format_is_for_programs(enum table_format format);

struct table_output { /* where tables go, and how */
    struct text *out;
    enum table_format format;
    size_t width;            /* of a line of TABLE_TEXT; SIZE_MAX: any */
    struct json_writer json; /* of TABLE_JSON: the document that the tables are part of */

    /* Of `run` and `stage`: their tables of CSV and JSON are collected in `blocks`, and
     * table_output_end() prints them as one. blocks NULL: each table is printed at once. */
    struct table_blocks *blocks;
    const char *run, *stage;
};

/* hidden: as of text_table_print(); other forms hide nothing. */
enum err_code table_output_put(struct table_output *o, struct text *hidden,
                               const struct text_table *t, struct err *err);
/* Prints what was collected in o->blocks, in JSON as a whole document. */
enum err_code table_output_end(struct table_output *o, struct err *err);

/* The forms, one file each; *t has passed text_table_check(). */
void csv_table_print(struct text *out, const struct text_table *t);      /* RFC 4180 */
void markdown_table_print(struct text *out, const struct text_table *t); /* GitHub's */
void latex_table_print(struct text *out, const struct text_table *t);    /* for booktabs */
/* An array with one object per row: cells of right-aligned columns are numbers or null,
 * other cells texts, or null where they are empty. */
void json_table_write(struct json_writer *w, const struct text_table *t);
/* One such cell; rows from 1 on. */
void json_table_write_cell(struct json_writer *w, const struct text_table *t, size_t row,
                           size_t column);

#endif
