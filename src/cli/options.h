/*
 * options.h - the options and arguments of one command; each option is a row of a table.
 *
 * "--name value", "--name=value" and "-o value" are accepted anywhere; "--" ends the options.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/text.h"
#include "ops/products.h"

struct option_row {
    const char *name;  /* "--max-time" */
    const char *brief; /* "-o", or NULL */
    const char *value; /* what follows it: "TIME"; NULL: a flag */
    const char *meaning;
};

enum { OPTIONS_MAX = 256 }; /* words on a command line */

struct options {
    const struct option_row *given[OPTIONS_MAX];
    const char *values[OPTIONS_MAX]; /* of given[i]; "" for flags */
    size_t n_given;
    const char *args[OPTIONS_MAX]; /* the words that are not options */
    size_t n_args;
};

/* words: those after the command. ERR_USAGE for an unknown option (naming the nearest one) and for
 * a missing or superfluous value. Messages begin with `command`. */
enum err_code options_parse(struct options *out, const struct option_row *rows, size_t n_rows,
                            const char *command, int n_words, char *const *words, struct err *err);

bool options_has(const struct options *o, const char *name);
const char *options_value(const struct options *o, const char *name); /* the last one, or NULL */

/* Every value of a repeatable option, in order, into out [OPTIONS_MAX]; returns how many. */
size_t options_values(const char **out, const struct options *o, const char *name);

void options_help(struct text *out, const struct option_row *rows, size_t n_rows);

/* The option --arithmetic: f32 where it is not given. ERR_USAGE for another name. */
enum err_code options_arithmetic(enum arithmetic *out, const struct options *o, struct err *err);

/* Seconds, MM:SS, HH:MM:SS, D-HH, D-HH:MM or D-HH:MM:SS, as Slurm writes them, above zero;
 * UNLIMITED is INFINITY. */
enum err_code options_time(double *seconds, const char *text, struct err *err);

/* Bytes: "1500000", "512M", "2.5G" (powers of 1024, also K and T). */
enum err_code options_bytes(double *bytes, const char *text, struct err *err);

#endif
