#include "run/verify/verify_report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json/json_writer.h"

void verify_report_release(struct verify_report *r) {
    free(r->lines);
    *r = (struct verify_report){0};
}

static enum err_code add_line(struct verify_line **out, struct verify_report *r, const char *part,
                              const char *name, struct err *err) {
    if (r->n == r->capacity) {
        const size_t capacity = r->capacity ? 2 * r->capacity : 64;
        struct verify_line *lines = realloc(r->lines, capacity * sizeof *lines);
        if (!lines) return ERR(err, ERR_MEMORY, "no memory for %zu lines of a report", capacity);
        r->lines = lines;
        r->capacity = capacity;
    }
    *out = &r->lines[r->n++];
    **out = (struct verify_line){.part = part, .error = (double)NAN, .tolerance = (double)NAN};
    (void)snprintf((*out)->name, sizeof(*out)->name, "%s", name);
    return ERR_OK;
}

double verify_max_error(const float *got, const float *want, size_t n) {
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        const double error = fabs((double)got[i] - (double)want[i]);
        if (!(error <= most)) most = isnan(error) ? (double)INFINITY : error;
    }
    return most;
}

double verify_bound(const struct verify_report *r, enum tolerance tolerance) {
    return tolerance_bound(tolerance, 1) * tolerance_factor(r->arithmetic);
}

enum err_code verify_error(struct verify_report *r, const char *part, const char *name,
                           double error, double tolerance, struct err *err) {
    struct verify_line *line = NULL;
    const enum err_code rc = add_line(&line, r, part, name, err);
    if (rc != ERR_OK) return rc;
    line->error = error;
    line->tolerance = tolerance * tolerance_factor(r->arithmetic);
    line->status = error <= line->tolerance ? VERIFY_OK : VERIFY_DIFFERS;
    return ERR_OK;
}

enum err_code verify_count(struct verify_report *r, const char *part, const char *name,
                           size_t different, const char *remark, struct err *err) {
    const enum err_code rc = verify_error(r, part, name, (double)different, 0, err);
    if (rc != ERR_OK) return rc;
    struct verify_line *line = &r->lines[r->n - 1];
    (void)snprintf(line->reason, sizeof line->reason, "%s", remark);
    return ERR_OK;
}

enum err_code verify_floats(struct verify_report *r, const char *part, const char *name,
                            const float *got, const float *want, size_t n, enum tolerance tolerance,
                            struct err *err) {
    return verify_error(r, part, name, verify_max_error(got, want, n),
                        tolerance_of(tolerance, want, n), err);
}

static enum err_code add_remark(struct verify_report *r, const char *part, const char *name,
                                enum verify_status status, const char *reason, struct err *err) {
    struct verify_line *line = NULL;
    const enum err_code rc = add_line(&line, r, part, name, err);
    if (rc != ERR_OK) return rc;
    line->status = status;
    (void)snprintf(line->reason, sizeof line->reason, "%s", reason);
    return ERR_OK;
}

enum err_code verify_skip(struct verify_report *r, const char *part, const char *name,
                          const char *reason, struct err *err) {
    return add_remark(r, part, name, VERIFY_SKIPPED, reason, err);
}

static enum err_code require_part(struct verify_report *r, const char *part, struct err *err) {
    size_t compared = 0, skipped = 0;
    for (size_t i = 0; i < r->n; i++) {
        if (strcmp(r->lines[i].part, part) != 0) continue;
        if (r->lines[i].status == VERIFY_SKIPPED)
            skipped++;
        else
            compared++;
    }
    if (compared > 0 && skipped == 0) return ERR_OK;
    return add_remark(r, part, "(required)", VERIFY_DIFFERS,
                      skipped ? "required, but not everything of it could be compared"
                              : "required, but nothing of it is in the file",
                      err);
}

static const char *find_part(const char *word, size_t length, const char *const *known) {
    for (; *known; known++)
        if (strlen(*known) == length && memcmp(word, *known, length) == 0) return *known;
    return NULL;
}

enum err_code verify_require(struct verify_report *r, const char *require, const char *const *known,
                             struct err *err) {
    if (require && !*require)
        return ERR(err, ERR_USAGE, "--require: no name given; as in --require core,grad");
    for (const char *at = require; at && *at;) {
        const size_t length = strcspn(at, ",");
        const char *part = find_part(at, length, known);
        if (!part) {
            struct text names = {0};
            for (size_t i = 0; known[i]; i++) text_add(&names, "%s%s", i ? ", " : "", known[i]);
            (void)ERR(err, ERR_USAGE, "--require: unknown name '%.*s'; names are %s", (int)length,
                      at, text_str(&names));
            text_release(&names);
            return ERR_USAGE;
        }
        const enum err_code rc = require_part(r, part, err);
        if (rc != ERR_OK) return rc;
        at += length + (at[length] == ',');
    }
    return ERR_OK;
}

static const char *const STATUS[] = {"ok", "DIFFERS", "skipped"};

void verify_print(struct text *out, const struct verify_report *r) {
    for (size_t i = 0; i < r->n; i++) {
        const struct verify_line *line = &r->lines[i];
        text_add(out, "%-8s %-9s %-44s", STATUS[line->status], line->part, line->name);
        if (!isnan(line->tolerance))
            text_add(out, " max error %-9.3g tolerance %-9.3g", line->error, line->tolerance);
        if (line->reason[0]) text_add(out, " %s", line->reason);
        text_add(out, "\n");
    }
}

enum err_code verify_print_json(struct text *out, const struct verify_report *r, const char *path,
                                struct err *err) {
    struct json_writer w = json_writer_begin(out);
    json_write_object(&w);
    json_write_key(&w, "file"), json_write_text(&w, path);
    json_write_key(&w, "lines"), json_write_array(&w);
    for (size_t i = 0; i < r->n; i++) {
        const struct verify_line *line = &r->lines[i];
        json_write_object(&w);
        json_write_key(&w, "part"), json_write_text(&w, line->part);
        json_write_key(&w, "name"), json_write_text(&w, line->name);
        json_write_key(&w, "status"), json_write_text(&w, STATUS[line->status]);
        json_write_key(&w, "max_error"), json_write_number(&w, line->error);
        json_write_key(&w, "tolerance"), json_write_number(&w, line->tolerance);
        json_write_key(&w, "reason"), json_write_text(&w, line->reason);
        json_write_close(&w);
    }
    json_write_close(&w);
    json_write_close(&w);
    return json_writer_end(&w, err);
}

enum err_code verify_outcome(const struct verify_report *r, const char *path, struct err *err) {
    size_t compared = 0, differs = 0;
    for (size_t i = 0; i < r->n; i++) {
        compared += r->lines[i].status != VERIFY_SKIPPED;
        differs += r->lines[i].status == VERIFY_DIFFERS;
    }
    if (differs) return ERR(err, ERR_DIFFERS, "%s: %zu of %zu differ", path, differs, compared);
    if (!compared)
        return ERR(err, ERR_DATA,
                   "%s: nothing in it could be compared; verify reads reference files of "
                   "regression models and of problems, and run folders",
                   path);
    return ERR_OK;
}
