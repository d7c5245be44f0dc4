#include "run/tables/table_format.h"

static void print_markdown_cell(struct text *out, const char *cell) {
    for (; *cell; cell++) text_add(out, *cell == '|' ? "\\|" : "%c", *cell == '\n' ? ' ' : *cell);
}

static void print_markdown_row(struct text *out, const struct text_table *t, size_t row) {
    for (size_t c = 0; c < t->columns; c++) {
        text_add(out, c ? " | " : "| ");
        print_markdown_cell(out, text_table_at(t, row, c));
    }
    text_add(out, " |\n");
}

/* A title is a row with one cell in bold: Markdown has no cell over several columns. */
static void print_markdown_title(struct text *out, const struct text_table *t, const char *title) {
    text_add(out, "| **");
    print_markdown_cell(out, title);
    text_add(out, "**");
    for (size_t c = 0; c < t->columns; c++) text_add(out, " |");
    text_add(out, "\n");
}

void markdown_table_print(struct text *out, const struct text_table *t) {
    print_markdown_row(out, t, 0);
    for (size_t c = 0; c < t->columns; c++)
        text_add(out, t->column[c].right ? "| ---: " : "| --- ");
    text_add(out, "|\n");
    for (size_t row = 1; row <= t->rows; row++) {
        const struct text_title *title;
        for (size_t i = 0; (title = text_table_title_at(t, row, i)) != NULL; i++)
            print_markdown_title(out, t, title->text);
        print_markdown_row(out, t, row);
    }
}
