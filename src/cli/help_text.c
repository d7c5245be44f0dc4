#include "cli/help_text.h"

#include <string.h>

enum { INDENT = 2, LABEL_WIDTH = 12, LEFT_WIDTH = 27 };

void help_paragraph(struct text *out, const char *label, const char *s) {
    const size_t hang = INDENT + (*label ? LABEL_WIDTH : 0);
    size_t column = hang;
    text_add(out, "%*s%-*s", INDENT, "", (int)(hang - INDENT), label);
    for (size_t n; *s; s += n + strspn(s + n, " ")) {
        n = strcspn(s, " ");
        if (column > hang && column + 1 + n > HELP_COLUMNS) {
            text_add(out, "\n%*s", (int)hang, "");
            column = hang;
        }
        const size_t space = column > hang;
        text_add(out, "%s%.*s", space ? " " : "", (int)n, s);
        column += space + n;
    }
    text_add(out, "\n");
}

void help_row(struct text *out, const char *left, const char *s) {
    const size_t width = strlen(left) > LEFT_WIDTH ? strlen(left) : LEFT_WIDTH;
    const size_t start = INDENT + width + 1, room = start < HELP_COLUMNS ? HELP_COLUMNS - start : 0;
    size_t n = strlen(s);
    const bool cut = n > room;
    if (cut)
        for (n = room > 4 ? room - 4 : 0; n > 0 && s[n] != ' ';) n--;
    text_add(out, "%*s%-*s %.*s%s\n", INDENT, "", LEFT_WIDTH, left, (int)n, s, cut ? " ..." : "");
}
