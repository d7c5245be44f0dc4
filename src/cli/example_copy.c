#include "cli/example_copy.h"

#include <ctype.h>
#include <dirent.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "stages/stage_schemas.h"

enum { COPY_LIMIT = 1 << 30, DEPTH_MAX = 8 };

struct copying {
    const struct example_files *from;
    const char *folder; /* into which */
    struct stage_schemas schemas;
    struct text *out;
};

/* ---- the paths in the text of a config */

struct config_scan {
    const char *at;
    const char *key; /* the last word before a '=': that of the next strings */
    size_t key_size;
};

static bool is_word(char c) { return isalnum((unsigned char)c) || c == '_'; }

static void scan_word(struct config_scan *s) {
    const char *from = s->at;
    while (is_word(*s->at)) s->at++;
    const char *next = s->at + strspn(s->at, " \t\r\n");
    if (*next != '=' && *next != ':') return;
    s->key = from;
    s->key_size = (size_t)(s->at - from);
}

/* The next quoted string outside comments, without its quotes; NULL: none. */
static const char *scan_string(struct config_scan *s, size_t *size) {
    while (*s->at) {
        if (strncmp(s->at, "//", 2) == 0 || *s->at == '#') {
            s->at += strcspn(s->at, "\n");
        } else if (is_word(*s->at)) {
            scan_word(s);
        } else if (*s->at++ == '"') {
            const char *from = s->at;
            while (*s->at && *s->at != '"') s->at += s->at[0] == '\\' && s->at[1] ? 2 : 1;
            *size = (size_t)(s->at - from);
            s->at += *s->at == '"';
            return from;
        }
    }
    return NULL;
}

static bool ends_in_word(const char *name, const char *word, size_t size) {
    const size_t n = strlen(name);
    return n >= size && memcmp(name + n - size, word, size) == 0 &&
           (n == size || name[n - size - 1] == '.');
}

/* Whether the key of the string that was scanned last is that of a path. */
static bool is_path(const struct copying *c, const struct config_scan *s) {
    if (s->key_size == 0) return false;
    if (ends_in_word("base", s->key, s->key_size)) return true;
    for (size_t i = 0; i < c->schemas.n; i++) {
        const struct config_schema *schema = &c->schemas.schemas[i];
        for (size_t k = 0; k < schema->n; k++)
            if ((schema->rows[k]->flags & CONFIG_PATH) &&
                ends_in_word(schema->rows[k]->name, s->key, s->key_size))
                return true;
    }
    return false;
}

/* What a file names, below experiments/: "controls/linear.cfg" with "../models/a.safetensors" is
 * "models/a.safetensors". False: it leads outside. */
static bool join_path(char out[FILE_PATH_MAX], const char *from, const char *path, size_t size) {
    char whole[2 * FILE_PATH_MAX], *rest = whole;
    const char *slash = strrchr(from, '/');
    (void)snprintf(whole, sizeof whole, "%.*s%.*s", slash ? (int)(slash - from) + 1 : 0, from,
                   (int)size, path);
    *out = '\0';
    if (size == 0 || *path == '/' || strlen(whole) >= FILE_PATH_MAX) return false;
    for (const char *part; (part = strsep(&rest, "/")) != NULL;) {
        if (strcmp(part, ".") == 0 || !*part) continue;
        if (strcmp(part, "..") == 0) {
            if (!*out) return false;
            example_path_cut(out);
            continue;
        }
        if (*out) (void)strcat(out, "/");
        (void)strcat(out, part);
    }
    return *out != '\0';
}

/* ---- files */

static enum err_code write_copy(const struct copying *c, const char *name,
                                const struct text *content, struct err *err) {
    enum err_code rc = ERR_OK;
    char path[2 * FILE_PATH_MAX], folder[2 * FILE_PATH_MAX];
    struct text present = {0};
    (void)snprintf(path, sizeof path, "%s/%s", c->folder, name);
    (void)snprintf(folder, sizeof folder, "%s", path);
    example_path_cut(folder);
    if (file_exists(path)) {
        TRY(file_read(&present, path, COPY_LIMIT, err));
        CHECK(present.size == content->size &&
                  memcmp(text_str(&present), text_str(content), content->size) == 0,
              ERR_CONFIG, "%s exists with other content: choose another folder", path);
        goto cleanup;
    }
    TRY(file_make_folder(folder, err));
    TRY(file_replace(path, text_str(content), content->size, err));
    text_add(c->out, "%s\n", path);
cleanup:
    text_release(&present);
    return rc;
}

static enum err_code copy_named(const struct copying *c, const char *name, int depth,
                                struct err *err);

static enum err_code copy_config_paths(const struct copying *c, const char *name,
                                       const struct text *content, int depth, struct err *err) {
    enum err_code rc = ERR_OK;
    char other[FILE_PATH_MAX];
    size_t size = 0;
    struct config_scan scan = {.at = text_str(content)};
    for (const char *path; (path = scan_string(&scan, &size));)
        if (is_path(c, &scan) && join_path(other, name, path, size))
            TRY(copy_named(c, other, depth + 1, err));
cleanup:
    return rc;
}

/* name: below experiments/. */
static enum err_code copy_file(const struct copying *c, const char *name, int depth,
                               struct err *err) {
    enum err_code rc = ERR_OK;
    char path[2 * FILE_PATH_MAX];
    struct text content = {0};
    CHECK(depth < DEPTH_MAX, ERR_CONFIG, "%s: its base leads back to it", name);
    (void)snprintf(path, sizeof path, "%s/%s", c->from->root, name);
    TRY(file_read(&content, path, COPY_LIMIT, err));
    TRY(write_copy(c, name, &content, err));
    if (text_ends_with(name, ".cfg")) TRY(copy_config_paths(c, name, &content, depth, err));
cleanup:
    text_release(&content);
    return rc;
}

/* ---- folders and patterns */

/* Copies the files of a folder below experiments/ that match; pattern NULL: those that identify the
 * folder of a language model or of tasks. *n: how many there are. */
static enum err_code copy_matching(size_t *n, const struct copying *c, const char *folder,
                                   const char *pattern, int depth, struct err *err) {
    enum err_code rc = ERR_OK;
    char path[2 * FILE_PATH_MAX];
    struct dirent **entries = NULL;
    (void)snprintf(path, sizeof path, "%s/%s", c->from->root, folder);
    const int all = scandir(path, &entries, NULL, alphasort);
    *n = 0;
    for (int i = 0; i < all; i++) {
        const char *name = entries[i]->d_name;
        if (pattern ? fnmatch(pattern, name, FNM_PERIOD) != 0 : !hash_covers(name)) continue;
        (void)snprintf(path, sizeof path, "%s/%s", folder, name);
        TRY(copy_file(c, path, depth, err));
        ++*n;
    }
cleanup:
    for (int i = 0; i < all; i++) free(entries[i]);
    free(entries);
    return rc;
}

/* A file, a folder, or a pattern ("tasks/english-*.json"), below experiments/. */
static enum err_code copy_named(const struct copying *c, const char *name, int depth,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    char path[2 * FILE_PATH_MAX], folder[FILE_PATH_MAX];
    const char *slash = strrchr(name, '/'), *last = slash ? slash + 1 : name;
    size_t n = 0;
    (void)snprintf(path, sizeof path, "%s/%s", c->from->root, name);
    (void)snprintf(folder, sizeof folder, "%s", name);
    if (file_is_folder(path)) {
        TRY(copy_matching(&n, c, name, NULL, depth, err));
    } else if (strchr(last, '*')) {
        example_path_cut(folder);
        TRY(copy_matching(&n, c, folder, last, depth, err));
    } else if (file_exists(path)) {
        TRY(copy_file(c, name, depth, err));
        n = 1;
    }
    if (n == 0)
        text_add(c->out, "%s is not shipped: the comments of the config say where it comes from\n",
                 name);
cleanup:
    return rc;
}

enum err_code example_copy(struct text *out, const struct example_files *e, const char *name,
                           const char *folder, struct err *err) {
    enum err_code rc = ERR_OK;
    char config[FILE_PATH_MAX];
    struct copying c = {.from = e, .folder = folder, .out = out};
    (void)snprintf(config, sizeof config, "%s.cfg", name);
    TRY(stage_schemas_init(&c.schemas, err));
    TRY(copy_named(&c, config, 0, err));
cleanup:
    stage_schemas_release(&c.schemas);
    return rc;
}
