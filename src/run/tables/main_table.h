/*
 * main_table.h - which stages have a main table, and that table in any form.
 */
#ifndef RUN_TABLES_MAIN_TABLE_H
#define RUN_TABLES_MAIN_TABLE_H

#include "run/tables/answer_table.h"
#include "run/tables/summary.h"

/* Evaluations, and estimators on a source that no evaluation has. */
bool main_table_exists(const struct plan *p, size_t stage);

bool main_table_is_text(const struct plan *p, size_t stage); /* of answers, not of functions */

/* Prints the table of a stage that has one; `errors` or `answers` lays it out, as the stage is of
 * functions or of text. ERR_DATA or ERR_IO for an artifact that cannot be read. */
enum err_code main_table_print(struct table_output *o, const struct run_state *r, size_t stage,
                               const struct summary_layout *errors,
                               const struct answer_layout *answers, struct err *err);

#endif
