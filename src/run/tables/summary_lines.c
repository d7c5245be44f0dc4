#include "run/tables/summary_lines.h"

#include <string.h>

#include "run/tables/cell_text.h"

/* ---- numbers */

void summary_interval_cells(struct text_table *t, const struct interval *i,
                            const struct summary_columns *c) {
    const double values[] = {i->value, i->low, i->high};
    char cell[CELL_TEXT];
    for (size_t k = 0; k < 3 && c->split; k++) {
        if (c->programs)
            cell_text_exact(cell, values[k]);
        else
            cell_text_short(cell, values[k]);
        text_table_cell(t, "%s", cell);
    }
    if (c->split) return;
    cell_text_interval(cell, i);
    text_table_cell(t, "%s", cell);
}

void summary_empty_cells(struct text_table *t, const struct summary_columns *c) {
    for (int i = 0; i < (c->split ? 3 : 1); i++) text_table_cell(t, "%s", c->programs ? "" : "-");
}

/* ---- keys */

/* The keys of an estimator are shown where they tell lines apart; variants of a method always. */
static bool shows_variant(const struct summary *s, const struct summary_group *g,
                          const struct summary_columns *c) {
    if (strcmp(text_str(&g->keys[KEY_READING]), "-") == 0) return false;
    if (c->wide || g->kind != SUMMARY_ESTIMATOR) return true;
    for (size_t i = 0; i < s->n; i++) {
        const struct text *keys = s->groups[i].keys;
        if (strcmp(text_str(&keys[KEY_METHOD]), text_str(&g->keys[KEY_METHOD])) == 0 &&
            strcmp(text_str(&keys[KEY_READING]), text_str(&g->keys[KEY_READING])) != 0)
            return true;
    }
    return false;
}

void summary_key_cells(struct text_table *t, const struct summary *s, const struct summary_group *g,
                       const struct summary_columns *c) {
    for (size_t i = 0; i < s->n_keys; i++) {
        if (!c->key[i]) continue;
        if (i == KEY_METHOD && !c->programs && shows_variant(s, g, c))
            text_table_cell(t, "%s %s", text_str(&g->keys[i]), text_str(&g->keys[KEY_READING]));
        else if (c->programs && strcmp(text_str(&g->keys[i]), "-") == 0)
            text_table_copy_cell(t, "");
        else
            text_table_copy_cell(t, text_str(&g->keys[i]));
    }
}

void summary_section_title(struct text *out, const struct summary *s, const struct summary_group *g,
                           bool with_model) {
    text_clear(out);
    for (size_t i = 0; i < s->n_keys; i++) {
        if (s->of_model[i] && !with_model) continue;
        if (!s->of_section[i] || !s->varies[i] || strcmp(text_str(&g->keys[i]), "-") == 0) continue;
        text_add(out, "%s%s = %s", out->size ? ", " : "", text_str(&s->heads[i]),
                 text_str(&g->keys[i]));
    }
}
