/*
 * err.h - errors, and the exit codes of the program.
 *
 * A function that can fail returns `enum err_code` and takes `struct err *err` as its last
 * argument.  On failure it fills *err with the code, one message and the place in the source, and
 * its outputs are untouched or released; on ERR_OK it does not write *err.  No library function
 * prints an error or exits: main() turns the code into an exit code.
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
 * A message names the place, the value received and the next step.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

/* The exit codes; their numbers are those of sysexits.h. Where several hold, the program exits with
 * the one of the highest rank (err_worse_exit). */
/*    name               number rank meaning */
#define EXIT_CODES(X)                                                                              \
    X(EXIT_DONE, 0, 0, "all jobs done, or verified")                                               \
    X(EXIT_FAILED, 1, 1, "some jobs failed or are blocked, or a comparison found a difference")    \
    X(EXIT_USAGE, 64, 7, "wrong command line")                                                     \
    X(EXIT_CONFIG, 65, 6, "invalid config or data, machines that differ, or a directory in use")   \
    X(EXIT_BUG, 70, 5, "internal error")                                                           \
    X(EXIT_SYSTEM, 71, 3, "memory, operating system or MPI failed")                                \
    X(EXIT_IO, 74, 4, "a file cannot be read or written")                                          \
    X(EXIT_WORK_REMAINS, 75, 2, "work remains: the same command resumes it")

enum exit_code {
#define X(name, number, rank, meaning) name = (number),
    EXIT_CODES(X)
#undef X
};

/*    code          exit code          text */
#define ERR_CODES(X)                                                                               \
    X(ERR_OK, EXIT_DONE, "ok")                                                                     \
    X(ERR_DIFFERS, EXIT_FAILED, "difference found")                                                \
    X(ERR_NUMERIC, EXIT_FAILED, "not a finite number")                                             \
    X(ERR_STOPPED, EXIT_WORK_REMAINS, "stopped before the end")                                    \
    X(ERR_USAGE, EXIT_USAGE, "command line")                                                       \
    X(ERR_CONFIG, EXIT_CONFIG, "configuration")                                                    \
    X(ERR_DATA, EXIT_CONFIG, "data")                                                               \
    X(ERR_BUG, EXIT_BUG, "internal error")                                                         \
    X(ERR_MEMORY, EXIT_SYSTEM, "out of memory")                                                    \
    X(ERR_SYSTEM, EXIT_SYSTEM, "operating system")                                                 \
    X(ERR_MPI, EXIT_SYSTEM, "MPI")                                                                 \
    X(ERR_IO, EXIT_IO, "input/output")

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
int err_exit_code(enum err_code code);

/* The one of two exit codes that the program exits with where both hold. */
int err_worse_exit(int a, int b);

/* Fills *err (NULL: the caller wants the code alone) and returns `code`; called through ERR. */
enum err_code err_set(struct err *err, enum err_code code, const char *file, int line,
                      const char *fmt, ...) __attribute__((format(printf, 5, 6)));

#define ERR(err, code, ...) err_set((err), (code), __FILE__, __LINE__, __VA_ARGS__)

/* TRY and CHECK need `rc`, `err` and `cleanup:` in scope. CHECK is for what a file, a user or a
 * cluster can cause; bugs of the program itself are asserted. */
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
