#include "cli/token_line.h"

void token_line(struct text *out, const struct tokenizer *t, int32_t id) {
    if ((size_t)id >= tokenizer_count(t)) {
        text_add(out, "(no token of the tokenizer)\n");
        return;
    }
    const struct token_text token = tokenizer_token(t, id);
    for (size_t i = 0; i < token.size; i++) {
        const unsigned char c = (unsigned char)token.data[i];
        if (c < 0x20 || c == 0x7f)
            text_add(out, "\\x%02x", c);
        else
            text_bytes(out, token.data + i, 1);
    }
    text_add(out, "\n");
}
