#include "cli/command.h"
#include "run/export/artifact_text.h"
#include "run/export/edits_file.h"
#include "run/export/model_folder.h"

static const struct option_row OPTIONS[] = {
    {"--json", NULL, NULL, "print JSON"},
    {"--edits", NULL, "FILE", "write the vector of a fit, choice or evaluation, and its edits"},
    {"--model", NULL, "FOLDER", "write a trained language model as a Hugging Face folder"},
};

static enum err_code write_edits(struct text *out, const struct run_state *r,
                                 const struct options *o, struct err *err) {
    enum err_code rc = ERR_OK;
    struct job_found found;
    TRY(job_find(&found, o->args[1], &r->plan, &r->history, err));
    CHECK(found.job != PLAN_NONE, ERR_USAGE, "%s is no longer planned: its keys are not known",
          o->args[1]);
    TRY(edits_file_write(out, options_value(o, "--edits"), r, found.job, err));
cleanup:
    return rc;
}

static enum err_code artifact_command(struct text *out, int *exit_code, const struct options *o,
                                      char *const *argv, struct err *err) {
    enum err_code rc = ERR_OK;
    struct run_state r = {0};
    struct artifact_of a = {0};
    (void)exit_code, (void)argv;
    TRY(run_state_open(&r, o->args[0], err));
    if (options_has(o, "--edits")) {
        TRY(write_edits(out, &r, o, err));
        goto cleanup;
    }
    TRY(artifact_of_open(&a, &r, o->args[1], err));
    if (options_has(o, "--model"))
        TRY(model_folder_write(out, options_value(o, "--model"), &r, &a, err));
    else if (options_has(o, "--json"))
        TRY(artifact_json(out, &a, err));
    else
        artifact_text(out, &a);
cleanup:
    artifact_of_close(&a);
    run_state_release(&r);
    return rc;
}

const struct command COMMAND_ARTIFACT = {
    .name = "artifact",
    .arguments = "DIR JOB",
    .meaning = "show the file of a job's results: path, tensors, metadata",
    .more =
        "JOB: a label such as `fit[3]`, a line of `taskvec plan`, or the first digits of an "
        "identity.\n`taskvec help --markdown artifacts` lists the tensors of every stage, and "
        "what the vector of "
        "each\nmethod is made of; so does docs/results.md.\n"
        "analysis/apply_vector.py reads what --edits writes; transformers and taskvec read the\n"
        "folder that --model writes: config.json, model.safetensors in F16, the tokenizer.\n",
    .options = OPTIONS,
    .n_options = sizeof OPTIONS / sizeof *OPTIONS,
    .least_args = 2,
    .most_args = 2,
    .run = artifact_command,
};
