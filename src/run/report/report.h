/*
 * report.h - one self-contained HTML page of one run or of several side by side.
 *
 * page.html is the page: its styles, its script, and a place for the data, which is one JSON
 * document made from the tables of the runs.  The script draws tables, curves and maps from it in
 * the browser; the page loads nothing else.
 *
 *     report_run.c      one run: jobs, failures, provenance, config
 *     report_tables.c   its tables
 *     report_curves.c   errors after k examples, losses of pretraining
 *     report_maps.c     numbers by layer and head
 */
#ifndef RUN_REPORT_REPORT_H
#define RUN_REPORT_REPORT_H

#include "run/rundir/run_state.h"
#include "json/json_writer.h"

enum { REPORT_BYTES = 2 << 20 }; /* a page should not be larger */

/* Appends the page of the runs in folders dirs [n]. ERR_CONFIG for a folder without a run, ERR_DATA
 * or ERR_IO for an artifact that cannot be read, ERR_MEMORY. */
enum err_code report_make(struct text *out, const char *const *dirs, size_t n, struct err *err);

/* One run as an object. */
enum err_code report_run_write(struct json_writer *w, const struct run_state *r, struct err *err);

/* Its parts, each an array: tables [{stage, kind, main, omitted, columns, rows}], omitted: rows
 * that the page leaves out; curves [{stage, kind, x, y, keys, at, values, half}], half: of the 95%
 * interval, absent for losses; maps [{stage, job, title, values [layers][heads]}]. */
enum err_code report_tables_write(struct json_writer *w, const struct run_state *r,
                                  struct err *err);
enum err_code report_curves_write(struct json_writer *w, const struct run_state *r,
                                  struct err *err);
enum err_code report_maps_write(struct json_writer *w, const struct run_state *r, struct err *err);

/* The stage's kind has curves, which the page shows in place of the rows. */
bool report_curves_has(const struct plan *p, size_t stage);

/* Four significant digits: what a reader can tell apart in a drawing. */
void report_write_short(struct json_writer *w, double value);

#endif
