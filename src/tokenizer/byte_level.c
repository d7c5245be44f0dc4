#include "tokenizer/byte_level.h"

#include "tokenizer/unicode.h"

static int is_plain(uint32_t b) {
    return (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || (b >= 0xae && b <= 0xff);
}

/* Bytes that stand for themselves: 0x21..0x7e, 0xa1..0xac, 0xae..0xff. The others, in order:
 * 0x00..0x20, 0x7f..0xa0, 0xad. */
static uint32_t character_of(uint32_t b) {
    if (is_plain(b)) return b;
    if (b <= 0x20) return 0x100 + b;
    return b == 0xad ? 0x143 : 0x121 + (b - 0x7f);
}

/* The byte that a character stands for, or -1. */
static int byte_of(uint32_t c) {
    if (c < 0x100) return is_plain(c) ? (int)c : -1;
    if (c <= 0x120) return (int)(c - 0x100);
    if (c <= 0x142) return (int)(0x7f + (c - 0x121));
    return c == 0x143 ? 0xad : -1;
}

void byte_level_add(struct text *out, const char *bytes, size_t size) {
    char buffer[512];
    size_t used = 0;
    for (size_t i = 0; i < size; i++) {
        if (used > sizeof buffer - 4) {
            text_bytes(out, buffer, used);
            used = 0;
        }
        used += unicode_write(buffer + used, character_of((unsigned char)bytes[i]));
    }
    text_bytes(out, buffer, used);
}

void byte_level_add_bytes(struct text *out, const char *token, size_t size) {
    const size_t before = out->size;
    for (size_t at = 0; at < size;) {
        const int b = byte_of(unicode_next(token, &at));
        const char byte = (char)b;
        if (b < 0) {
            out->size = before;
            text_bytes(out, token, size);
            return;
        }
        text_bytes(out, &byte, 1);
    }
}
