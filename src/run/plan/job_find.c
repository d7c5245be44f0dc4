#include "run/plan/job_find.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_DIGITS = 9, LISTED = 4 }; /* at most */

static size_t find_label(const struct plan *p, const char *word) {
    for (size_t j = 0; j < p->n_jobs; j++)
        if (strcmp(p->jobs[j].label, word) == 0) return j;
    return PLAN_NONE;
}

/* "17": a line of the plan. Not "0017", which can only begin an identity. */
static size_t find_line(const struct plan *p, const char *word) {
    const size_t digits = strspn(word, "0123456789");
    if (digits == 0 || word[digits] || digits > LINE_DIGITS) return PLAN_NONE;
    if (digits > 1 && word[0] == '0') return PLAN_NONE;
    const size_t line = strtoul(word, NULL, 10);
    return line < p->n_jobs ? line : PLAN_NONE;
}

struct matches {
    size_t n;
    char identity[HASH_HEX];
    struct text names; /* the first LISTED */
};

static void add_match(struct matches *m, const char *identity, const char *label) {
    if (m->n++ == 0) memcpy(m->identity, identity, sizeof m->identity);
    if (m->n <= LISTED) text_add(&m->names, "%s%s (%.12s)", m->n > 1 ? ", " : "", label, identity);
}

static void find_prefix(struct matches *m, const char *word, const struct plan *p,
                        const struct history *h) {
    const size_t n = strlen(word);
    if (n < JOB_FIND_DIGITS || strspn(word, "0123456789abcdef") != n) return;
    for (size_t j = 0; j < p->n_jobs; j++) {
        if (strncmp(p->jobs[j].identity, word, n) != 0) continue;
        add_match(m, p->jobs[j].identity, p->jobs[j].label);
    }
    for (size_t i = 0; i < h->n_jobs; i++)
        if (strncmp(h->jobs[i].identity, word, n) == 0 &&
            plan_find(p, h->jobs[i].identity) == PLAN_NONE)
            add_match(m, h->jobs[i].identity, "no longer planned");
}

/* "evaluate[99]" of a stage with fewer jobs. PLAN_NONE: not written like this. */
static size_t stage_of_label(const struct plan *p, const char *word) {
    const char *at = strchr(word, '[');
    const size_t digits = at ? strspn(at + 1, "0123456789") : 0;
    if (digits == 0 || strcmp(at + 1 + digits, "]") != 0) return PLAN_NONE;
    for (size_t s = 0; s < p->n_stages; s++)
        if (strlen(p->stages[s].name) == (size_t)(at - word) &&
            strncmp(p->stages[s].name, word, (size_t)(at - word)) == 0)
            return s;
    return PLAN_NONE;
}

static enum err_code no_such_index(const char *word, const char *stage, size_t n, struct err *err) {
    if (n == 0) return ERR(err, ERR_USAGE, "%s: no such job: %s has no jobs", word, stage);
    return ERR(err, ERR_USAGE,
               "%s: no such job (did you mean %s[%zu]?): %s has %zu job%s, from 0 on", word, stage,
               n - 1, stage, n, text_plural(n));
}

static enum err_code no_such_job(const char *word, const struct plan *p, struct err *err) {
    enum err_code rc = ERR_USAGE;
    const size_t stage = stage_of_label(p, word);
    if (stage != PLAN_NONE)
        return no_such_index(word, p->stages[stage].name, p->stages[stage].n_jobs, err);
    const char **names = calloc(p->n_jobs + 1, sizeof *names);
    const char *nearest = NULL;
    for (size_t j = 0; names && j < p->n_jobs; j++) names[j] = p->jobs[j].label;
    if (names) nearest = text_nearest(word, names, p->n_jobs);
    if (nearest)
        rc = ERR(err, ERR_USAGE, "%s: no such job (did you mean %s?)", word, nearest);
    else
        rc = ERR(err, ERR_USAGE,
                 "%s: no such job: give a label such as fit[3], its line in taskvec plan, or at "
                 "least %d digits of its identity",
                 word, JOB_FIND_DIGITS);
    free(names);
    return rc;
}

enum err_code job_find(struct job_found *out, const char *word, const struct plan *p,
                       const struct history *h, struct err *err) {
    enum err_code rc = ERR_OK;
    struct matches m = {0};
    size_t job = find_label(p, word);
    if (job == PLAN_NONE) job = find_line(p, word);
    if (job != PLAN_NONE)
        memcpy(m.identity, p->jobs[job].identity, sizeof m.identity);
    else
        find_prefix(&m, word, p, h);
    const char *more = m.n > LISTED ? ", ..." : "";
    CHECK(m.n <= 1, ERR_USAGE, "%s: the identities of %zu jobs begin with it: %s%s", word, m.n,
          text_str(&m.names), more);
    if (job == PLAN_NONE && m.n == 0) return no_such_job(word, p, err);
    memcpy(out->identity, m.identity, sizeof out->identity);
    out->job = plan_find(p, m.identity);
    out->past = history_find(h, m.identity);
cleanup:
    text_release(&m.names);
    return rc;
}
