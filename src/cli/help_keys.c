#include "cli/help_keys.h"

#include <stdio.h>
#include <string.h>

#include "cli/help_text.h"
#include "methods/method.h"
#include "stages/stage.h"

static bool starts_with(const char *s, const char *prefix) {
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* "fv.sites=layers": a condition on a method's own key. */
static bool is_of_method(const char *when) {
    char name[64];
    const size_t n = strcspn(when, ".=");
    (void)snprintf(name, sizeof name, "%.*s", n < sizeof name ? (int)n : 0, when);
    return when[n] == '.' && method_find(name);
}

bool help_key_is_registered(const struct config_key *row) {
    static const char *const registries[] = {"method=", "source.problem=", "shift=", "estimator="};
    for (size_t i = 0; row->when && i < sizeof registries / sizeof *registries; i++)
        if (starts_with(row->when, registries[i])) return true;
    return row->when && is_of_method(row->when);
}

static void add_key_row(struct text *out, const struct config_key *row) {
    char left[96];
    if (row->def)
        (void)snprintf(left, sizeof left, "%s = %s", row->name, *row->def ? row->def : "\"\"");
    else
        (void)snprintf(left, sizeof left, "%s (%s)", row->name,
                       row->flags & CONFIG_OPTIONAL ? "optional" : "required");
    help_row(out, left, row->meaning);
}

void help_key_rows(struct text *out, const struct config_key *keys, size_t n) {
    for (size_t i = 0; i < n; i++) add_key_row(out, &keys[i]);
}

/* ---- a stage */

/* The names of keys that share one condition, in one paragraph. */
static void add_conditional(struct text *out, const struct config_schema *schema, size_t first) {
    struct text line = {0};
    const char *when = schema->rows[first]->when;
    text_add(&line, "with %s:", when);
    for (size_t i = first; i < schema->n; i++)
        if (schema->rows[i]->when && strcmp(schema->rows[i]->when, when) == 0)
            text_add(&line, " %s", schema->rows[i]->name);
    if (line.failed) out->failed = true;
    help_paragraph(out, "", text_str(&line));
    text_release(&line);
}

static bool is_first_with_condition(const struct config_schema *schema, size_t i) {
    for (size_t j = 0; j < i; j++)
        if (schema->rows[j]->when && strcmp(schema->rows[j]->when, schema->rows[i]->when) == 0)
            return false;
    return true;
}

static void add_parents(struct text *out, const struct stage *stage) {
    if (!stage->parents[0]) return;
    text_add(out, "  `of` names the stages it reads (optional):");
    for (const char *const *p = stage->parents; *p; p++) text_add(out, " %s", *p);
    text_add(out, "\n");
}

static void add_stage(struct text *out, const struct stage *stage,
                      const struct config_schema *schema) {
    text_add(out, "stage %s\n", stage->name);
    help_paragraph(out, "", stage->meaning);
    add_parents(out, stage);
    text_add(out, "\nkeys and defaults (taskvec help KEY: type, bounds, axis or not)\n");
    for (size_t i = 0; i < schema->n; i++)
        if (!schema->rows[i]->when) add_key_row(out, schema->rows[i]);
    for (size_t i = 0; i < schema->n; i++) {
        const struct config_key *row = schema->rows[i];
        if (row->when && !help_key_is_registered(row) && is_first_with_condition(schema, i))
            add_conditional(out, schema, i);
    }
    text_add(out,
             "A method, problem, shift or estimator may add keys of its own: taskvec help NAME\n");
}

bool help_stage(struct text *out, const struct stage_schemas *s, const char *word) {
    for (size_t i = 0; i < s->n; i++) {
        if (strcmp(s->names[i], word) != 0) continue;
        add_stage(out, stage_find(word), &s->schemas[i]);
        return true;
    }
    return false;
}

/* ---- keys */

/* Which rows a page is about: a name, a last part, or a name in one stage only. */
struct wanted {
    const char *stage; /* NULL: every stage */
    const char *name;
    bool ending;
};

static bool is_wanted(const struct wanted *w, const struct config_key *row) {
    const size_t size = strlen(row->name), n = strlen(w->name);
    if (!w->ending) return strcmp(row->name, w->name) == 0;
    return size > n && row->name[size - n - 1] == '.' && strcmp(row->name + size - n, w->name) == 0;
}

static void describe_key(struct text *out, const struct config_key *row) {
    struct text facts = {0};
    config_key_facts(&facts, row);
    if (facts.failed) out->failed = true;
    help_paragraph(out, "", row->meaning);
    help_paragraph(out, "", text_str(&facts));
    text_release(&facts);
}

/* Two rows that read alike are one entry of a page. */
static bool are_alike(const struct config_key *a, const struct config_key *b) {
    if (strcmp(a->name, b->name) != 0) return false;
    struct text x = {0}, y = {0};
    describe_key(&x, a);
    describe_key(&y, b);
    const bool same = strcmp(text_str(&x), text_str(&y)) == 0;
    text_release(&x);
    text_release(&y);
    return same;
}

/* Rows of a page in the order of the stages: row i is in stages[i]. */
enum { PAGE_ROWS = 64 };
struct page {
    const struct config_key *rows[PAGE_ROWS];
    const char *stages[PAGE_ROWS];
    size_t n;
};

static void collect(struct page *p, const struct stage_schemas *s, const struct wanted *w) {
    for (size_t i = 0; i < s->n; i++) {
        if (w->stage && strcmp(w->stage, s->names[i]) != 0) continue;
        for (size_t j = 0; j < s->schemas[i].n && p->n < PAGE_ROWS; j++) {
            if (!is_wanted(w, s->schemas[i].rows[j])) continue;
            p->rows[p->n] = s->schemas[i].rows[j];
            p->stages[p->n++] = s->names[i];
        }
    }
}

static bool is_first_of_its_kind(const struct page *p, size_t i) {
    for (size_t j = 0; j < i; j++)
        if (are_alike(p->rows[j], p->rows[i])) return false;
    return true;
}

/* "points (stages fit, capture)" of row i and those that read alike. */
static void add_title(struct text *out, const struct page *p, size_t i) {
    struct text line = {0};
    size_t n = 0;
    for (size_t j = i; j < p->n; j++) n += are_alike(p->rows[i], p->rows[j]);
    text_add(&line, "%s (stage%s ", p->rows[i]->name, n > 1 ? "s" : "");
    for (size_t j = i; j < p->n; j++)
        if (are_alike(p->rows[i], p->rows[j]))
            text_add(&line, "%s%s", j > i ? ", " : "", p->stages[j]);
    text_add(&line, ")");
    text_add(out, "%s", i > 0 ? "\n" : "");
    help_line(out, text_str(&line));
    if (line.failed) out->failed = true;
    text_release(&line);
}

static bool add_page(struct text *out, const struct stage_schemas *s, const struct wanted *w) {
    struct page p = {.n = 0};
    collect(&p, s, w);
    for (size_t i = 0; i < p.n; i++) {
        if (!is_first_of_its_kind(&p, i)) continue;
        add_title(out, &p, i);
        describe_key(out, p.rows[i]);
    }
    return p.n > 0;
}

size_t help_key_stage(const struct stage_schemas *s, const char *word) {
    for (size_t i = 0; i < s->n; i++)
        if (starts_with(word, s->names[i]) && word[strlen(s->names[i])] == '.') return i;
    return s->n;
}

bool help_key(struct text *out, const struct stage_schemas *s, const char *word) {
    if (add_page(out, s, &(struct wanted){.name = word})) return true;
    const size_t i = help_key_stage(s, word);
    if (i == s->n) return false;
    const char *name = word + strlen(s->names[i]) + 1;
    return add_page(out, s, &(struct wanted){.stage = s->names[i], .name = name});
}

bool help_key_ending(struct text *out, const struct stage_schemas *s, const char *word) {
    return add_page(out, s, &(struct wanted){.name = word, .ending = true});
}

static bool has_row(const struct config_schema *schema, const char *name) {
    for (size_t i = 0; i < schema->n; i++)
        if (strcmp(schema->rows[i]->name, name) == 0) return true;
    return false;
}

/* Has a stage before stage i a key of this name? */
static bool is_repeated(const struct stage_schemas *s, size_t i, const char *name) {
    for (size_t j = 0; j < i; j++)
        if (has_row(&s->schemas[j], name)) return true;
    return false;
}

bool help_key_group(struct text *out, const struct stage_schemas *s, const char *word) {
    bool found = false;
    const size_t n = strlen(word);
    for (size_t i = 0; i < s->n; i++)
        for (size_t j = 0; j < s->schemas[i].n; j++) {
            const struct config_key *row = s->schemas[i].rows[j];
            if (!starts_with(row->name, word) || row->name[n] != '.') continue;
            if (is_repeated(s, i, row->name)) continue;
            if (!found) text_add(out, "group %s: keys and defaults\n", word);
            found = true;
            add_key_row(out, row);
        }
    return found;
}

/* ---- keys that belong to no schema */

static const struct {
    const char *name, *meaning;
} SYNTAX[] = {
    {"name", "Name of the run at the top level, or of a stage; by default a stage has the name of "
             "its kind."},
    {"seed", "Seed of every random draw of the run, at the top level of a config."},
    {"base", "Config that this one extends; where both set a key, this file's value is used."},
    {"stages", "List of the stages of a config: stages = ( { stage = \"fit\"; ... }, ... );"},
    {"stage", "Kind of a stage: pretrain, fit, evaluate, ...; taskvec help lists them."},
    {"of", "Name of a stage, or an array of names, whose jobs this stage reads."},
    {"zip",
     "Axes that advance together instead of multiplying: zip = ( [\"points\", \"prompts\"] );"},
    {"list",
     "Explicit combinations, multiplied by the other axes: list = ( { points = 16; }, ... );"},
    {"exclude", "Combinations to leave out: exclude = ( { method = \"ltv\"; points = 41; } );"},
};

bool help_syntax(struct text *out, const char *word) {
    for (size_t i = 0; i < sizeof SYNTAX / sizeof *SYNTAX; i++) {
        if (strcmp(SYNTAX[i].name, word) != 0) continue;
        text_add(out, "%s (a key of every config, see docs/config.md)\n", word);
        help_paragraph(out, "", SYNTAX[i].meaning);
        return true;
    }
    return false;
}
