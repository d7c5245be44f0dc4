#include "run/tables/main_table.h"

#include "sources/source_registry.h"

bool main_table_exists(const struct plan *p, size_t stage) {
    if (plan_stage_is(p, stage, "evaluate")) return true;
    return plan_stage_is(p, stage, "estimate") && !summary_is_joined(p, stage);
}

bool main_table_is_text(const struct plan *p, size_t stage) {
    const struct plan_stage *s = &p->stages[stage];
    return s->n_jobs > 0 && source_is_text(p->jobs[s->jobs[0]].point);
}

static enum err_code print_errors(struct table_output *o, const struct run_state *r, size_t stage,
                                  const struct summary_layout *layout, struct err *err) {
    enum err_code rc = ERR_OK;
    struct summary summary = {0};
    TRY(summary_make(&summary, r, stage, err));
    TRY(summary_print(o, &summary, layout, err));
cleanup:
    summary_release(&summary);
    return rc;
}

static enum err_code print_answers(struct table_output *o, const struct run_state *r, size_t stage,
                                   const struct answer_layout *layout, struct err *err) {
    enum err_code rc = ERR_OK;
    struct answer_lines lines = {0};
    TRY(answer_lines_make(&lines, r, stage, err));
    TRY(answer_table_print(o, &lines, layout, err));
cleanup:
    answer_lines_release(&lines);
    return rc;
}

enum err_code main_table_print(struct table_output *o, const struct run_state *r, size_t stage,
                               const struct summary_layout *errors,
                               const struct answer_layout *answers, struct err *err) {
    if (main_table_is_text(&r->plan, stage)) return print_answers(o, r, stage, answers, err);
    return print_errors(o, r, stage, errors, err);
}
