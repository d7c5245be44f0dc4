#include "run/export/edits_file.h"

#include <stdlib.h>
#include <string.h>

#include "run/export/edits_names.h"
#include "run/plan/job_about.h"
#include "stages/choose.h"
#include "stages/fitted_method.h"
#include "stages/job_model.h"
#include "store/artifact.h"
#include "json/json_writer.h"

struct edits_file {
    const struct run_state *run;
    size_t job, fit; /* of the plan; fit PLAN_NONE: a control without one */
    struct model model;
    struct fitted_method fitted;
    size_t T0;          /* points of a basis prompt or window; 0: not known */
    float *v, *scratch; /* [method_values] */
    struct edit *items;
    struct edits edits;
};

static const struct planned_job *planned(const struct edits_file *f, size_t job) {
    return &f->run->plan.jobs[job];
}

static const char *kind_of_job(const struct edits_file *f, size_t job) {
    return f->run->plan.stages[planned(f, job)->stage].kind->name;
}

static void edits_file_close(struct edits_file *f) {
    free(f->items);
    free(f->scratch);
    free(f->v);
    fitted_method_close(&f->fitted);
    model_close(&f->model);
}

/* ---- what the job applies */

static enum err_code artifact_path_of(char out[FILE_PATH_MAX], const struct edits_file *f,
                                      size_t job, struct err *err) {
    const struct run_state *r = f->run;
    const struct run_state_job *state = &r->jobs[job];
    if (state->state != QUEUE_DONE)
        return ERR(err, ERR_DATA, "%s is %s: run the config first", planned(f, job)->label,
                   queue_state_text(state->state));
    return artifact_path(out, r->dir, planned(f, job)->identity, err);
}

/* f->fit becomes `job` if it is a fit, or the one that it chose. */
static enum err_code take_fit(struct edits_file *f, size_t job, struct err *err) {
    enum err_code rc = ERR_OK;
    char path[FILE_PATH_MAX];
    size_t chosen = 0;
    if (strcmp(kind_of_job(f, job), "fit") == 0) f->fit = job;
    if (strcmp(kind_of_job(f, job), "choose") != 0) return ERR_OK;
    TRY(artifact_path_of(path, f, job, err));
    TRY(choose_read(&chosen, path, planned(f, job)->n_parents, err));
    f->fit = planned(f, job)->parents[chosen];
cleanup:
    return rc;
}

static enum err_code find_fit(struct edits_file *f, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct planned_job *job = planned(f, f->job);
    const struct method *control = job->control ? method_find(job->control) : NULL;
    const char *kind = kind_of_job(f, f->job);
    const bool evaluates = strcmp(kind, "evaluate") == 0;
    f->fit = PLAN_NONE;
    TRY(take_fit(f, f->job, err));
    CHECK(evaluates || f->fit != PLAN_NONE, ERR_DATA,
          "%s is a job of %s, which edits nothing: give one of fit, choose or evaluate", job->label,
          kind);
    CHECK(!control || !control->control.redraw, ERR_DATA,
          "%s: %s draws other values for every function, so there is no vector to write",
          job->label, job->control);
    for (size_t i = 0; evaluates && i < job->n_parents; i++) TRY(take_fit(f, job->parents[i], err));
cleanup:
    return rc;
}

static enum err_code open_exported_model(struct edits_file *f, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct plan *p = &f->run->plan;
    char path[FILE_PATH_MAX];
    const size_t owner = f->fit != PLAN_NONE ? f->fit : f->job;
    const size_t trained = plan_model(p, owner);
    const char *file = plan_model_file(p, owner);
    CHECK(trained != PLAN_NONE || file, ERR_DATA, "%s has no model", planned(f, f->job)->label);
    CHECK(trained != PLAN_NONE || !identity_files_differ(p->files, plan_read_point(p, owner)),
          ERR_DATA, "%s: the model has other content than in the run, or is gone", file);
    if (trained != PLAN_NONE) TRY(artifact_path_of(path, f, trained, err));
    TRY(model_open(&f->model, trained != PLAN_NONE ? path : file, err));
cleanup:
    return rc;
}

static enum err_code open_exported_method(struct edits_file *f, struct err *err) {
    enum err_code rc = ERR_OK;
    char path[FILE_PATH_MAX];
    const struct planned_job *job = planned(f, f->job);
    if (f->fit == PLAN_NONE) {
        method_setup_named(&f->fitted.setup, job->control ? job->control : "plain",
                           &f->model.params);
    } else {
        TRY(artifact_path_of(path, f, f->fit, err));
        TRY(fitted_method_open(&f->fitted, planned(f, f->fit)->point, path, &f->model.params, err));
        job = planned(f, f->fit);
    }
    if (job_model_basis_points(&f->T0, job->point, f->model.trained_points, NULL) != ERR_OK)
        f->T0 = 0;
cleanup:
    return rc;
}

/* v for one row, and the edits that read it. Where each prompt has a vector of its own v stays 0:
 * only the places in it are used. */
static enum err_code make_edits(struct edits_file *f, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct method_setup *s = &f->fitted.setup;
    const struct method_application *m = &s->method->application;
    const struct basis basis = f->fitted.has_mean ? basis_set_view(&f->fitted.mean, 0, 1)
                                                  : (struct basis){.R = 1, .stride = 1};
    if (!m->vector) return ERR_OK;
    const size_t scratch = m->scratch ? m->scratch(s, 1) : 0;
    f->v = calloc(method_values(s), sizeof *f->v);
    f->scratch = calloc(scratch + 1, sizeof *f->scratch);
    f->items = calloc(method_edits_most(s) + 1, sizeof *f->items);
    CHECK(f->v && f->scratch && f->items, ERR_MEMORY, "no memory for a vector");
    if (!f->fitted.own_basis) m->vector(f->v, f->fitted.w, &basis, s, f->scratch);
    method_edits(f->items, &f->edits, f->v, f->fitted.w, 1, s);
cleanup:
    return rc;
}

/* ---- the metadata */

static void member_text(struct json_writer *w, const char *key, const char *value) {
    json_write_key(w, key);
    json_write_text(w, value);
}

static void member_size(struct json_writer *w, const char *key, size_t value) {
    json_write_key(w, key);
    json_write_int(w, (int64_t)value);
}

/* The place of `part` in the vector; null where there is none. */
static void member_place(struct json_writer *w, const struct edits_file *f, const char *key,
                         const float *part) {
    json_write_key(w, key);
    if (part)
        json_write_int(w, part - f->v);
    else
        json_write_null(w);
}

static void write_edit(struct json_writer *w, const struct edits_file *f, const struct edit *e) {
    const struct model_dims *d = &f->model.params.dims;
    const size_t width = e->site == EDIT_HEADS ? model_heads_width(d) : d->E;
    json_write_object(w);
    member_text(w, "kind", EDITS_KINDS[e->operation]);
    member_text(w, "site", EDITS_SITES[e->site]);
    member_size(w, "layer", e->layer);
    member_text(w, "scope", EDITS_SCOPES[e->scope]);
    member_size(w, "from", e->from);
    member_size(w, "n", edit_width(e, width));
    if (e->operation == EDIT_MAP) {
        member_size(w, "rank", e->map.rank);
        member_place(w, f, "A", e->map.A);
        member_place(w, f, "B", e->map.B);
        member_place(w, f, "c", e->map.c);
    } else {
        member_place(w, f, "values", e->values);
        json_write_key(w, "scale");
        json_write_number(w, e->operation == EDIT_REPLACE ? 1 : (double)e->scale);
    }
    json_write_close(w);
}

/* What the formula of a vector needs besides weights and basis: keys of the method as JSON text. */
static void write_method_keys(struct json_writer *w, const struct edits_file *f) {
    const struct config_point *point = f->fit == PLAN_NONE ? NULL : planned(f, f->fit)->point;
    const char *name = f->fitted.setup.method->name;
    json_write_key(w, "keys");
    json_write_object(w);
    for (size_t i = 0; point && i < config_point_size(point); i++) {
        const char *key = config_point_key(point, i)->name;
        struct text value = {0};
        if (strncmp(key, name, strlen(name)) != 0 || key[strlen(name)] != '.') continue;
        config_point_value(&value, point, i);
        if (value.failed) w->out->failed = true;
        json_write_key(w, key + strlen(name) + 1);
        json_write_bytes(w, text_str(&value));
        text_release(&value);
    }
    json_write_close(w);
}

static void write_basis(struct json_writer *w, const struct edits_file *f) {
    const struct method_setup *s = &f->fitted.setup;
    const unsigned parts = f->fitted.own_basis ? method_basis(s) : 0;
    json_write_key(w, "basis");
    json_write_array(w);
    for (enum basis_part p = 0; p < BASIS_PARTS; p++)
        if (parts & basis_bit(p)) json_write_text(w, BASIS_NAMES[p]);
    json_write_close(w);
    member_size(w, "basis_points", f->T0);
    member_size(w, "recent", s->method->inputs.recent ? s->method->inputs.recent(s) : 1);
}

static void write_method(struct json_writer *w, const struct edits_file *f) {
    const struct method_setup *s = &f->fitted.setup;
    const double chosen = s->method->derivation.chosen ? s->method->derivation.chosen(s) : 0;
    member_text(w, "method", s->method->name);
    member_text(w, "variant", method_variant(s));
    json_write_key(w, "chosen"), json_write_number(w, chosen);
    member_text(w, "vector", f->fitted.own_basis ? "prompt" : f->v ? "given" : "none");
    member_size(w, "values", f->v ? method_values(s) : 0);
    member_text(w, "prompt", EDITS_PROMPTS[s->method->inputs.prompt]);
    member_size(w, "trained_points", f->model.trained_points);
    write_basis(w, f);
    write_method_keys(w, f);
}

static enum err_code write_description(struct text *out, const struct edits_file *f,
                                       struct err *err) {
    const struct config_point *point = planned(f, f->job)->point,
                              *fit = f->fit == PLAN_NONE ? NULL : planned(f, f->fit)->point;
    struct json_writer w = json_writer_begin(out);
    json_write_object(&w);
    member_size(&w, "format", EDITS_FORMAT);
    write_method(&w, f);
    member_size(&w, "wpe_seed", (size_t)job_model_wpe_seed(point, fit));
    json_write_key(&w, "edits");
    json_write_array(&w);
    for (size_t i = 0; i < f->edits.n; i++) write_edit(&w, f, &f->edits.items[i]);
    json_write_close(&w);
    json_write_close(&w);
    return json_writer_end(&w, err);
}

/* ---- the file */

static enum err_code add_edit_tensors(struct tensor_writer *w, const struct edits_file *f,
                                      struct err *err) {
    enum err_code rc = ERR_OK;
    const struct method_setup *s = &f->fitted.setup;
    const size_t values = method_values(s);
    size_t shape[2];
    if (f->v && !f->fitted.own_basis) TRY(tensor_writer_add(w, "vector", 1, &values, f->v, err));
    if (!f->fitted.own_basis || !f->fitted.w) return ERR_OK;
    s->method->derivation.weights_shape(shape, s);
    TRY(tensor_writer_add(w, "weights", 2, shape, f->fitted.w, err));
cleanup:
    return rc;
}

static enum err_code save_edits(const char *path, const struct edits_file *f, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text description = {0}, about = {0};
    struct tensor_writer *w = NULL;
    TRY(write_description(&description, f, err));
    TRY(job_about_write(&about, &f->run->plan, f->job, err));
    TRY(tensor_writer_create(&w, err));
    TRY(add_edit_tensors(w, f, err));
    TRY(tensor_writer_note(w, EDITS_NOTE, text_str(&description), err));
    TRY(tensor_writer_note(w, JOB_ABOUT_NOTE, text_str(&about), err));
    TRY(tensor_writer_save(w, path, err));
cleanup:
    tensor_writer_destroy(w);
    text_release(&about);
    text_release(&description);
    return rc;
}

enum err_code edits_file_write(struct text *out, const char *path, const struct run_state *r,
                               size_t job, struct err *err) {
    enum err_code rc = ERR_OK;
    struct edits_file f = {.run = r, .job = job};
    TRY(find_fit(&f, err));
    TRY(open_exported_model(&f, err));
    TRY(open_exported_method(&f, err));
    TRY(make_edits(&f, err));
    TRY(save_edits(path, &f, err));
    text_add(out, "%s: %zu edit%s of %s (%s)%s\n", path, f.edits.n, f.edits.n == 1 ? "" : "s",
             planned(&f, job)->label, f.fitted.setup.method->name,
             f.fitted.own_basis ? "; each prompt has a vector of its own" : "");
cleanup:
    edits_file_close(&f);
    return rc;
}
