/*
 * latex_table.c - a table as LaTeX: one tabular with the rules of the package booktabs.
 */
#include <string.h>

#include "run/tables/table_format.h"

static const char PLUS_MINUS[] = "\xC2\xB1"; /* UTF-8 */

/* What TeX prints for one character that it would otherwise read as a command; NULL: itself. */
static const char *escape_of(char c) {
    switch (c) {
    case '&':
        return "\\&";
    case '%':
        return "\\%";
    case '$':
        return "\\$";
    case '#':
        return "\\#";
    case '_':
        return "\\_";
    case '{':
        return "\\{";
    case '}':
        return "\\}";
    case '~':
        return "\\textasciitilde{}";
    case '^':
        return "\\textasciicircum{}";
    case '\\':
        return "\\textbackslash{}";
    default:
        return NULL;
    }
}

static bool is_negative(const char *text) {
    return text[0] == '-' && (text[1] == '.' || (text[1] >= '0' && text[1] <= '9'));
}

/* The sign of a number is set as a minus, not as a hyphen. */
static void print_latex_text(struct text *out, const char *text) {
    if (is_negative(text)) {
        text_add(out, "$-$");
        text++;
    }
    while (*text) {
        const char *escaped = escape_of(*text);
        if (strncmp(text, PLUS_MINUS, sizeof PLUS_MINUS - 1) == 0) {
            text_add(out, "$\\pm$ ");
            text += sizeof PLUS_MINUS - 1;
            continue;
        }
        if (escaped)
            text_add(out, "%s", escaped);
        else
            text_add(out, "%c", *text == '\n' ? ' ' : *text);
        text++;
    }
}

static void print_latex_row(struct text *out, const struct text_table *t, size_t row) {
    for (size_t c = 0; c < t->columns; c++) {
        if (c) text_add(out, " & ");
        print_latex_text(out, text_table_at(t, row, c));
    }
    text_add(out, " \\\\\n");
}

static void print_latex_titles(struct text *out, const struct text_table *t, size_t row) {
    const struct text_title *title;
    for (size_t i = 0; (title = text_table_title_at(t, row, i)) != NULL; i++) {
        if (i == 0 && row > 1) text_add(out, "\\addlinespace\n");
        text_add(out, "\\multicolumn{%zu}{l}{\\emph{", t->columns);
        print_latex_text(out, title->text);
        text_add(out, "}} \\\\\n");
    }
}

void latex_table_print(struct text *out, const struct text_table *t) {
    text_add(out, "%% \\usepackage{booktabs}\n\\begin{tabular}{");
    for (size_t c = 0; c < t->columns; c++) text_add(out, t->column[c].right ? "r" : "l");
    text_add(out, "}\n\\toprule\n");
    print_latex_row(out, t, 0);
    text_add(out, "\\midrule\n");
    for (size_t row = 1; row <= t->rows; row++) {
        print_latex_titles(out, t, row);
        print_latex_row(out, t, row);
    }
    text_add(out, "\\bottomrule\n\\end{tabular}\n");
}
