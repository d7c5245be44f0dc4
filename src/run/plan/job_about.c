#include "run/plan/job_about.h"

#include "base/version.h"
#include "json/json_writer.h"

const char JOB_ABOUT_NOTE[] = "taskvec";

static void about_text(struct json_writer *w, const char *key, const char *value) {
    if (!value) return;
    json_write_key(w, key);
    json_write_bytes(w, value);
}

static void about_job(struct json_writer *w, const struct plan *p, size_t job) {
    const struct planned_job *j = &p->jobs[job];
    about_text(w, "stage", p->stages[j->stage].kind->name);
    about_text(w, "job", j->label);
    about_text(w, "identity", j->identity);
}

/* The method of the job, or of the fit that it reads. */
static const char *method_of(const struct plan *p, size_t job) {
    const struct planned_job *j = &p->jobs[job];
    const char *own = plan_text(j->point, "method");
    for (size_t i = 0; i < j->n_parents && !own; i++)
        own = plan_text(plan_read_point(p, j->parents[i]), "method");
    return own ? own : plan_text(j->point, "estimator");
}

static void about_model(struct json_writer *w, const struct plan *p, size_t job) {
    const size_t trained = plan_model(p, job);
    const char *file = plan_model_file(p, job);
    if (trained == job || (trained == PLAN_NONE && !file)) return;
    json_write_key(w, "model");
    json_write_object(w);
    if (trained != PLAN_NONE) {
        about_job(w, p, trained);
    } else {
        about_text(w, "file", file);
        about_text(w, "sha256", identity_files_find(p->files, file));
    }
    json_write_close(w);
}

static void about_reads(struct json_writer *w, const struct plan *p, size_t job) {
    const struct planned_job *j = &p->jobs[job];
    json_write_key(w, "reads");
    json_write_array(w);
    for (size_t i = 0; i < j->n_parents; i++) {
        json_write_object(w);
        about_job(w, p, j->parents[i]);
        json_write_close(w);
    }
    json_write_close(w);
}

/* Keys that cannot change a result are left out, so that the file has the same bytes for every
 * group of ranks. */
static void about_config(struct json_writer *w, const struct config_point *point) {
    struct text config = {0};
    for (size_t i = 0; i < config_point_size(point); i++) {
        const struct config_key *key = config_point_key(point, i);
        if (key->flags & CONFIG_SILENT) continue;
        text_add(&config, "%s = ", key->name);
        config_point_value(&config, point, i);
        text_add(&config, ";\n");
    }
    if (config.failed) w->out->failed = true;
    about_text(w, "config", text_str(&config));
    text_release(&config);
}

enum err_code job_about_write(struct text *out, const struct plan *p, size_t job, struct err *err) {
    const struct planned_job *j = &p->jobs[job];
    struct json_writer w = json_writer_begin(out);
    json_write_object(&w);
    about_text(&w, "program", version_number());
    about_text(&w, "revision", version_revision());
    about_job(&w, p, job);
    json_write_key(&w, "seed"), json_write_int(&w, (int64_t)config_seed(p->config));
    about_text(&w, "method", method_of(p, job));
    about_text(&w, "control", j->control);
    about_model(&w, p, job);
    about_reads(&w, p, job);
    about_config(&w, j->point);
    json_write_close(&w);
    return json_writer_end(&w, err);
}
