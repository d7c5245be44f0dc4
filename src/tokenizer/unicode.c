#include "tokenizer/unicode.h"

#include <stdlib.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistring/version.h>

struct unicode_lead {        /* what the first byte of a character says */
    size_t length;           /* bytes; 0: no character begins so */
    unsigned char low, high; /* bounds of the second byte */
};

static struct unicode_lead lead_of(unsigned char b) {
    if (b < 0x80) return (struct unicode_lead){1, 0, 0};
    if (b < 0xc2 || b > 0xf4) return (struct unicode_lead){0, 0, 0};
    if (b < 0xe0) return (struct unicode_lead){2, 0x80, 0xbf};
    if (b < 0xf0) return (struct unicode_lead){3, b == 0xe0 ? 0xa0 : 0x80, b == 0xed ? 0x9f : 0xbf};
    return (struct unicode_lead){4, b == 0xf0 ? 0x90 : 0x80, b == 0xf4 ? 0x8f : 0xbf};
}

size_t unicode_sequence(bool *valid, const char *s, size_t n) {
    const struct unicode_lead lead = lead_of((unsigned char)s[0]);
    size_t i = 1;
    for (; i < lead.length && i < n; i++) {
        const unsigned char b = (unsigned char)s[i];
        if (b < (i == 1 ? lead.low : 0x80) || b > (i == 1 ? lead.high : 0xbf)) break;
    }
    *valid = i == lead.length;
    return i;
}

size_t unicode_check(const char *s, size_t size) {
    bool valid = true;
    size_t at = 0;
    while (at < size) {
        const size_t n = unicode_sequence(&valid, s + at, size - at);
        if (!valid) return at;
        at += n;
    }
    return size;
}

uint32_t unicode_next(const char *s, size_t *at) {
    const unsigned char *b = (const unsigned char *)s + *at;
    if (b[0] < 0x80) return *at += 1, b[0];
    if (b[0] < 0xe0) return *at += 2, (uint32_t)(b[0] & 0x1f) << 6 | (b[1] & 0x3f);
    if (b[0] < 0xf0)
        return *at += 3,
               (uint32_t)(b[0] & 0xf) << 12 | (uint32_t)(b[1] & 0x3f) << 6 | (b[2] & 0x3f);
    return *at += 4, (uint32_t)(b[0] & 7) << 18 | (uint32_t)(b[1] & 0x3f) << 12 |
                         (uint32_t)(b[2] & 0x3f) << 6 | (b[3] & 0x3f);
}

uint32_t unicode_before(const char *s, size_t end, size_t *start) {
    size_t at = end - 1;
    while (at > 0 && ((unsigned char)s[at] & 0xc0) == 0x80) at--;
    *start = at;
    return unicode_next(s, &at);
}

size_t unicode_write(char out[4], uint32_t c) {
    const size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char MARK[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n - 1; i > 0; i--, c >>= 6) out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)(MARK[n] | c);
    return n;
}

void unicode_add_lossy(struct text *out, const char *bytes, size_t size) {
    bool valid = true;
    size_t done = 0;
    for (size_t at = 0; at < size;) {
        const size_t n = unicode_sequence(&valid, bytes + at, size - at);
        if (!valid) {
            text_bytes(out, bytes + done, at - done);
            text_bytes(out, "\xef\xbf\xbd", 3);
            done = at + n;
        }
        at += n;
    }
    text_bytes(out, bytes + done, size - done);
}

bool unicode_is_space(uint32_t c) {
    if (c < 0x80) return c == ' ' || (c >= '\t' && c <= '\r');
    return uc_is_property_white_space(c);
}

bool unicode_is_word(uint32_t c) {
    return uc_is_property_alphabetic(c) || uc_is_property_join_control(c) ||
           uc_is_general_category_withtable(c, UC_CATEGORY_MASK_M | UC_CATEGORY_MASK_Nd |
                                                   UC_CATEGORY_MASK_Pc);
}

/* Below U+0080 every form leaves text as it is; below U+0300 NFC does. */
static bool is_normal(enum unicode_form form, const char *s, size_t size) {
    const unsigned char least = form == UNICODE_NFC ? 0xcc : 0x80;
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)s[i] >= least) return false;
    return true;
}

enum err_code unicode_normalize(struct text *out, enum unicode_form form, const char *s,
                                size_t size, struct err *err) {
    const uninorm_t forms[] = {UNINORM_NFC, UNINORM_NFD, UNINORM_NFKC, UNINORM_NFKD};
    size_t n = 0;
    if (size == 0 || is_normal(form, s, size)) {
        text_bytes(out, s, size);
        return ERR_OK;
    }
    uint8_t *normal = u8_normalize(forms[form], (const uint8_t *)s, size, NULL, &n);
    if (!normal) return ERR(err, ERR_MEMORY, "no memory to normalise %zu bytes of text", size);
    text_bytes(out, normal, n);
    free(normal);
    return ERR_OK;
}

void unicode_library(struct text *out) {
    text_add(out, "libunistring %d.%d", _libunistring_version >> 16,
             _libunistring_version >> 8 & 0xff);
}
