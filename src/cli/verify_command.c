#include <stdlib.h>

#include "base/file.h"
#include "base/text.h"
#include "cli/command.h"
#include "machine/memory_budget.h"
#include "run/rundir/run_state.h"
#include "run/verify/rerun.h"
#include "run/verify/verify_file.h"
#include "run/verify/verify_tokenizer.h"
#include "json/json_writer.h"

static const struct option_row OPTIONS[] = {
    {"--require", NULL, "NAMES", "reference: parts that must be compared: core,grad,ltv,..."},
    {"--tokenizer", NULL, "DIR", "FILE has cases (JSON) of the tokenizer in DIR"},
    {"--model", NULL, "DIR", "the language model that DIR/expected.h5 has numbers of"},
    {"--arithmetic", NULL, "NAME",
     "reference: products in f32 (default), bf16x3, bf16x2, bf16; wider bounds"},
    {"--json", NULL, NULL, "print the report as JSON"},
    {"--sample", NULL, "N", "DIR: recompute only N finished jobs, spread over the plan"},
};

/* ---- finished jobs, recomputed */

static enum err_code verify_job(const struct run_state *r, size_t job, size_t memory,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    struct rerun rerun = {0};
    TRY(rerun_job(&rerun, &r->plan, job, r->dir, memory, err));
    TRY(rerun_compare(&rerun, &r->plan, job, r->jobs[job].past, r->dir, err));
cleanup:
    rerun_release(&rerun);
    return rc;
}

struct verify_counts {
    size_t same, different;
};

static void report_job(struct text *out, struct json_writer *w, const struct run_state *r,
                       size_t job, enum err_code rc, const struct err *why) {
    const char *label = r->plan.jobs[job].label;
    if (!w) {
        text_add(out, "%-24s %s%s\n", label,
                 rc == ERR_OK ? "same bits" : "DIFFERS: ", rc == ERR_OK ? "" : why->msg);
        return;
    }
    json_write_object(w);
    json_write_key(w, "job"), json_write_text(w, label);
    json_write_key(w, "same"), json_write_bool(w, rc == ERR_OK);
    if (rc != ERR_OK) json_write_key(w, "difference"), json_write_text(w, why->msg);
    json_write_close(w);
}

/* Every finished job, or `sample` of them, evenly spaced. */
static enum err_code verify_jobs(struct verify_counts *t, struct text *out, struct json_writer *w,
                                 const struct run_state *r, size_t sample, struct err *err) {
    enum err_code rc = ERR_OK;
    struct memory_limits limits;
    const size_t done = r->count[QUEUE_DONE];
    const size_t wanted = sample > 0 && sample < done ? sample : done;
    size_t seen = 0, taken = 0;
    memory_budget_look(&limits);
    for (size_t j = 0; j < r->plan.n_jobs; j++) {
        if (r->jobs[j].state != QUEUE_DONE) continue;
        if (seen++ * wanted < taken * done) continue;
        struct err why = {0};
        const enum err_code one = verify_job(r, j, memory_budget_bytes(&limits), &why);
        taken++;
        t->same += one == ERR_OK;
        t->different += one != ERR_OK;
        report_job(out, w, r, j, one, &why);
    }
    CHECK(taken > 0, ERR_DATA, "%s: no job is done, so nothing could be checked", r->dir);
cleanup:
    return rc;
}

static enum err_code verify_directory(struct text *out, int *exit_code, const char *dir,
                                      size_t sample, bool json, struct err *err) {
    enum err_code rc = ERR_OK;
    struct run_state r = {0};
    struct verify_counts t = {0};
    struct json_writer w = json_writer_begin(out);
    TRY(run_state_open(&r, dir, err));
    if (json) {
        json_write_object(&w);
        json_write_key(&w, "jobs"), json_write_array(&w);
    }
    TRY(verify_jobs(&t, out, json ? &w : NULL, &r, sample, err));
    if (json) {
        json_write_close(&w);
        json_write_key(&w, "same"), json_write_int(&w, (int64_t)t.same);
        json_write_key(&w, "different"), json_write_int(&w, (int64_t)t.different);
        json_write_close(&w);
        TRY(json_writer_end(&w, err));
        text_add(out, "\n");
    } else {
        text_add(out, "%zu of %zu job%s recomputed: %zu the same, %zu different\n",
                 t.same + t.different, r.plan.n_jobs, text_plural(r.plan.n_jobs), t.same,
                 t.different);
    }
    if (t.different > 0) *exit_code = err_exit_code(ERR_DIFFERS);
cleanup:
    run_state_release(&r);
    return rc;
}

static enum err_code read_sample(size_t *out, const char *text, struct err *err) {
    char *end = NULL;
    *out = 0;
    if (!text) return ERR_OK;
    const unsigned long n = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || n == 0 || n > 1000000)
        return ERR(err, ERR_USAGE, "--sample %s: expected a number of jobs, 1 to 1000000", text);
    *out = n;
    return ERR_OK;
}

static enum err_code verify_command(struct text *out, int *exit_code, const struct options *o,
                                    char *const *argv, struct err *err) {
    enum err_code rc = ERR_OK;
    const char *path = o->args[0];
    const char *tokenizer = options_value(o, "--tokenizer"), *model = options_value(o, "--model");
    const bool other = options_has(o, "--arithmetic");
    struct verify_request request = {.require = options_value(o, "--require"),
                                     .json = options_has(o, "--json")};
    size_t sample = 0;
    (void)argv;
    TRY(options_arithmetic(&request.arithmetic, o, err));
    TRY(read_sample(&sample, options_value(o, "--sample"), err));
    CHECK(!model || verify_is_folder(path), ERR_USAGE,
          "--model is for folders with expected.h5; %s is none", path);
    if (verify_is_folder(path)) {
        CHECK(sample == 0 && !tokenizer, ERR_USAGE, "%s is not for %s, which has expected.h5",
              tokenizer ? "--tokenizer" : "--sample", path);
        TRY(verify_folder(out, path, model, &request, err));
    } else if (file_is_folder(path)) {
        CHECK(!request.require && !tokenizer && !other, ERR_USAGE,
              "%s is for reference files; %s is a run",
              request.require ? "--require"
              : tokenizer     ? "--tokenizer"
                              : "--arithmetic",
              path);
        TRY(verify_directory(out, exit_code, path, sample, request.json, err));
    } else {
        CHECK(sample == 0, ERR_USAGE, "--sample is for runs; %s is no directory", path);
        CHECK(tokenizer || !text_ends_with(path, ".json"), ERR_USAGE,
              "%s: cases of a tokenizer need --tokenizer DIR", path);
        if (tokenizer) {
            CHECK(!other, ERR_USAGE, "--arithmetic is not for cases of a tokenizer");
            TRY(verify_tokenizer(out, path, tokenizer, request.require, request.json, err));
            return ERR_OK;
        }
        TRY(verify_file(out, path, &request, err));
    }
cleanup:
    return rc;
}

const struct command COMMAND_VERIFY = {
    .name = "verify",
    .arguments = "FILE|DIR",
    .meaning = "check against reference numbers, or recompute finished jobs bit for bit",
    .more = "FILE: HDF5, with a model, prompts and numbers of any program to compare with; "
            "docs/verify.md has\nthe format and an example in Python.\nDIR: a run, or the folder "
            "of a language "
            "model with reference numbers in expected.h5.\n",
    .options = OPTIONS,
    .n_options = sizeof OPTIONS / sizeof *OPTIONS,
    .least_args = 1,
    .most_args = 1,
    .run = verify_command,
};
