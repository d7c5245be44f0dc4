#include "run/export/artifact_text.h"

#include <string.h>

#include "run/plan/job_about.h"
#include "stages/stage_tensors.h"
#include "store/artifact.h"
#include "json/json_writer.h"

/* ---- finding it */

static enum err_code no_artifact(const struct artifact_of *a, const struct run_state *r,
                                 struct err *err) {
    const bool planned = a->found.job != PLAN_NONE;
    return ERR(err, ERR_DATA, "%s is %s: it has no artifact; taskvec explain %s %.12s says why",
               a->label, planned ? queue_state_text(r->jobs[a->found.job].state) : "not finished",
               r->dir, a->found.identity);
}

enum err_code artifact_of_open(struct artifact_of *out, const struct run_state *r, const char *word,
                               struct err *err) {
    enum err_code rc = ERR_OK;
    *out = (struct artifact_of){.label = "no longer planned", .stage = ""};
    TRY(job_find(&out->found, word, &r->plan, &r->history, err));
    const struct history_job *past = out->found.past;
    if (out->found.job != PLAN_NONE) {
        const struct planned_job *job = &r->plan.jobs[out->found.job];
        out->label = job->label;
        out->stage = r->plan.stages[job->stage].kind->name;
    }
    TRY(artifact_path(out->path, r->dir, out->found.identity, err));
    if (!past || past->state != HISTORY_DONE || !artifact_present(r->dir, past))
        return no_artifact(out, r, err);
    TRY(tensorfile_open(&out->file, out->path, err));
cleanup:
    return rc;
}

void artifact_of_close(struct artifact_of *a) {
    tensorfile_close(a->file);
    a->file = NULL;
}

static const struct stage_tensor *tensor_meaning(const struct artifact_of *a,
                                                 const struct tensor_info *t) {
    static const struct stage_tensor unknown = {"", "", "", ""};
    const struct stage_tensor *found = stage_tensor_find(a->stage, t->name);
    return found ? found : &unknown;
}

/* ---- for people */

static void print_tensor(struct text *out, const struct artifact_of *a,
                         const struct tensor_info *t) {
    const struct stage_tensor *means = tensor_meaning(a, t);
    struct text shape = {0};
    for (size_t i = 0; i < t->rank; i++) text_add(&shape, "%s%zu", i ? " x " : "", t->shape[i]);
    text_add(out, "  %-20s %-16s", t->name, text_str(&shape));
    if (strcmp(means->name, "*") != 0) text_add(out, " %s", means->meaning);
    text_add(out, "\n");
    if (shape.failed) out->failed = true;
    text_release(&shape);
}

/* A value of several lines is indented below its key. */
static void print_value(struct text *out, const char *key, const char *value) {
    if (!strchr(value, '\n')) {
        text_add(out, "  %-20s %s\n", key, value);
        return;
    }
    text_add(out, "  %s\n", key);
    while (*value) {
        const size_t size = strcspn(value, "\n");
        text_add(out, "    %.*s\n", (int)size, value);
        value += size + (value[size] == '\n');
    }
}

static void add_scalar(struct text *out, struct json value) {
    const char *word;
    int64_t number;
    if (json_read_text(&word, value, "", NULL) == ERR_OK)
        text_add(out, "%s", word);
    else if (json_read_int(&number, value, "", NULL) == ERR_OK)
        text_add(out, "%lld", (long long)number);
}

/* "stage pretrain, job pretrain[0], ..."; those of an array are separated by semicolons. */
static void add_members(struct text *out, struct json value) {
    for (struct json_walk w = {.object = value}; json_next(&w);) {
        text_add(out, "%s%s ", out->size ? ", " : "", w.key);
        add_scalar(out, w.value);
    }
    for (size_t i = 0; i < (json_kind(value) == JSON_KIND_ARRAY ? json_count(value) : 0); i++) {
        struct text item = {0};
        add_members(&item, json_item(value, i));
        text_add(out, "%s%s", i ? "; " : "", text_str(&item));
        text_release(&item);
    }
}

static void print_about(struct text *out, struct json about) {
    for (struct json_walk w = {.object = about}; json_next(&w);) {
        const enum json_kind kind = json_kind(w.value);
        struct text value = {0};
        if (kind == JSON_KIND_OBJECT || kind == JSON_KIND_ARRAY)
            add_members(&value, w.value);
        else
            add_scalar(&value, w.value);
        print_value(out, w.key, text_str(&value));
        if (value.failed) out->failed = true;
        text_release(&value);
    }
}

/* The same key and value are part of `about`. */
static bool is_about(struct json about, const char *key, const char *value) {
    bool same = false;
    for (struct json_walk w = {.object = about}; json_next(&w);) {
        struct text other = {0};
        if (strcmp(w.key, key) == 0) add_scalar(&other, w.value);
        same = same || (other.size > 0 && strcmp(text_str(&other), value) == 0);
        text_release(&other);
    }
    return same;
}

/* The metadata `taskvec` is parsed; the other entries are printed as they are, unless it repeats
 * them. */
static void print_notes(struct text *out, const struct tensorfile *file) {
    const char *text = tensorfile_note(file, JOB_ABOUT_NOTE);
    struct json about = {0};
    const bool parsed =
        text && json_parse(&about, text, strlen(text), JOB_ABOUT_NOTE, NULL) == ERR_OK;
    for (size_t i = 0; i < tensorfile_note_count(file); i++) {
        const char *key, *value;
        tensorfile_note_at(file, i, &key, &value);
        if (parsed && strcmp(key, JOB_ABOUT_NOTE) == 0)
            print_about(out, about);
        else if (!parsed || !is_about(about, key, value))
            print_value(out, key, value);
    }
    json_release(&about);
}

void artifact_text(struct text *out, const struct artifact_of *a) {
    text_add(out, "%s  %s\n%s\n\ntensors\n", a->label, a->found.identity, a->path);
    for (size_t i = 0; i < tensorfile_count(a->file); i++)
        print_tensor(out, a, tensorfile_at(a->file, i));
    text_add(out, "\nmetadata\n");
    print_notes(out, a->file);
}

/* ---- for programs */

static void write_tensor(struct json_writer *w, const struct artifact_of *a,
                         const struct tensor_info *t) {
    json_write_object(w);
    json_write_key(w, "name"), json_write_bytes(w, t->name);
    json_write_key(w, "type"), json_write_text(w, tensor_type_name(t->type));
    json_write_key(w, "shape"), json_write_array(w);
    for (size_t i = 0; i < t->rank; i++) json_write_int(w, (int64_t)t->shape[i]);
    json_write_close(w);
    json_write_key(w, "meaning"), json_write_text(w, tensor_meaning(a, t)->meaning);
    json_write_close(w);
}

enum err_code artifact_json(struct text *out, const struct artifact_of *a, struct err *err) {
    struct json_writer w = json_writer_begin(out);
    json_write_object(&w);
    json_write_key(&w, "job"), json_write_text(&w, a->label);
    json_write_key(&w, "stage"), json_write_text(&w, a->stage);
    json_write_key(&w, "identity"), json_write_text(&w, a->found.identity);
    json_write_key(&w, "path"), json_write_bytes(&w, a->path);
    json_write_key(&w, "sha256"), json_write_text(&w, a->found.past->sha256);
    json_write_key(&w, "tensors"), json_write_array(&w);
    for (size_t i = 0; i < tensorfile_count(a->file); i++)
        write_tensor(&w, a, tensorfile_at(a->file, i));
    json_write_close(&w);
    json_write_key(&w, "metadata"), json_write_object(&w);
    for (size_t i = 0; i < tensorfile_note_count(a->file); i++) {
        const char *key, *value;
        tensorfile_note_at(a->file, i, &key, &value);
        json_write_key(&w, key), json_write_bytes(&w, value);
    }
    json_write_close(&w);
    json_write_close(&w);
    const enum err_code rc = json_writer_end(&w, err);
    text_add(out, "\n");
    return rc;
}
