/* schema.c - rows become a schema; a row as text for help. */
#include <stdlib.h>
#include <string.h>

#include "config/stage_entry.h"
#include "config/syntax/tree.h"

/* ERR_BUG for a mistake in a row: every row is checked whenever a schema is built, so tests find
 * it. */
static enum err_code check_row(const struct config_key *row, struct err *err) {
    enum err_code rc = ERR_OK;
    struct pool pool = {0};
    struct node *node = NULL;
    struct value *values = NULL;
    size_t n = 0;
    const struct value_reader r = {&pool, "default", NULL, err};
    CHECK(row->name && *row->name && !stage_entry_is_reserved(row->name), ERR_BUG,
          "a configuration row without a name, or with a reserved one");
    CHECK((row->type == CONFIG_NAME) == (row->choices != NULL), ERR_BUG,
          "row %s: choices and CONFIG_NAME belong together", row->name);
    CHECK(!(row->flags & CONFIG_PATH) || row->type == CONFIG_TEXT, ERR_BUG,
          "row %s: only a CONFIG_TEXT is a path", row->name);
    if (row->def) {
        TRY(tree_literal(&node, &pool, row->def, (struct place){"schema", 0}, err));
        TRY(stage_entry_read(&values, &n, row, node, &r));
    }
    CHECK(!(row->flags & CONFIG_SINCE) || n == 1, ERR_BUG,
          "row %s: a key that came later needs one value as its default", row->name);
cleanup:
    pool_release(&pool);
    return rc == ERR_CONFIG ? ERR(err, ERR_BUG, "row %s: its default \"%s\" is no value of it",
                                  row->name, row->def)
                            : rc;
}

static enum err_code reserve_rows(struct config_schema *s, size_t n, struct err *err) {
    if (s->n + n <= s->capacity) return ERR_OK;
    const size_t capacity = 2 * s->capacity + n;
    const struct config_key **rows = realloc(s->rows, capacity * sizeof *rows);
    if (!rows) return ERR(err, ERR_MEMORY, "no memory for %zu configuration rows", capacity);
    s->rows = rows;
    s->capacity = capacity;
    return ERR_OK;
}

enum err_code config_schema_add(struct config_schema *s, const struct config_key *rows, size_t n,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(reserve_rows(s, n, err));
    for (size_t i = 0; i < n; i++) {
        TRY(check_row(&rows[i], err));
        for (size_t j = 0; j < s->n; j++)
            CHECK(strcmp(s->rows[j]->name, rows[i].name) != 0, ERR_BUG,
                  "row %s: two parts of one schema have it", rows[i].name);
        s->rows[s->n++] = &rows[i];
    }
cleanup:
    return rc;
}

void config_schema_release(struct config_schema *s) {
    free(s->rows);
    *s = (struct config_schema){0};
}

static void add_choices(struct text *out, const struct config_key *row) {
    text_add(out, "one of ");
    for (size_t i = 0; row->choices[i]; i++)
        text_add(out, "%s%s", i > 0 ? ", " : "", row->choices[i]);
}

void config_key_values(struct text *out, const struct config_key *row) {
    static const char *const kinds[] = {[CONFIG_BOOL] = "true or false",
                                        [CONFIG_INT] = "integer",
                                        [CONFIG_FLOAT] = "number",
                                        [CONFIG_TEXT] = "string"};
    if (row->flags & CONFIG_LIST) text_add(out, "list, each ");
    if (row->type == CONFIG_NAME)
        add_choices(out, row);
    else
        text_add(out, "%s", row->flags & CONFIG_PATH ? "path" : kinds[row->type]);
    if (value_is_bounded(row)) {
        text_add(out, ", ");
        value_bounds(out, row);
    }
    if (row->unit && *row->unit) text_add(out, " [%s]", row->unit);
}

void config_key_default(struct text *out, const struct config_key *row) {
    if (row->def)
        text_add(out, "%s", *row->def ? row->def : "\"\"");
    else
        text_add(out, row->flags & CONFIG_OPTIONAL ? "optional" : "required");
}

void config_key_facts(struct text *out, const struct config_key *row) {
    config_key_values(out, row);
    text_add(out, row->def ? "; default " : "; ");
    config_key_default(out, row);
    text_add(out, row->flags & CONFIG_AXIS ? "; axis: several values give one job each"
                                           : "; not an axis");
    if (row->when) text_add(out, "; exists where %s", row->when);
}
