#include "bench/bench_report.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/version.h"
#include "bench/bench_weights.h"
#include "ops/blas.h"
#include "json/json_writer.h"

static const char *pinned_core(void) {
    const char *pinned = getenv("OPENBLAS_CORETYPE");
    return pinned ? pinned : "";
}

/* ---- text */

static void print_model(struct text *out, const struct bench_size *z) {
    const struct model_dims *d = &z->dims;
    text_add(out, "%zu", d->L);
    if (z->whole_layers) text_add(out, " of %zu", z->whole_layers);
    text_add(out, " layers, %zu heads, width %zu, ", d->H, d->E);
    if (d->vocabulary == 0)
        text_add(out, "%zu coordinates of x", d->inputs);
    else
        text_add(out, "%zu tokens in the vocabulary, %s", d->vocabulary,
                 z->folder ? "weights as stored" : bench_weights_type(z->type));
}

/* What computes the products, and whose rate is the limit. */
static const char *products_of(const struct bench_size *z) {
    if (z->products.arithmetic != ARITHMETIC_F32) return arithmetic_name(z->products.arithmetic);
    return z->products.onednn ? "sgemm of oneDNN" : "sgemm";
}

static void print_head(struct text *out, const struct measured *m) {
    text_add(out, "%s, size %s: ", m->bench->name, m->size->name);
    print_model(out, m->size);
    text_add(out, "; %zu rank%s, medians of %zu repeats%s\n", m->ranks, m->ranks > 1 ? "s" : "",
             m->repeats, m->processor_time ? ", processor time" : "");
    text_add(out, "limit per rank: %.1f Gflop/s (%s %s, core %s%s%s), %.1f GB/s\n\n", m->gflops,
             products_of(m->size), m->shape, blas_core(), *pinned_core() ? ", pinned to " : "",
             pinned_core(), m->bandwidth / 1e9);
}

static void print_line(struct text *out, const struct measured_line *l) {
    char spread[48] = "-";
    if (l->line.n_parts == 0) (void)snprintf(spread, sizeof spread, "%.4g-%.4g", l->low, l->high);
    text_add(out, "%-12s %10.4g %-10s %17s %10.4g %6.0f%% %10.1f %10.4g %10.4g\n", l->line.name,
             l->rate, l->line.unit, spread, l->limit, 100 * l->rate / l->limit, l->gflops,
             l->line.flops / 1e6, l->line.bytes / 1e6);
}

void bench_report_text(struct text *out, const struct measured *m) {
    double planned = 0;
    print_head(out, m);
    text_add(out, "%-12s %10s %-10s %17s %10s %7s %10s %10s %10s\n", "work", "rate", "per second",
             "low-high", "limit", "share", "Gflop/s", "Mflop", "MB");
    for (size_t i = 0; i < m->n_lines; i++) {
        print_line(out, &m->lines[i]);
        planned += m->lines[i].line.memory;
    }
    for (size_t i = 0; i < m->n_lines; i++)
        if (m->lines[i].line.compared_with)
            text_add(out, "\n%s: the time of %.2f %s\n", m->lines[i].line.name, m->lines[i].ratio,
                     m->lines[i].line.compared_with);
    text_add(out, "\nmemory of the rank that took most: %.0f MiB", m->memory / 0x1p20);
    if (planned > 0) text_add(out, " (predicted by plan: %.0f MiB)", planned / 0x1p20);
    text_add(out,
             "\nGflop/s: useful arithmetic per rank; Mflop and MB: of one unit; limit: the time of "
             "both together.\n");
}

/* ---- JSON */

static void write_dims(struct json_writer *w, const struct bench_size *z) {
    const struct model_dims *d = &z->dims;
    json_write_key(w, "dims"), json_write_object(w);
    json_write_key(w, "layers"), json_write_int(w, (int64_t)d->L);
    json_write_key(w, "heads"), json_write_int(w, (int64_t)d->H);
    json_write_key(w, "width"), json_write_int(w, (int64_t)d->E);
    json_write_key(w, "inputs"), json_write_int(w, (int64_t)d->inputs);
    json_write_key(w, "positions"), json_write_int(w, (int64_t)d->positions);
    if (d->vocabulary > 0) {
        json_write_key(w, "vocabulary"), json_write_int(w, (int64_t)d->vocabulary);
        json_write_key(w, "tokens"), json_write_int(w, (int64_t)z->tokens);
        json_write_key(w, "dtype");
        json_write_text(w, z->folder ? "as stored" : bench_weights_type(z->type));
    }
    json_write_close(w);
}

static void write_limit(struct json_writer *w, const struct measured *m) {
    json_write_key(w, "limit"), json_write_object(w);
    json_write_key(w, "gflops"), json_write_number(w, m->gflops);
    json_write_key(w, "shape"), json_write_text(w, m->shape);
    json_write_key(w, "bandwidth"), json_write_number(w, m->bandwidth / 1e9);
    json_write_close(w);
}

static void write_line(struct json_writer *w, const struct measured_line *l, size_t repeats) {
    json_write_object(w);
    json_write_key(w, "name"), json_write_text(w, l->line.name);
    json_write_key(w, "unit"), json_write_text(w, l->line.unit);
    json_write_key(w, "rate"), json_write_number(w, l->rate);
    json_write_key(w, "limit"), json_write_number(w, l->limit);
    json_write_key(w, "fraction"), json_write_number(w, l->rate / l->limit);
    json_write_key(w, "gflops"), json_write_number(w, l->gflops);
    json_write_key(w, "flops"), json_write_number(w, l->line.flops);
    json_write_key(w, "bytes"), json_write_number(w, l->line.bytes);
    if (l->line.memory > 0)
        json_write_key(w, "memory_planned"), json_write_number(w, l->line.memory);
    if (l->line.compared_with) {
        json_write_key(w, "beside"), json_write_text(w, l->line.compared_with);
        json_write_key(w, "ratio"), json_write_number(w, l->ratio);
    }
    json_write_key(w, "repeats"), json_write_array(w);
    for (size_t r = 0; r < repeats && l->line.n_parts == 0; r++)
        json_write_number(w, l->repeats[r]);
    json_write_close(w);
    json_write_close(w);
}

enum err_code bench_report_json(struct text *out, const struct measured *m, struct err *err) {
    enum err_code rc = ERR_OK;
    struct json_writer w = json_writer_begin(out);
    json_write_object(&w);
    json_write_key(&w, "bench"), json_write_text(&w, m->bench->name);
    json_write_key(&w, "size"), json_write_text(&w, m->size->name);
    json_write_key(&w, "ranks"), json_write_int(&w, (int64_t)m->ranks);
    json_write_key(&w, "repeats"), json_write_int(&w, (int64_t)m->repeats);
    json_write_key(&w, "clock"), json_write_text(&w, m->processor_time ? "processor" : "elapsed");
    json_write_key(&w, "products"), json_write_text(&w, products_of(m->size));
    json_write_key(&w, "core"), json_write_text(&w, blas_core());
    json_write_key(&w, "core_pinned"), json_write_text(&w, pinned_core());
    json_write_key(&w, "revision"), json_write_text(&w, version_revision());
    json_write_key(&w, "memory"), json_write_number(&w, m->memory);
    write_dims(&w, m->size);
    write_limit(&w, m);
    json_write_key(&w, "lines"), json_write_array(&w);
    for (size_t i = 0; i < m->n_lines; i++) write_line(&w, &m->lines[i], m->repeats);
    json_write_close(&w);
    json_write_close(&w);
    TRY(json_writer_end(&w, err));
    text_add(out, "\n");
cleanup:
    return rc;
}
