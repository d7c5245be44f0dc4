#include "store/artifact.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "tensorfile/tensorfile.h"

static const char SUFFIX[] = ".safetensors";
enum { IDENTITY_DIGITS = 64 };

static enum err_code fits(int n, const char *dir, struct err *err) {
    if (n < 0 || n >= FILE_PATH_MAX) return ERR(err, ERR_IO, "%.200s...: path too long", dir);
    return ERR_OK;
}

enum err_code artifact_path(char out[FILE_PATH_MAX], const char *dir, const char *identity,
                            struct err *err) {
    return fits(
        snprintf(out, FILE_PATH_MAX, "%s/artifacts/%.2s/%s%s", dir, identity, identity, SUFFIX),
        dir, err);
}

enum err_code checkpoint_path(char out[FILE_PATH_MAX], const char *dir, const char *identity,
                              struct err *err) {
    return fits(snprintf(out, FILE_PATH_MAX, "%s/checkpoints/%s%s", dir, identity, SUFFIX), dir,
                err);
}

/* ---------------------------------------------------------------- writing */

static enum err_code add_tensors(struct tensor_writer *w, const struct job_tensor *tensors,
                                 size_t n, struct err *err) {
    enum err_code rc = ERR_OK;
    for (size_t i = 0; i < n; i++)
        TRY(tensor_writer_add(w, tensors[i].name, tensors[i].rank, tensors[i].shape,
                              tensors[i].data, err));
cleanup:
    return rc;
}

static enum err_code make_folder_of(const char *path, struct err *err) {
    char folder[FILE_PATH_MAX];
    (void)snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash) *slash = '\0';
    return slash ? file_make_folder(folder, err) : ERR_OK;
}

static enum err_code read_back(struct artifact_seal *seal, const char *path, struct err *err) {
    struct stat info;
    if (stat(path, &info) != 0)
        return ERR(err, ERR_IO, "%s: cannot read its size: %s", path, strerror(errno));
    seal->bytes = (uint64_t)info.st_size;
    return hash_file(seal->sha256, path, err);
}

enum err_code artifact_write(struct artifact_seal *seal, const char *dir, const char *identity,
                             const struct job_tensor *tensors, size_t n_tensors,
                             const struct artifact_note *notes, size_t n_notes, struct err *err) {
    enum err_code rc = ERR_OK;
    char path[FILE_PATH_MAX];
    struct tensor_writer *w = NULL;
    TRY(artifact_path(path, dir, identity, err));
    TRY(make_folder_of(path, err));
    TRY(tensor_writer_create(&w, err));
    TRY(add_tensors(w, tensors, n_tensors, err));
    for (size_t i = 0; i < n_notes; i++)
        TRY(tensor_writer_note(w, notes[i].key, notes[i].value, err));
    TRY(tensor_writer_save(w, path, err));
    TRY(read_back(seal, path, err));
cleanup:
    tensor_writer_destroy(w);
    return rc;
}

/* SHA-256 of a checkpoint: its texts, then name, shape and bytes of each tensor. */
static void checkpoint_sum(char out[HASH_HEX], const struct checkpoint *c, const char *progress) {
    struct hash h;
    hash_begin(&h);
    hash_text(&h, c->state);
    hash_text(&h, c->rows);
    hash_text(&h, progress);
    for (size_t i = 0; i < c->n_tensors; i++) {
        const struct job_tensor *t = &c->tensors[i];
        size_t n = 1;
        for (size_t k = 0; k < t->rank; k++) n *= t->shape[k];
        hash_text(&h, t->name);
        hash_bytes(&h, t->shape, t->rank * sizeof *t->shape);
        if (n > 0) hash_bytes(&h, t->data, n * sizeof *t->data);
    }
    hash_end(out, &h);
}

enum err_code checkpoint_write(const char *dir, const char *identity, const struct checkpoint *c,
                               struct err *err) {
    enum err_code rc = ERR_OK;
    char path[FILE_PATH_MAX], progress[96], sum[HASH_HEX];
    struct tensor_writer *w = NULL;
    (void)snprintf(progress, sizeof progress, "%zu %a %a", c->n_rows, c->done, c->total);
    checkpoint_sum(sum, c, progress);
    TRY(checkpoint_path(path, dir, identity, err));
    TRY(make_folder_of(path, err));
    TRY(tensor_writer_create(&w, err));
    TRY(add_tensors(w, c->tensors, c->n_tensors, err));
    TRY(tensor_writer_note(w, "state", c->state, err));
    TRY(tensor_writer_note(w, "progress", progress, err));
    TRY(tensor_writer_note(w, "rows", c->rows, err));
    TRY(tensor_writer_note(w, "sum", sum, err));
    TRY(tensor_writer_save(w, path, err));
cleanup:
    tensor_writer_destroy(w);
    return rc;
}

/* ---------------------------------------------------------------- reading a checkpoint */

struct checkpoint_hold {
    struct tensorfile *file;
    struct job_tensor *tensors;
};

static enum err_code take_tensor(struct job_tensor *out, const struct tensorfile *f, size_t i,
                                 struct err *err) {
    const struct tensor_info *t = tensorfile_at(f, i);
    if (t->type != TENSOR_F32 || t->rank > JOB_TENSOR_RANK)
        return ERR(err, ERR_DATA, "%s: %s: not a tensor of a checkpoint", tensorfile_path(f),
                   t->name);
    *out = (struct job_tensor){.name = t->name, .rank = t->rank, .data = t->data};
    for (size_t k = 0; k < t->rank; k++) out->shape[k] = t->shape[k];
    return ERR_OK;
}

static enum err_code take_notes(struct checkpoint *out, const struct tensorfile *f,
                                struct err *err) {
    const char *progress = tensorfile_note(f, "progress");
    out->state = tensorfile_note(f, "state");
    out->rows = tensorfile_note(f, "rows");
    if (!progress || !out->state || !out->rows ||
        sscanf(progress, "%zu %la %la", &out->n_rows, &out->done, &out->total) != 3)
        return ERR(err, ERR_DATA, "%s: not a checkpoint of taskvec: delete it", tensorfile_path(f));
    return ERR_OK;
}

/* A changed bit would change results silently, so a file without a checksum is refused too. */
static enum err_code check_sum(const struct checkpoint *c, const struct tensorfile *f,
                               struct err *err) {
    const char *wanted = tensorfile_note(f, "sum");
    char sum[HASH_HEX];
    checkpoint_sum(sum, c, tensorfile_note(f, "progress"));
    if (wanted && strcmp(sum, wanted) == 0) return ERR_OK;
    return ERR(err, ERR_DATA, "%s: damaged: its content differs from its checksum",
               tensorfile_path(f));
}

static enum err_code open_checkpoint(struct checkpoint *out, struct checkpoint_hold *hold,
                                     const char *path, struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(tensorfile_open(&hold->file, path, err));
    const size_t n = tensorfile_count(hold->file);
    hold->tensors = calloc(n ? n : 1, sizeof *hold->tensors);
    CHECK(hold->tensors, ERR_MEMORY, "%s: no memory for %zu tensors", path, n);
    for (size_t i = 0; i < n; i++) TRY(take_tensor(&hold->tensors[i], hold->file, i, err));
    TRY(take_notes(out, hold->file, err));
    out->tensors = hold->tensors;
    out->n_tensors = n;
    TRY(check_sum(out, hold->file, err));
cleanup:
    return rc;
}

enum err_code checkpoint_read(struct checkpoint *out, struct checkpoint_hold **hold,
                              const char *dir, const char *identity, struct err *err) {
    enum err_code rc = ERR_OK;
    char path[FILE_PATH_MAX];
    *out = (struct checkpoint){0};
    *hold = NULL;
    TRY(checkpoint_path(path, dir, identity, err));
    if (!file_exists(path)) return ERR_OK;
    *hold = calloc(1, sizeof **hold);
    CHECK(*hold, ERR_MEMORY, "%s: no memory to read it", path);
    TRY(open_checkpoint(out, *hold, path, err));
cleanup:
    if (rc != ERR_OK) {
        checkpoint_close(*hold);
        *hold = NULL;
        *out = (struct checkpoint){0};
    }
    return rc;
}

void checkpoint_close(struct checkpoint_hold *hold) {
    if (!hold) return;
    tensorfile_close(hold->file);
    free(hold->tensors);
    free(hold);
}

void checkpoint_remove(const char *dir, const char *identity) {
    char path[FILE_PATH_MAX];
    if (checkpoint_path(path, dir, identity, NULL) == ERR_OK) (void)unlink(path);
}

/* ---------------------------------------------------------------- at the start of an attempt */

bool artifact_present(const char *dir, const struct history_job *job) {
    char path[FILE_PATH_MAX];
    struct stat info;
    return artifact_path(path, dir, job->identity, NULL) == ERR_OK && stat(path, &info) == 0 &&
           S_ISREG(info.st_mode) && (uint64_t)info.st_size == job->bytes;
}

bool artifact_sound(const char *dir, const struct history_job *job) {
    char path[FILE_PATH_MAX], sum[HASH_HEX];
    return artifact_present(dir, job) && artifact_path(path, dir, job->identity, NULL) == ERR_OK &&
           hash_file(sum, path, NULL) == ERR_OK && strcmp(sum, job->sha256) == 0;
}

/* The job of a file name; NULL: none is known, or (*ours false) it is no name of an artifact. */
static const struct history_job *job_of(bool *ours, const char *name, const struct history *h) {
    char identity[IDENTITY_DIGITS + 1] = "";
    *ours = strspn(name, "0123456789abcdef") == IDENTITY_DIGITS &&
            strncmp(name + IDENTITY_DIGITS, SUFFIX, strlen(SUFFIX)) == 0;
    if (!*ours) return NULL;
    memcpy(identity, name, IDENTITY_DIGITS);
    return history_find(h, identity);
}

static bool artifact_is_stale(const char *name, const struct history *h) {
    bool ours;
    const struct history_job *job = job_of(&ours, name, h);
    if (!ours) return false; /* not written by this program */
    return strcmp(name + IDENTITY_DIGITS, SUFFIX) != 0 || !job || job->state != HISTORY_DONE ||
           !job->artifact;
}

static bool checkpoint_is_stale(const char *name, const struct history *h) {
    bool ours;
    const struct history_job *job = job_of(&ours, name, h);
    if (!ours) return false;
    return strcmp(name + IDENTITY_DIGITS, SUFFIX) != 0 || (job && job->state == HISTORY_DONE);
}

static bool begins(const char *name, const char *start) {
    return strncmp(name, start, strlen(start)) == 0;
}

/* Temporary files of the run that a killed attempt left. Those of the lock may belong to a process
 * that is about to take it. */
static bool run_file_is_stale(const char *name, const struct history *h) {
    (void)h;
    return begins(name, "results.h5.tmp.") || begins(name, "config.cfg.tmp.") ||
           begins(name, "inputs.tmp.");
}

/* Temporary files in configs/ and changes/, whose files are named by their SHA-256. */
static bool config_is_stale(const char *name, const struct history *h) {
    (void)h;
    const char *ending = name + HASH_HEX - 1;
    return strspn(name, "0123456789abcdef") == HASH_HEX - 1 &&
           (begins(ending, ".cfg.tmp.") || begins(ending, ".diff.tmp."));
}

typedef bool stale_test(const char *name, const struct history *h);

static enum err_code clean_folder(size_t *removed, const char *folder, stale_test *is_stale,
                                  const struct history *h, struct err *err) {
    enum err_code rc = ERR_OK;
    char path[FILE_PATH_MAX];
    DIR *d = opendir(folder);
    if (!d) return ERR_OK; /* no such folder: nothing to clean */
    for (struct dirent *entry = readdir(d); entry; entry = readdir(d)) {
        if (!is_stale(entry->d_name, h)) continue;
        TRY(fits(snprintf(path, sizeof path, "%s/%s", folder, entry->d_name), folder, err));
        CHECK(unlink(path) == 0 || errno == ENOENT, ERR_IO, "%s: cannot delete: %s", path,
              strerror(errno));
        ++*removed;
    }
cleanup:
    closedir(d);
    return rc;
}

enum err_code artifact_clean(size_t *removed, const char *dir, const struct history *h,
                             struct err *err) {
    static const struct {
        const char *name;
        stale_test *is_stale;
    } others[] = {{"checkpoints", checkpoint_is_stale},
                  {"configs", config_is_stale},
                  {"changes", config_is_stale},
                  {".", run_file_is_stale}};
    enum err_code rc = ERR_OK;
    char folder[FILE_PATH_MAX];
    *removed = 0;
    for (unsigned i = 0; i < 256; i++) {
        TRY(fits(snprintf(folder, sizeof folder, "%s/artifacts/%02x", dir, i), dir, err));
        TRY(clean_folder(removed, folder, artifact_is_stale, h, err));
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        TRY(fits(snprintf(folder, sizeof folder, "%s/%s", dir, others[i].name), dir, err));
        TRY(clean_folder(removed, folder, others[i].is_stale, h, err));
    }
cleanup:
    return rc;
}
