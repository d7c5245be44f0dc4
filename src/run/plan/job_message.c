#include "run/plan/job_message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static void block_point(struct text *out, const char *name, const struct config_point *point) {
    struct text written = {0};
    config_point_write(&written, point);
    block_add(out, name, text_str(&written), written.size);
    if (written.failed) out->failed = true;
    text_release(&written);
}

enum err_code job_message_write(struct text *out, const struct plan *p, size_t job, const char *dir,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    const struct planned_job *j = &p->jobs[job];
    char number[32], path[FILE_PATH_MAX];
    block_text(out, "kind", p->stages[j->stage].kind->name);
    (void)snprintf(number, sizeof number, "%llu", (unsigned long long)config_seed(p->config));
    block_text(out, "seed", number);
    block_text(out, "control", j->control ? j->control : "");
    block_point(out, "point", j->point);
    (void)snprintf(number, sizeof number, "%zu", j->n_parents);
    block_text(out, "inputs", number);
    for (size_t i = 0; i < j->n_parents; i++) {
        const struct planned_job *parent = &p->jobs[j->parents[i]];
        TRY(artifact_path(path, dir, parent->identity, err));
        block_text(out, "input", p->stages[parent->stage].kind->name);
        block_text(out, "identity", parent->identity);
        block_text(out, "artifact", path);
        block_point(out, "point", parent->point);
    }
    TRY(text_check(out, err));
cleanup:
    return rc;
}

/* ---- reading: blocks in the order they were written, each copied to the heap */

static enum err_code block_read(char **out, const char **at, const char *name, struct err *err) {
    const size_t n = strlen(name);
    if (strncmp(*at, name, n) != 0 || (*at)[n] != ' ')
        return ERR(err, ERR_DATA, "order of a job: expected the block \"%s\", received \"%.20s\"",
                   name, *at);
    char *end = NULL;
    const size_t size = (size_t)strtoull(*at + n + 1, &end, 10);
    if (*end != '\n' || strnlen(end + 1, size) < size || end[1 + size] != '\n')
        return ERR(err, ERR_DATA, "order of a job: the block \"%s\" is cut short", name);
    char *copy = malloc(size + 1);
    if (!copy) return ERR(err, ERR_MEMORY, "no memory for an order of %zu bytes", size);
    memcpy(copy, end + 1, size);
    copy[size] = '\0';
    *out = copy;
    *at = end + 2 + size;
    return ERR_OK;
}

struct order {
    char *kind, *seed, *control, *n_inputs;
    char *input_text[JOB_PARENTS][3]; /* kind, identity, artifact */
    struct config_point *point, *input_points[JOB_PARENTS];
    struct job_input inputs[JOB_PARENTS];
    size_t n;
};

static void order_release(struct order *o) {
    free(o->kind);
    free(o->seed);
    free(o->control);
    free(o->n_inputs);
    if (o->point) config_point_destroy(o->point);
    for (size_t i = 0; i < JOB_PARENTS; i++) {
        for (size_t k = 0; k < 3; k++) free(o->input_text[i][k]);
        if (o->input_points[i]) config_point_destroy(o->input_points[i]);
    }
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

static enum err_code input_read(struct order *o, size_t i, const char **at, struct err *err) {
    enum err_code rc = ERR_OK;
    char **text = o->input_text[i];
    TRY(block_read(&text[0], at, "input", err));
    TRY(block_read(&text[1], at, "identity", err));
    TRY(block_read(&text[2], at, "artifact", err));
    TRY(point_read(&o->input_points[i], at, err));
    o->inputs[i] = (struct job_input){text[0], text[1], o->input_points[i], text[2]};
cleanup:
    return rc;
}

static enum err_code order_read(struct order *o, const char *at, struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(block_read(&o->kind, &at, "kind", err));
    TRY(block_read(&o->seed, &at, "seed", err));
    TRY(block_read(&o->control, &at, "control", err));
    TRY(point_read(&o->point, &at, err));
    TRY(block_read(&o->n_inputs, &at, "inputs", err));
    o->n = (size_t)strtoull(o->n_inputs, NULL, 10);
    CHECK(o->n <= JOB_PARENTS, ERR_DATA, "order of a job: %zu inputs, at most %d are possible",
          o->n, JOB_PARENTS);
    for (size_t i = 0; i < o->n; i++) TRY(input_read(o, i, &at, err));
cleanup:
    return rc;
}

enum err_code job_message_compute(const char *order, struct job_ctx *ctx, void *context,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    struct order o = {0};
    (void)context;
    TRY(order_read(&o, order, err));
    const struct stage *stage = stage_find(o.kind);
    CHECK(stage, ERR_DATA, "order of a job: no stage of this program is called \"%s\"", o.kind);
    ctx->point = o.point;
    ctx->columns = stage->columns;
    ctx->seed = strtoull(o.seed, NULL, 10);
    ctx->control = o.control[0] ? o.control : NULL;
    ctx->inputs = o.inputs;
    ctx->n_inputs = o.n;
    TRY(stage->run(ctx, err));
cleanup:
    order_release(&o);
    return rc;
}
