/* journal_probe FILE - reads every prefix of a journal, and the journal with one byte of each line
 * changed: no prefix has a damaged line, what is read grows with it, and a changed byte costs its
 * line and no other. Prints what it read; 1 with the first thing that does not hold. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "journal/history.h"

struct seen { /* of one reading */
    size_t lines, damaged, jobs, attempts, dones, rows;
    bool torn;
};

static enum err_code look(struct seen *out, const char *data, size_t size, struct err *err) {
    enum err_code rc = ERR_OK;
    struct history h;
    TRY(history_replay(&h, data, size, err));
    *out = (struct seen){.lines = h.lines,
                         .damaged = h.damaged,
                         .jobs = h.n_jobs,
                         .attempts = h.n_attempts,
                         .torn = h.torn};
    for (size_t i = 0; i < h.n_jobs; i++) {
        out->dones += h.jobs[i].dones;
        out->rows += h.jobs[i].n_rows;
    }
    history_release(&h);
cleanup:
    return rc;
}

static bool grew(const struct seen *a, const struct seen *b) {
    return b->lines >= a->lines && b->jobs >= a->jobs && b->attempts >= a->attempts &&
           b->dones >= a->dones && b->rows >= a->rows;
}

static enum err_code check_prefixes(struct seen *last, const char *data, size_t size,
                                    struct err *err) {
    enum err_code rc = ERR_OK;
    struct seen before = {0}, now;
    size_t lines = 0;
    for (size_t n = 0; n <= size; n++) {
        const bool whole = n == 0 || data[n - 1] == '\n';
        lines += n > 0 && whole;
        TRY(look(&now, data, n, err));
        CHECK(
            now.damaged == 0 && now.lines == lines && now.torn == !whole && grew(&before, &now),
            ERR_DIFFERS,
            "%zu bytes: %zu lines of %zu, %zu damaged, torn %d; %zu jobs, %zu attempts, %zu done, "
            "%zu rows",
            n, now.lines, lines, now.damaged, now.torn, now.jobs, now.attempts, now.dones,
            now.rows);
        before = now;
    }
    *last = before;
cleanup:
    return rc;
}

/* Of the line that begins at data[0], a byte in its midst. */
static enum err_code check_damage(char *line, size_t length, const char *data, size_t size,
                                  const struct seen *whole, struct err *err) {
    enum err_code rc = ERR_OK;
    struct seen now;
    line[length / 2] ^= 1;
    TRY(look(&now, data, size, err));
    line[length / 2] ^= 1;
    CHECK(now.damaged == 1 && now.lines == whole->lines && now.dones + 1 >= whole->dones &&
              now.rows + 1 >= whole->rows && now.attempts + 1 >= whole->attempts,
          ERR_DIFFERS,
          "a changed byte of \"%.60s...\": %zu lines damaged, %zu of %zu done, %zu rows", line,
          now.damaged, now.dones, whole->dones, now.rows);
cleanup:
    return rc;
}

static enum err_code check_damages(char *data, size_t size, const struct seen *whole,
                                   struct err *err) {
    enum err_code rc = ERR_OK;
    for (size_t at = 0; at < size;) {
        const char *end = memchr(data + at, '\n', size - at);
        CHECK(end, ERR_DATA, "the journal has no end");
        const size_t length = (size_t)(end - data) - at;
        TRY(check_damage(data + at, length, data, size, whole, err));
        at += length + 1;
    }
cleanup:
    return rc;
}

int main(int argc, char **argv) {
    enum err_code rc = ERR_OK;
    struct err record = {0}, *err = &record;
    struct text data = {0};
    struct seen whole = {0};
    CHECK(argc == 2, ERR_USAGE, "usage: journal_probe FILE");
    TRY(file_read(&data, argv[1], (size_t)16 << 20, err));
    TRY(check_prefixes(&whole, text_str(&data), data.size, err));
    TRY(check_damages(data.data, data.size, &whole, err));
    printf("%zu prefixes and %zu damaged lines; %zu jobs, %zu attempts, %zu done, %zu rows\n",
           data.size + 1, whole.lines, whole.jobs, whole.attempts, whole.dones, whole.rows);
cleanup:
    if (rc != ERR_OK) (void)fprintf(stderr, "journal_probe: %s\n", record.msg);
    text_release(&data);
    return err_exit_code(rc);
}
