/*
 * err.h - what went wrong, said once: a code, a message, the place in our source.
 *
 * A function that can fail returns `enum err_code` and takes `struct err *err` as its last
 * argument.  On failure *err is filled and the outputs are untouched or released; on ERR_OK *err
 * is not written.  Nothing on this floor prints or exits: only main() turns a code into an exit.
 *
 * The shape of such a function, with cleanup in reverse order of acquisition:
 *
 *     enum err_code rc = ERR_OK;
 *     TRY(file_open(&f, path, err));
 *     CHECK(n > 0, ERR_DATA, "%s: expected at least one row, got %d", path, n);
 * cleanup:
 *     file_close(&f);
 *     return rc;
 *
 * Messages for people name the place, the value received and the next step.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

/*    code          exit  text */
#define ERR_CODES(X)                                                                               \
    X(ERR_OK, 0, "ok")                                                                             \
    X(ERR_DIFFERS, 1, "difference found")                                                          \
    X(ERR_NUMERIC, 1, "not a finite number")                                                       \
    X(ERR_STOPPED, 75, "stopped before the end")                                                   \
    X(ERR_USAGE, 64, "command line")                                                               \
    X(ERR_CONFIG, 65, "configuration")                                                             \
    X(ERR_DATA, 65, "data")                                                                        \
    X(ERR_BUG, 70, "internal error")                                                               \
    X(ERR_MEMORY, 71, "out of memory")                                                             \
    X(ERR_SYSTEM, 71, "operating system")                                                          \
    X(ERR_MPI, 71, "MPI")                                                                          \
    X(ERR_IO, 74, "input/output")

enum err_code {
#define X(code, exit_code, text) code,
    ERR_CODES(X)
#undef X
};

struct err {
    enum err_code code;
    int line;
    const char *file; /* static, not owned */
    char msg[768];
};

const char *err_text(enum err_code code);
int err_exit_code(enum err_code code); /* sysexits: design of the exit codes in README */

/* Fills *err (NULL allowed) and returns `code`; called through ERR. */
enum err_code err_set(struct err *err, enum err_code code, const char *file, int line,
                      const char *fmt, ...) __attribute__((format(printf, 5, 6)));

#define ERR(err, code, ...) err_set((err), (code), __FILE__, __LINE__, __VA_ARGS__)

/* TRY and CHECK need `rc`, `err` and `cleanup:` in scope. CHECK is for what a file, a user or a
 * cluster can cause; our own bugs are asserted. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        rc = (call);                                                                               \
        if (rc != ERR_OK) goto cleanup;                                                            \
    } while (0)
#define CHECK(condition, code, ...)                                                                \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            rc = ERR(err, (code), __VA_ARGS__);                                                    \
            goto cleanup;                                                                          \
        }                                                                                          \
    } while (0)

#endif
