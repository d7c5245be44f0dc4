#include "cli/example_files.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_LIMIT = 1 << 20, PARENTS_MAX = 4 };

/* ---- where they are */

static bool is_experiments(const char *folder) {
    char path[FILE_PATH_MAX];
    const int n = snprintf(path, sizeof path, "%s/quickstart.cfg", folder);
    return n > 0 && (size_t)n < sizeof path && file_exists(path);
}

/* folder/below into root; returns whether the examples are there. */
static bool try_root(char root[FILE_PATH_MAX], const char *folder, const char *below) {
    const int n = snprintf(root, FILE_PATH_MAX, "%s/%s", folder, below);
    return n > 0 && n < FILE_PATH_MAX && is_experiments(root);
}

/* Cuts the last part of a path. */
void example_path_cut(char *path) {
    char *slash = strrchr(path, '/');
    *(slash ? slash : path) = '\0';
}

static enum err_code find_root(char root[FILE_PATH_MAX], struct err *err) {
    char folder[FILE_PATH_MAX];
    const ssize_t n = readlink("/proc/self/exe", folder, sizeof folder - 1);
    if (n < 0) return ERR(err, ERR_SYSTEM, "cannot find this program: %s", strerror(errno));
    folder[n] = '\0';
    example_path_cut(folder);
    if (try_root(root, folder, TASKVEC_DATA_FROM_BIN "/experiments")) return ERR_OK;
    for (int i = 0; i < PARENTS_MAX && *folder; i++, example_path_cut(folder))
        if (try_root(root, folder, "experiments")) return ERR_OK;
    return ERR(err, ERR_CONFIG,
               "no examples are installed with this program; they are in experiments/ of its "
               "sources");
}

/* ---- names */

static enum err_code add_name(struct example_files *e, const char *path, struct err *err) {
    if (e->n == EXAMPLES_MAX)
        return ERR(err, ERR_CONFIG, "%s: more than %d examples", e->root, EXAMPLES_MAX);
    e->names[e->n] = text_copy(path);
    if (!e->names[e->n]) return ERR(err, ERR_MEMORY, "no memory for the names of examples");
    e->names[e->n][strlen(path) - strlen(e->ending)] = '\0';
    e->n++;
    return ERR_OK;
}

/* below: "" or "controls/". */
static enum err_code scan(struct example_files *e, const char *below, struct err *err) {
    enum err_code rc = ERR_OK;
    char path[2 * FILE_PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/%s", e->root, below);
    DIR *dir = opendir(path);
    if (!dir) return ERR(err, ERR_IO, "%s: %s", path, strerror(errno));
    for (struct dirent *d; (d = readdir(dir)) != NULL;) {
        char name[FILE_PATH_MAX];
        if (d->d_name[0] == '.') continue;
        (void)snprintf(name, sizeof name, "%s%s", below, d->d_name);
        (void)snprintf(path, sizeof path, "%s/%s", e->root, name);
        if (text_ends_with(name, e->ending)) TRY(add_name(e, name, err));
        if (!*below && file_is_folder(path)) {
            (void)snprintf(name, sizeof name, "%s/", d->d_name);
            TRY(scan(e, name, err));
        }
    }
cleanup:
    (void)closedir(dir);
    return rc;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* below: of experiments/, "" or "/reproduce". */
static enum err_code open_folder(struct example_files *e, const char *below, const char *ending,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    *e = (struct example_files){.ending = ending};
    TRY(find_root(e->root, err));
    CHECK(strlen(e->root) + strlen(below) < sizeof e->root, ERR_CONFIG, "%.60s...: path too long",
          e->root);
    (void)strcat(e->root, below);
    TRY(scan(e, "", err));
    qsort(e->names, e->n, sizeof *e->names, by_name);
cleanup:
    if (rc != ERR_OK) example_files_release(e);
    return rc;
}

enum err_code example_files_open(struct example_files *e, struct err *err) {
    return open_folder(e, "", ".cfg", err);
}

enum err_code example_files_open_reproductions(struct example_files *e, struct err *err) {
    return open_folder(e, "/reproduce", ".json", err);
}

void example_files_release(struct example_files *e) {
    for (size_t i = 0; i < e->n; i++) free(e->names[i]);
    e->n = 0;
}

/* ---- meaning */

/* Indented lines of a comment are commands. The sentence ends at a full stop that a capital or the
 * end follows. */
static size_t sentence_size(const char *s) {
    for (size_t i = 0; s[i]; i++)
        if (s[i] == '.' && (!s[i + 1] || (s[i + 1] == ' ' && isupper((unsigned char)s[i + 2]))))
            return i + 1;
    return strlen(s);
}

enum err_code example_files_meaning(struct text *out, const struct example_files *e, size_t i,
                                    struct err *err) {
    enum err_code rc = ERR_OK;
    char path[2 * FILE_PATH_MAX];
    struct text content = {0}, comment = {0};
    (void)snprintf(path, sizeof path, "%s/%s.cfg", e->root, e->names[i]);
    TRY(file_read(&content, path, FILE_LIMIT, err));
    for (const char *at = text_str(&content); strncmp(at, "// ", 3) == 0 && at[3] != ' ';) {
        const size_t n = strcspn(at, "\n");
        text_add(&comment, "%s%.*s", comment.size ? " " : "", (int)n - 3, at + 3);
        at += n + (at[n] == '\n');
    }
    TRY(text_check(&comment, err));
    text_bytes(out, text_str(&comment), sentence_size(text_str(&comment)));
cleanup:
    text_release(&content);
    text_release(&comment);
    return rc;
}
