#include "config/path_pattern.h"

#include <dirent.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static bool is_pattern(const struct value *v) {
    const char *slash = strrchr(v->s, '/');
    return strchr(slash ? slash : v->s, '*') != NULL;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Appends the name, in the pool, to the list of the folder's matching files. */
static enum err_code add_name(char ***names, size_t *n, const char *name,
                              const struct value_reader *r) {
    char **more = realloc(*names, (*n + 1) * sizeof *more);
    if (!more) return ERR(r->err, ERR_MEMORY, "no memory for the files of a pattern");
    *names = more;
    more[*n] = pool_copy(r->pool, name, strlen(name));
    if (!more[*n]) return ERR(r->err, ERR_MEMORY, "no memory for the files of a pattern");
    (*n)++;
    return ERR_OK;
}

/* Names that match, in their order; free the list. */
static enum err_code list_names(char ***names, size_t *n, const char *folder, const char *pattern,
                                const struct value_reader *r) {
    enum err_code rc = ERR_OK;
    DIR *all = opendir(folder);
    for (struct dirent *e; all && (e = readdir(all));)
        if (fnmatch(pattern, e->d_name, FNM_PERIOD) == 0) TRY(add_name(names, n, e->d_name, r));
    if (*n > 0) qsort(*names, *n, sizeof **names, by_name);
cleanup:
    if (all) (void)closedir(all);
    return rc;
}

/* Appends the matching paths to out [*used ..]. */
static enum err_code put_matches(struct value **out, size_t *used, size_t left,
                                 const struct value *v, char *const *names, size_t n,
                                 const struct value_reader *r) {
    enum err_code rc = ERR_OK;
    struct err *err = r->err;
    struct value *grown = NULL;
    struct text path = {0};
    const size_t folder = (size_t)(strrchr(v->s, '/') - v->s);
    TAKE(grown, r->pool, *used + n + left);
    if (*used > 0) memcpy(grown, *out, *used * sizeof *grown);
    for (size_t i = 0; i < n; i++) {
        text_clear(&path);
        text_add(&path, "%.*s/%s", (int)folder, v->s, names[i]);
        TRY(text_check(&path, err));
        grown[*used] = *v;
        grown[*used].s = pool_copy(r->pool, path.data, path.size);
        CHECK(grown[*used].s, ERR_MEMORY, "no memory for the files of a pattern");
        (*used)++;
    }
    *out = grown;
cleanup:
    text_release(&path);
    return rc;
}

static enum err_code expand_one(struct value **out, size_t *used, size_t left,
                                const struct value *v, const struct config_key *row,
                                const struct value_reader *r) {
    enum err_code rc = ERR_OK;
    char **names = NULL;
    size_t n = 0;
    struct text folder = {0};
    const char *slash = strrchr(v->s, '/');
    text_add(&folder, "%.*s", slash == v->s ? 1 : (int)(slash - v->s), v->s);
    TRY(text_check(&folder, r->err));
    TRY(list_names(&names, &n, folder.data, slash + 1, r));
    if (n == 0)
        rc = place_error(r->err, v->place, r->stage, row->name,
                         "%.600s matches no file: name one, or correct the pattern", v->s);
    else
        rc = put_matches(out, used, left, v, names, n, r);
cleanup:
    free(names);
    text_release(&folder);
    return rc;
}

enum err_code path_pattern_expand(struct value **values, size_t *n, const struct config_key *row,
                                  const struct value_reader *r) {
    enum err_code rc = ERR_OK;
    struct value *out = NULL;
    size_t used = 0, patterns = 0;
    if (!(row->flags & CONFIG_PATH) || !(row->flags & CONFIG_AXIS)) return ERR_OK;
    for (size_t i = 0; i < *n; i++) patterns += is_pattern(&(*values)[i]);
    if (patterns == 0) return ERR_OK;
    for (size_t i = 0; i < *n; i++) {
        const struct value *v = &(*values)[i];
        struct err *err = r->err;
        if (is_pattern(v)) {
            TRY(expand_one(&out, &used, *n - i, v, row, r));
            continue;
        }
        if (!out) TAKE(out, r->pool, *n);
        out[used++] = *v;
    }
    *values = out;
    *n = used;
cleanup:
    return rc;
}
