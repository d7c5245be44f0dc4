#include "run/report/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/version.h"

#include "run/report/report_page.h" /* generated from page.html */

static const char PLACE[] = "@DATA@";

void report_write_short(struct json_writer *w, double value) {
    char shorter[32];
    (void)snprintf(shorter, sizeof shorter, "%.4g", value);
    json_write_number(w, isfinite(value) ? strtod(shorter, NULL) : value);
}

static enum err_code write_runs(struct json_writer *w, const char *const *dirs, size_t n,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    struct run_state r = {0};
    json_write_key(w, "runs"), json_write_array(w);
    for (size_t i = 0; i < n; i++) {
        TRY(run_state_open(&r, dirs[i], err));
        TRY(report_run_write(w, &r, err));
        run_state_release(&r);
    }
    json_write_close(w);
cleanup:
    run_state_release(&r);
    return rc;
}

static enum err_code write_data(struct text *out, const char *const *dirs, size_t n,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    char now[32];
    struct json_writer w = json_writer_begin(out);
    clock_utc(now);
    json_write_object(&w);
    json_write_key(&w, "made"), json_write_text(&w, now);
    json_write_key(&w, "program"), json_write_text(&w, version_number());
    TRY(write_runs(&w, dirs, n, err));
    json_write_close(&w);
    TRY(json_writer_end(&w, err));
cleanup:
    return rc;
}

/* Inside an HTML element no text of the data may end it: '<' is written as an escape of JSON. */
static void add_escaped(struct text *out, const struct text *json) {
    const char *from = text_str(json), *end = from + json->size;
    while (from < end) {
        const char *mark = memchr(from, '<', (size_t)(end - from));
        const char *to = mark ? mark : end;
        text_bytes(out, from, (size_t)(to - from));
        if (mark) text_add(out, "\\u003c");
        from = mark ? mark + 1 : end;
    }
}

enum err_code report_make(struct text *out, const char *const *dirs, size_t n, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text data = {0};
    const char *page = (const char *)REPORT_PAGE;
    const char *place = strstr(page, PLACE);
    CHECK(place, ERR_BUG, "the page of reports has no place for data");
    TRY(write_data(&data, dirs, n, err));
    text_bytes(out, page, (size_t)(place - page));
    add_escaped(out, &data);
    text_add(out, "%s", place + strlen(PLACE));
    TRY(text_check(out, err));
cleanup:
    text_release(&data);
    return rc;
}
