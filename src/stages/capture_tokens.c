#include "stages/capture_tokens.h"

#include <assert.h>

#include "base/text.h"

const char *const CAPTURE_TOKENS[] = {"query", "before_answers", "answers", "all", NULL};

enum capture_tokens capture_tokens_read(const struct config_point *point) {
    if (!config_has(point, "tokens")) return CAPTURE_QUERY;
    return (enum capture_tokens)text_index(CAPTURE_TOKENS, config_text(point, "tokens"));
}

size_t capture_tokens_most(enum capture_tokens which, size_t points, size_t longest) {
    switch (which) {
    case CAPTURE_BEFORE_ANSWERS:
        return points;
    case CAPTURE_ANSWERS:
        return points - 1;
    case CAPTURE_ALL:
        return longest;
    case CAPTURE_QUERY:
        break;
    }
    return 1;
}

bool capture_tokens_have(enum capture_tokens which, const struct prompt_view *p, size_t i,
                         size_t t) {
    const bool last = t + 1 == prompt_view_length(p, i);
    if (which == CAPTURE_ALL || which == CAPTURE_QUERY) return last || which == CAPTURE_ALL;
    assert(p->text.next);
    const uint32_t *next = p->text.next + p->text.first[i];
    const bool in_answer = t > 0 && next[t - 1] != PROMPT_NO_TARGET;
    const bool before_one = next[t] != PROMPT_NO_TARGET;
    if (which == CAPTURE_ANSWERS) return in_answer && !before_one;
    return last || (before_one && !in_answer);
}

void capture_tokens_find(uint32_t *at, enum capture_tokens which, size_t most,
                         const struct prompt_view *p, size_t i) {
    size_t n = 0;
    for (size_t t = 0; t < prompt_view_length(p, i); t++) {
        if (!capture_tokens_have(which, p, i, t)) continue;
        assert(n < most);
        at[n++] = (uint32_t)t;
    }
    while (n < most) at[n++] = PROMPT_NO_TARGET;
}
