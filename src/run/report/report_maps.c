#include <stdlib.h>
#include <string.h>

#include "methods/method.h"
#include "run/report/report.h"
#include "run/tables/stage_table.h"
#include "store/artifact.h"
#include "tensorfile/tensorfile.h"

enum { MAPS_MOST = 60 }; /* of one run: more would take most of the page */

static void begin_map(struct json_writer *w, const char *stage, const char *job,
                      const char *title) {
    json_write_object(w);
    json_write_key(w, "stage"), json_write_bytes(w, stage);
    json_write_key(w, "job"), json_write_bytes(w, job);
    json_write_key(w, "title"), json_write_bytes(w, title);
    json_write_key(w, "values"), json_write_array(w);
}

static void end_map(struct json_writer *w) {
    json_write_close(w);
    json_write_close(w);
}

/* ---- weights of fits */

/* The weights of the job's method are one number for each head. */
static bool weighs_heads(const struct planned_job *job) {
    if (!config_has(job->point, "method")) return false;
    const struct method *m = method_find(config_text(job->point, "method"));
    return m && strncmp(m->docs.weights, "L x H", strlen("L x H")) == 0;
}

static void write_layers(struct json_writer *w, const float *x, size_t L, size_t H) {
    for (size_t l = 0; l < L; l++) {
        json_write_array(w);
        for (size_t h = 0; h < H; h++) report_write_short(w, (double)x[l * H + h]);
        json_write_close(w);
    }
}

static enum err_code write_weights(struct json_writer *w, const struct run_state *r, size_t job,
                                   struct err *err) {
    enum err_code rc = ERR_OK;
    const struct planned_job *j = &r->plan.jobs[job];
    struct tensorfile *file = NULL;
    float *x = NULL;
    char path[FILE_PATH_MAX];
    TRY(artifact_path(path, r->dir, j->identity, err));
    TRY(tensorfile_open(&file, path, err));
    const struct tensor_info *t = tensorfile_find(file, "weights");
    CHECK(t && t->rank == 2, ERR_DATA, "%s: no tensor weights [layers, heads]", path);
    TRY(tensorfile_copy(&x, file, t, err));
    begin_map(w, r->plan.stages[j->stage].name, j->label, config_text(j->point, "method"));
    write_layers(w, x, t->shape[0], t->shape[1]);
    end_map(w);
cleanup:
    free(x);
    tensorfile_close(file);
    return rc;
}

/* ---- effects of heads */

/* The rows of a job go through the heads layer by layer; returns the row after its last one. */
static size_t write_effects(struct json_writer *w, const struct stage_table *t, size_t row,
                            const char *stage) {
    const size_t layer_at = stage_table_column(t, "layer"), at = stage_table_column(t, "effect");
    const size_t end = row + stage_table_job_rows(t, row);
    double last = -1;
    begin_map(w, stage, stage_table_cell(t, row, t->job)->as.text, "effect");
    for (; row < end; row++) {
        const double layer = stage_table_number(stage_table_cell(t, row, layer_at));
        if (layer < last) break; /* another map of the same job */
        if (layer > last) {
            if (last >= 0) json_write_close(w);
            json_write_array(w);
            last = layer;
        }
        report_write_short(w, stage_table_number(stage_table_cell(t, row, at)));
    }
    json_write_close(w);
    end_map(w);
    return row;
}

static enum err_code write_effects_stage(struct json_writer *w, size_t *n,
                                         const struct run_state *r, size_t stage, struct err *err) {
    enum err_code rc = ERR_OK;
    struct stage_table t = {0};
    TRY(stage_table_collect(&t, r, stage, err));
    for (size_t row = 0; row < t.n && *n < MAPS_MOST; ++*n)
        row = write_effects(w, &t, row, r->plan.stages[stage].name);
cleanup:
    stage_table_release(&t);
    return rc;
}

enum err_code report_maps_write(struct json_writer *w, const struct run_state *r, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct plan *p = &r->plan;
    size_t n = 0;
    json_write_array(w);
    for (size_t s = 0; s < p->n_stages; s++)
        if (plan_stage_is(p, s, "effects")) TRY(write_effects_stage(w, &n, r, s, err));
    for (size_t j = 0; j < p->n_jobs && n < MAPS_MOST; j++) {
        if (r->jobs[j].state != QUEUE_DONE || !weighs_heads(&p->jobs[j])) continue;
        if (!plan_stage_is(p, p->jobs[j].stage, "fit")) continue;
        TRY(write_weights(w, r, j, err));
        n++;
    }
    json_write_close(w);
cleanup:
    return rc;
}
