#include "cli/help_markdown.h"

#include <string.h>

#include "cli/help_keys.h"
#include "stages/stage.h"

/* Text inside a cell of a table: a bar would end the cell. */
static void add_cell(struct text *out, const char *s) {
    text_add(out, " ");
    for (; *s; s++) text_add(out, *s == '|' ? "\\|" : "%c", *s);
    text_add(out, " |");
}

static void add_values(struct text *out, const struct config_key *row) {
    struct text values = {0}, def = {0};
    config_key_values(&values, row);
    config_key_default(&def, row);
    if (values.failed || def.failed) out->failed = true;
    add_cell(out, text_str(&values));
    if (row->def)
        text_add(out, " `%s` |", text_str(&def));
    else
        add_cell(out, text_str(&def));
    add_cell(out, row->flags & CONFIG_AXIS ? "yes" : "no");
    text_release(&values);
    text_release(&def);
}

/* One line of a table; stages: NULL, or a cell of its own. */
static void add_table_row(struct text *out, const struct config_key *row, const char *stages) {
    text_add(out, "| `%s` |", row->name);
    if (stages) add_cell(out, stages);
    add_values(out, row);
    struct text meaning = {0};
    text_add(&meaning, "%s", row->meaning);
    if (row->when) text_add(&meaning, " Exists where `%s`.", row->when);
    if (meaning.failed) out->failed = true;
    add_cell(out, text_str(&meaning));
    text_add(out, "\n");
    text_release(&meaning);
}

static void add_head(struct text *out, bool with_stages) {
    text_add(out, "\n| key |%s values | default | axis | meaning |\n",
             with_stages ? " stages |" : "");
    text_add(out, "|---|%s---|---|---|---|\n", with_stages ? "---|" : "");
}

static void add_stage(struct text *out, const struct stage *stage) {
    text_add(out, "\n### `stage = \"%s\"`\n\n%s", stage->name, stage->meaning);
    if (stage->parents[0]) text_add(out, " Reads (`of`, optional):");
    for (const char *const *p = stage->parents; *p; p++)
        text_add(out, "%s `%s`", p > stage->parents ? "," : "", *p);
    text_add(out, "%s\n", stage->parents[0] ? "." : "");
    add_head(out, false);
    for (size_t i = 0; i < stage->n_keys; i++) add_table_row(out, &stage->keys[i], NULL);
}

/* ---- keys that stages share */

static bool is_own(const struct stage *stage, const struct config_key *row) {
    return row >= stage->keys && row < stage->keys + stage->n_keys;
}

static bool has_row(const struct config_schema *schema, const struct config_key *row) {
    for (size_t i = 0; i < schema->n; i++)
        if (schema->rows[i] == row) return true;
    return false;
}

/* Is this row of stage i a shared one that no stage before has? */
static bool is_first(const struct stage_schemas *s, size_t i, const struct config_key *row) {
    if (is_own(stage_find(s->names[i]), row)) return false;
    for (size_t j = 0; j < i; j++)
        if (has_row(&s->schemas[j], row)) return false;
    return true;
}

static void add_shared_row(struct text *out, const struct stage_schemas *s,
                           const struct config_key *row) {
    struct text stages = {0};
    for (size_t i = 0; i < s->n; i++)
        if (has_row(&s->schemas[i], row))
            text_add(&stages, "%s%s", stages.size ? ", " : "", s->names[i]);
    if (stages.failed) out->failed = true;
    add_table_row(out, row, text_str(&stages));
    text_release(&stages);
}

/* registered: the keys of one method, problem, shift or estimator; else the others. */
static void add_shared(struct text *out, const struct stage_schemas *s, bool registered) {
    add_head(out, true);
    for (size_t i = 0; i < s->n; i++)
        for (size_t j = 0; j < s->schemas[i].n; j++) {
            const struct config_key *row = s->schemas[i].rows[j];
            if (is_first(s, i, row) && help_key_is_registered(row) == registered)
                add_shared_row(out, s, row);
        }
}

void help_markdown(struct text *out, const struct stage_schemas *s) {
    text_add(out, "## Keys by stage\n");
    for (size_t i = 0; i < s->n; i++) add_stage(out, stage_find(s->names[i]));
    text_add(out, "\n### Keys that stages share\n");
    add_shared(out, s, false);
    text_add(out, "\n### Keys of one method, problem, shift or estimator\n");
    add_shared(out, s, true);
}
