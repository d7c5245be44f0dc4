#include "sources/text/prompt_template.h"

#include <string.h>

enum { MARK = 3 }; /* bytes of "{x}" */

static const char *only(const char *text, const char *mark) {
    const char *at = strstr(text, mark);
    return at && !strstr(at + MARK, mark) ? at : NULL;
}

enum err_code prompt_template_read(struct prompt_template *out, const char *text, struct err *err) {
    enum err_code rc = ERR_OK;
    const char *x = only(text, "{x}"), *y = only(text, "{y}");
    CHECK(x && y && x < y, ERR_CONFIG,
          "\"%.200s\": {x} must stand in it once, and {y} once after it", text);
    size_t middle = (size_t)(y - x) - MARK, space = 0;
    while (space < middle && y[-1 - (ptrdiff_t)space] == ' ') space++;
    CHECK(middle > 0, ERR_CONFIG, "\"%.200s\": {x} and {y} touch: put a text between them", text);
    *out = (struct prompt_template){.head = text,
                                    .head_size = (size_t)(x - text),
                                    .middle = x + MARK,
                                    .middle_size = middle - space,
                                    .space = y - space,
                                    .space_size = space,
                                    .tail = y + MARK,
                                    .tail_size = strlen(y + MARK)};
cleanup:
    return rc;
}

void prompt_template_query(struct text *out, const struct prompt_template *t,
                           const struct task_pair *pair) {
    text_bytes(out, t->head, t->head_size);
    text_bytes(out, pair->x, pair->x_size);
    text_bytes(out, t->middle, t->middle_size);
}

void prompt_template_answer(struct text *out, const struct prompt_template *t,
                            const struct task_pair *pair) {
    text_bytes(out, t->space, t->space_size);
    text_bytes(out, pair->y, pair->y_size);
}

void prompt_template_end(struct text *out, const struct prompt_template *t) {
    text_bytes(out, t->tail, t->tail_size);
}
