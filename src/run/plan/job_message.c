#include "run/plan/job_message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/plan/job_about.h"
#include "stages/choose.h"
#include "stages/job_model.h"
#include "stages/planned_file.h"
#include "stages/stage.h"
#include "store/artifact.h"

/* ---- writing */

static void block_add(struct text *out, const char *name, const char *data, size_t size) {
    text_add(out, "%s %zu\n", name, size);
    text_bytes(out, data, size);
    text_add(out, "\n");
}

static void block_text(struct text *out, const char *name, const char *value) {
    block_add(out, name, value, strlen(value));
}

static enum err_code block_about(struct text *out, const struct plan *p, size_t job,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    struct text about = {0};
    TRY(job_about_write(&about, p, job, err));
    block_add(out, "about", text_str(&about), about.size);
cleanup:
    text_release(&about);
    return rc;
}

static void block_point(struct text *out, const char *name, const struct config_point *point) {
    struct text written = {0};
    config_point_write(&written, point);
    block_add(out, name, text_str(&written), written.size);
    if (written.failed) out->failed = true;
    text_release(&written);
}

/* The files that the keys of a point name, one block each: "HASH PATH". */
static void block_files(struct text *out, const struct plan *p, const struct config_point *point) {
    for (size_t i = 0; i < config_point_size(point); i++) {
        const struct config_key *key = config_point_key(point, i);
        const char *path = key->flags & CONFIG_PATH ? plan_text(point, key->name) : NULL;
        const char *hash = path ? identity_files_find(p->files, path) : NULL;
        if (!hash) continue;
        text_add(out, "file %zu\n%s %s\n", strlen(hash) + 1 + strlen(path), hash, path);
    }
}

/* The keys of an input: those of each candidate where it is a choice, since only its artifact says
 * which of them it chose. */
static void block_candidates(struct text *out, const struct plan *p, size_t job) {
    const struct planned_job *j = &p->jobs[job];
    const bool choice = plan_chosen_key(p, job);
    char number[32];
    (void)snprintf(number, sizeof number, "%zu", choice ? j->n_parents : 1);
    block_text(out, "candidates", number);
    if (!choice) block_point(out, "point", j->point);
    for (size_t i = 0; i < j->n_parents && choice; i++)
        block_point(out, "point", p->jobs[j->parents[i]].point);
}

static bool uses_onednn(const char *gemm) { return strcmp(gemm, "onednn") == 0; }

enum err_code job_message_write(struct text *out, const struct plan *p, size_t job, const char *dir,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    const struct planned_job *j = &p->jobs[job];
    char number[32], path[FILE_PATH_MAX], kernel[JOB_MODEL_KERNEL];
    block_text(out, "kind", p->stages[j->stage].kind->name);
    (void)snprintf(number, sizeof number, "%llu", (unsigned long long)config_seed(p->config));
    block_text(out, "seed", number);
    block_text(out, "gemm", config_gemm(p->config));
    TRY(job_model_kernel(kernel, j->point, uses_onednn(config_gemm(p->config)), err));
    block_text(out, "kernel", kernel);
    block_text(out, "control", j->control ? j->control : "");
    TRY(block_about(out, p, job, err));
    block_point(out, "point", j->point);
    (void)snprintf(number, sizeof number, "%zu", j->n_parents);
    block_text(out, "inputs", number);
    for (size_t i = 0; i < j->n_parents; i++) {
        const struct planned_job *parent = &p->jobs[j->parents[i]];
        TRY(artifact_path(path, dir, parent->identity, err));
        block_text(out, "input", p->stages[parent->stage].kind->name);
        block_text(out, "identity", parent->identity);
        block_text(out, "artifact", path);
        block_candidates(out, p, j->parents[i]);
    }
    block_files(out, p, j->point);
    for (size_t i = 0; i < j->n_parents && !plan_chosen_key(p, job); i++)
        block_files(out, p, plan_read_point(p, j->parents[i]));
    TRY(text_check(out, err));
cleanup:
    return rc;
}

/* ---- reading: blocks in the order they were written, each copied to the heap */

static enum err_code block_read(char **out, const char **at, const char *name, struct err *err) {
    const size_t n = strlen(name);
    if (strncmp(*at, name, n) != 0 || (*at)[n] != ' ')
        return ERR(err, ERR_DATA, "message of a job: expected the block \"%s\", received \"%.20s\"",
                   name, *at);
    char *end = NULL;
    const size_t size = (size_t)strtoull(*at + n + 1, &end, 10);
    if (*end != '\n' || strnlen(end + 1, size) < size || end[1 + size] != '\n')
        return ERR(err, ERR_DATA, "message of a job: the block \"%s\" is truncated", name);
    char *copy = malloc(size + 1);
    if (!copy) return ERR(err, ERR_MEMORY, "no memory for a message of %zu bytes", size);
    memcpy(copy, end + 1, size);
    copy[size] = '\0';
    *out = copy;
    *at = end + 2 + size;
    return ERR_OK;
}

enum {
    FILES_MOST = 4 * (JOB_PARENTS + 1), /* of each point: model.checkpoint, weights, source.task,
                                           source.tokenizer */
    INPUT_TEXTS = 4                     /* kind, identity, artifact, number of candidates */
};

struct job_message {
    char *kind, *seed, *gemm, *kernel, *control, *about, *n_inputs;
    char *input_text[JOB_PARENTS][INPUT_TEXTS];
    struct config_point *point, *input_points[JOB_PARENTS];
    struct job_input inputs[JOB_PARENTS];
    size_t n;
    char *file_text[FILES_MOST]; /* the hash, ended by NUL, and the path behind it */
    struct job_file files[FILES_MOST];
    size_t n_files;
};

static void release_message(struct job_message *m) {
    free(m->kind);
    free(m->seed);
    free(m->gemm);
    free(m->kernel);
    free(m->control);
    free(m->about);
    free(m->n_inputs);
    if (m->point) config_point_destroy(m->point);
    for (size_t i = 0; i < JOB_PARENTS; i++) {
        for (size_t k = 0; k < INPUT_TEXTS; k++) free(m->input_text[i][k]);
        if (m->input_points[i]) config_point_destroy(m->input_points[i]);
    }
    for (size_t i = 0; i < FILES_MOST; i++) free(m->file_text[i]);
}

static enum err_code point_read(struct config_point **out, const char **at, struct err *err) {
    enum err_code rc = ERR_OK;
    char *text = NULL;
    TRY(block_read(&text, at, "point", err));
    TRY(config_point_read(out, text, err));
cleanup:
    free(text);
    return rc;
}

/* Point `chosen` of the n that follow. */
static enum err_code candidates_read(struct config_point **out, size_t chosen, size_t n,
                                     const char **at, struct err *err) {
    enum err_code rc = ERR_OK;
    for (size_t i = 0; i < n; i++) {
        char *other = NULL;
        if (i == chosen)
            TRY(point_read(out, at, err));
        else
            TRY(block_read(&other, at, "point", err));
        free(other);
    }
cleanup:
    return rc;
}

/* A choice is read as the fit that it chose. */
static enum err_code input_read(struct job_message *m, size_t i, const char **at, struct err *err) {
    enum err_code rc = ERR_OK;
    char **text = m->input_text[i];
    size_t chosen = 0;
    TRY(block_read(&text[0], at, "input", err));
    TRY(block_read(&text[1], at, "identity", err));
    TRY(block_read(&text[2], at, "artifact", err));
    TRY(block_read(&text[3], at, "candidates", err));
    const size_t n = (size_t)strtoull(text[3], NULL, 10);
    const bool choice = strcmp(text[0], "choose") == 0;
    if (choice) TRY(choose_read(&chosen, text[2], n, err));
    TRY(candidates_read(&m->input_points[i], chosen, n, at, err));
    CHECK(m->input_points[i], ERR_DATA, "message of a job: an input without keys");
    m->inputs[i] =
        (struct job_input){choice ? "fit" : text[0], text[1], m->input_points[i], text[2]};
cleanup:
    return rc;
}

static enum err_code planned_file_read(struct job_message *m, const char **at, struct err *err) {
    enum err_code rc = ERR_OK;
    CHECK(m->n_files < FILES_MOST, ERR_DATA, "message of a job: more than %d files", FILES_MOST);
    char **text = &m->file_text[m->n_files];
    TRY(block_read(text, at, "file", err));
    char *path = strchr(*text, ' ');
    CHECK(path, ERR_DATA, "message of a job: expected HASH PATH, received \"%.20s\"", *text);
    *path++ = '\0';
    m->files[m->n_files++] = (struct job_file){.path = path, .hash = *text};
cleanup:
    return rc;
}

static enum err_code read_message(struct job_message *m, const char *at, struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(block_read(&m->kind, &at, "kind", err));
    TRY(block_read(&m->seed, &at, "seed", err));
    TRY(block_read(&m->gemm, &at, "gemm", err));
    TRY(block_read(&m->kernel, &at, "kernel", err));
    TRY(block_read(&m->control, &at, "control", err));
    TRY(block_read(&m->about, &at, "about", err));
    TRY(point_read(&m->point, &at, err));
    TRY(block_read(&m->n_inputs, &at, "inputs", err));
    m->n = (size_t)strtoull(m->n_inputs, NULL, 10);
    CHECK(m->n <= JOB_PARENTS, ERR_DATA, "message of a job: %zu inputs, at most %d are possible",
          m->n, JOB_PARENTS);
    for (size_t i = 0; i < m->n; i++) TRY(input_read(m, i, &at, err));
    while (*at) TRY(planned_file_read(m, &at, err));
cleanup:
    return rc;
}

enum err_code job_message_compute(const char *message, struct job_ctx *ctx, void *context,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    struct job_message m = {0};
    (void)context;
    TRY(read_message(&m, message, err));
    const struct stage *stage = stage_find(m.kind);
    CHECK(stage, ERR_DATA, "message of a job: this program has no stage \"%s\"", m.kind);
    ctx->point = m.point;
    ctx->columns = stage_columns(stage, m.point);
    ctx->seed = strtoull(m.seed, NULL, 10);
    ctx->onednn = uses_onednn(m.gemm);
    ctx->kernel = m.kernel[0] ? m.kernel : NULL;
    ctx->control = m.control[0] ? m.control : NULL;
    ctx->inputs = m.inputs;
    ctx->n_inputs = m.n;
    ctx->files = m.files;
    ctx->n_files = m.n_files;
    TRY(stage->run(ctx, err));
    if (ctx->group_rank == 0) TRY(job_note(ctx, JOB_ABOUT_NOTE, m.about, err));
    TRY(planned_files_recheck(ctx, err));
cleanup:
    release_message(&m);
    return rc;
}
