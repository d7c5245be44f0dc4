#include "cli/standard_input.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { INPUT_MOST = 1 << 30 }; /* bytes */

/* Not by the name /dev/stdin, which a socket (ssh) does not open. */
enum err_code standard_input_read(struct text *out, struct err *err) {
    char buffer[1 << 14];
    size_t n;
    while ((n = fread(buffer, 1, sizeof buffer, stdin)) > 0) {
        text_bytes(out, buffer, n);
        if (out->size > INPUT_MOST)
            return ERR(err, ERR_DATA, "standard input: more than %d bytes", INPUT_MOST);
    }
    if (ferror(stdin)) return ERR(err, ERR_IO, "standard input: cannot read: %s", strerror(errno));
    return text_check(out, err);
}
