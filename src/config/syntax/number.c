#include "config/syntax/number.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum shape { NOTHING, DECIMAL, HEXADECIMAL, FLOATING };

static const char *past(const char *s, const char *set) { return s + strspn(s, set); }

static bool at_end_of_integer(const char *s) {
    return strcmp(s, "") == 0 || strcmp(s, "L") == 0 || strcmp(s, "LL") == 0;
}

static enum shape shape_of(const char *s) {
    static const char digits[] = "0123456789";
    if (*s == '+' || *s == '-') s++;
    if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
        const char *end = past(s + 2, "0123456789abcdefABCDEF");
        return end > s + 2 && at_end_of_integer(end) ? HEXADECIMAL : NOTHING;
    }
    const char *at = past(s, digits);
    size_t mantissa = (size_t)(at - s);
    if (mantissa > 0 && at_end_of_integer(at)) return DECIMAL;
    if (*at == '.') {
        const char *end = past(at + 1, digits);
        mantissa += (size_t)(end - at - 1);
        at = end;
    }
    if (mantissa == 0) return NOTHING;
    if (*at == 'e' || *at == 'E') {
        at++;
        if (*at == '+' || *at == '-') at++;
        if (past(at, digits) == at) return NOTHING;
        at = past(at, digits);
    }
    return *at == '\0' ? FLOATING : NOTHING;
}

bool number_valid(const char *s) { return shape_of(s) != NOTHING; }

static int64_t digit_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return (c >= 'a' ? c - 'a' : c - 'A') + 10;
}

enum number_fault number_int(int64_t *out, const char *s) {
    const enum shape shape = shape_of(s);
    if (shape == NOTHING) return NUMBER_NONE;
    if (shape == FLOATING) return NUMBER_FRACTION;
    const bool negative = *s == '-';
    if (*s == '+' || *s == '-') s++;
    if (shape == HEXADECIMAL) s += 2;
    const int64_t radix = shape == HEXADECIMAL ? 16 : 10;
    int64_t sum = 0;
    for (; *s && *s != 'L'; s++) {
        sum = sum * radix + digit_value(*s);
        if (sum > NUMBER_LARGEST) return NUMBER_RANGE;
    }
    *out = negative ? -sum : sum;
    return NUMBER_FINE;
}

/* strtod as in the "C" locale; `end` may be NULL. */
static double to_double(const char *s, char **end) {
    const locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    const double v = plain ? strtod_l(s, end, plain) : strtod(s, end);
    if (plain) freelocale(plain);
    return v;
}

enum number_fault number_float(double *out, const char *s) {
    const enum shape shape = shape_of(s);
    if (shape == NOTHING) return NUMBER_NONE;
    if (shape == HEXADECIMAL) {
        int64_t i = 0;
        const enum number_fault fault = number_int(&i, s);
        *out = (double)i;
        return fault;
    }
    errno = 0;
    const double v = to_double(s, NULL);
    if (!isfinite(v) || (errno == ERANGE && v == 0)) return NUMBER_RANGE;
    *out = v;
    return NUMBER_FINE;
}

/* %.*g with that many digits, %a with none; as in the "C" locale. */
static void print_plain(char out[NUMBER_TEXT], int digits, double v) {
    const bool already = strcmp(localeconv()->decimal_point, ".") == 0;
    const locale_t plain = already ? (locale_t)0 : newlocale(LC_ALL_MASK, "C", (locale_t)0);
    const locale_t before = plain ? uselocale(plain) : (locale_t)0;
    if (digits > 0)
        (void)snprintf(out, NUMBER_TEXT, "%.*g", digits, v);
    else
        (void)snprintf(out, NUMBER_TEXT, "%a", v);
    if (!plain) return;
    (void)uselocale(before);
    freelocale(plain);
}

void number_print(char out[NUMBER_TEXT], double v) {
    for (int digits = 15; digits <= 17; digits++) {
        print_plain(out, digits, v);
        if (to_double(out, NULL) == v) break;
    }
    if (!strpbrk(out, ".eni")) memcpy(out + strlen(out), ".0", 3);
}

void number_print_exact(char out[NUMBER_TEXT], double v) { print_plain(out, 0, v); }

bool number_read_exact(double *out, const char *s, const char **end) {
    char *stop = NULL;
    *out = to_double(s, &stop);
    *end = stop;
    return stop != s;
}
