#include "tensorfile/tensor_name.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tensorfile/tensorfile.h"

static bool is_control(char c) { return (unsigned char)c < 0x20 || c == 0x7f; }

enum err_code tensor_name_check(const char *name, const char *place, struct err *err) {
    const size_t size = strlen(name);
    if (size == 0) return ERR(err, ERR_DATA, "%s: a name must not be empty", place);
    if (size > TENSOR_NAME_MAX)
        return ERR(err, ERR_DATA, "%s: a name of %zu bytes, at most %d are accepted", place, size,
                   TENSOR_NAME_MAX);
    for (size_t i = 0; i < size; i++)
        if (is_control(name[i]))
            return ERR(err, ERR_DATA, "%s: control character 0x%02x in the name", place,
                       (unsigned)(unsigned char)name[i]);
    return ERR_OK;
}

void tensor_name_show(char out[NAME_SHOWN], const char *name) {
    (void)snprintf(out, NAME_SHOWN, "\"%.100s%s\"", name, strlen(name) > 100 ? "..." : "");
    for (char *c = out; *c; c++)
        if (is_control(*c)) *c = '?';
}
