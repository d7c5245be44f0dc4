#include "bench/rates_table.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/version.h"
#include "ops/blas.h"
#include "json/json_writer.h"

struct rates_table_line *rates_table_line(struct rates_table *t, const char *name, const char *unit,
                                          size_t ranks) {
    for (size_t i = 0; i < t->n_lines; i++)
        if (strcmp(t->lines[i].name, name) == 0 && t->lines[i].ranks == ranks) return &t->lines[i];
    assert(t->n_lines < RATES_LINES);
    struct rates_table_line *line = &t->lines[t->n_lines++];
    *line = (struct rates_table_line){.unit = unit, .ranks = ranks};
    (void)snprintf(line->name, sizeof line->name, "%s", name);
    return line;
}

void rates_table_add(struct rates_table_line *line, double rate) {
    assert(line->n < RATES_REPEATS);
    line->rates[line->n++] = rate;
}

double rates_table_median(const struct rates_table_line *line) {
    return median(line->rates, line->n);
}

static void print_line(struct text *out, const struct rates_table_line *l) {
    char spread[48];
    double low = HUGE_VAL, high = 0;
    for (size_t i = 0; i < l->n; i++) low = fmin(low, l->rates[i]), high = fmax(high, l->rates[i]);
    (void)snprintf(spread, sizeof spread, "%.4g-%.4g", low, high);
    text_add(out, "%-20s %5zu %10.4g %-8s %17s", l->name, l->ranks, rates_table_median(l), l->unit,
             spread);
    if (l->limit > 0)
        text_add(out, " %10.4g %6.1f%%", l->limit, 100 * rates_table_median(l) / l->limit);
    text_add(out, "\n");
}

void rates_table_text(struct text *out, const struct rates_table *t) {
    text_add(out, "%s, size %s, core %s; medians of %zu repeats; limit: %s\n\n", t->bench, t->size,
             blas_core(), t->n_lines ? t->lines[0].n : 0, t->limit);
    text_add(out, "%-20s %5s %10s %-8s %17s %10s %7s\n", "work", "ranks", "rate", "per sec.",
             "low-high", "limit", "share");
    for (size_t i = 0; i < t->n_lines; i++)
        if (t->lines[i].n > 0) print_line(out, &t->lines[i]);
}

static void write_line(struct json_writer *w, const struct rates_table_line *l) {
    json_write_object(w);
    json_write_key(w, "name"), json_write_text(w, l->name);
    json_write_key(w, "unit"), json_write_text(w, l->unit);
    json_write_key(w, "ranks"), json_write_int(w, (int64_t)l->ranks);
    json_write_key(w, "rate"), json_write_number(w, rates_table_median(l));
    if (l->limit > 0) {
        json_write_key(w, "limit"), json_write_number(w, l->limit);
        json_write_key(w, "fraction"), json_write_number(w, rates_table_median(l) / l->limit);
    }
    json_write_key(w, "repeats"), json_write_array(w);
    for (size_t i = 0; i < l->n; i++) json_write_number(w, l->rates[i]);
    json_write_close(w);
    json_write_close(w);
}

enum err_code rates_table_json(struct text *out, const struct rates_table *t, struct err *err) {
    enum err_code rc = ERR_OK;
    struct json_writer w = json_writer_begin(out);
    json_write_object(&w);
    json_write_key(&w, "bench"), json_write_text(&w, t->bench);
    json_write_key(&w, "size"), json_write_text(&w, t->size);
    json_write_key(&w, "core"), json_write_text(&w, blas_core());
    json_write_key(&w, "revision"), json_write_text(&w, version_revision());
    json_write_key(&w, "limit"), json_write_text(&w, t->limit);
    json_write_key(&w, "lines"), json_write_array(&w);
    for (size_t i = 0; i < t->n_lines; i++)
        if (t->lines[i].n > 0) write_line(&w, &t->lines[i]);
    json_write_close(&w);
    json_write_close(&w);
    TRY(json_writer_end(&w, err));
    text_add(out, "\n");
cleanup:
    return rc;
}
