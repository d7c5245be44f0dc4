#include "cli/help_text.h"

#include <string.h>

enum { INDENT = 2, LABEL_WIDTH = 12, LEFT_WIDTH = 27 };

/* Words of s from `column` on; further lines begin at column `hang`. */
static void add_wrapped(struct text *out, size_t column, size_t hang, const char *s) {
    bool first = true;
    for (size_t n; *s; s += n + strspn(s + n, " ")) {
        n = strcspn(s, " ");
        if (!first && column + 1 + n > HELP_COLUMNS) {
            text_add(out, "\n%*s", (int)hang, "");
            column = hang;
            first = true;
        }
        text_add(out, "%s%.*s", first ? "" : " ", (int)n, s);
        column += !first + n;
        first = false;
    }
    text_add(out, "\n");
}

void help_line(struct text *out, const char *s) { add_wrapped(out, 0, INDENT, s); }

void help_paragraph(struct text *out, const char *label, const char *s) {
    const size_t hang = INDENT + (*label ? LABEL_WIDTH : 0);
    text_add(out, "%*s%-*s", INDENT, "", (int)(hang - INDENT), label);
    add_wrapped(out, hang, hang, s);
}

void help_row(struct text *out, const char *left, const char *s) {
    const size_t width = strlen(left) > LEFT_WIDTH ? strlen(left) : LEFT_WIDTH;
    text_add(out, "%*s%-*s ", INDENT, "", LEFT_WIDTH, left);
    add_wrapped(out, INDENT + width + 1, INDENT + LEFT_WIDTH + 1, s);
}
