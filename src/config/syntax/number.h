/*
 * number.h - reads and prints numbers of a config, independently of the locale.
 *
 * The source text of a number is kept until the type of its key is known; an integer is then
 * checked digit by digit, so it cannot overflow silently.
 */
#ifndef CONFIG_SYNTAX_NUMBER_H
#define CONFIG_SYNTAX_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

enum number_fault {
    NUMBER_FINE,
    NUMBER_NONE,     /* not a number */
    NUMBER_FRACTION, /* a float where an integer is expected */
    NUMBER_RANGE     /* beyond +-2^53, or no finite double */
};

enum { NUMBER_TEXT = 40 };                       /* room for any printed double */
#define NUMBER_LARGEST INT64_C(9007199254740992) /* 2^53: the largest integer a key holds */

bool number_valid(const char *s); /* is the whole of s a number: 16, 0x1f, 3L, -1.5e-3 */
enum number_fault number_int(int64_t *out, const char *s);
enum number_fault number_float(double *out, const char *s); /* integers are accepted */

void number_print(char out[NUMBER_TEXT], double v); /* shortest decimal that reads back the same */
void number_print_exact(char out[NUMBER_TEXT], double v); /* hexadecimal, as %a */
bool number_read_exact(double *out, const char *s, const char **end);

#endif
