#include "cli/command.h"
#include "cli/explain_print.h"

static const struct option_row OPTIONS[] = {
    {"--with", NULL, "CFG", "explain as if the run were resumed with this config"},
    {"--set", "-s", "KEY=VALUE", "override a key of the config; repeatable"},
    {"--json", NULL, NULL, "print JSON"},
};

/* The plan of --with and --set, or what would run now that a file has other content; plan->config
 * NULL where nothing has changed. */
static enum err_code make_other(struct config **config, struct plan *plan,
                                const struct run_state *r, const struct options *o,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    char path[FILE_PATH_MAX];
    const char *sets[OPTIONS_MAX];
    const size_t n_sets = options_values(sets, o, "--set");
    const char *given = options_value(o, "--with");
    if (!given && n_sets == 0 && !identity_files_changed(r->plan.files)) return ERR_OK;
    TRY(run_state_config_path(path, r->dir, err));
    TRY(stage_schemas_open(config, &r->schemas, given ? given : path, sets, n_sets, err));
    TRY(plan_make(plan, *config, err));
cleanup:
    return rc;
}

static enum err_code explain_command(struct text *out, int *exit_code, const struct options *o,
                                     char *const *argv, struct err *err) {
    enum err_code rc = ERR_OK;
    struct run_state r = {0};
    struct config *config = NULL;
    struct plan other = {0};
    struct explain e = {0};
    (void)exit_code, (void)argv;
    TRY(run_state_open(&r, o->args[0], err));
    TRY(make_other(&config, &other, &r, o, err));
    TRY(explain_make(&e, &r, other.config ? &other : &r.plan, o->args[1], err));
    if (options_has(o, "--json"))
        TRY(explain_print_json(out, &e, err));
    else
        explain_print(out, &e);
cleanup:
    explain_release(&e);
    plan_release(&other);
    config_close(config);
    run_state_release(&r);
    return rc;
}

const struct command COMMAND_EXPLAIN = {
    .name = "explain",
    .arguments = "DIR JOB",
    .meaning = "show what identifies a job, and whether and why it would run again",
    .more = "JOB: a label such as `fit[3]`, a line of `taskvec plan`, or the first digits of an "
            "identity (ten\ndigits or more where they could also be the number of a line).\n"
            "The job is compared with the most similar finished job that is no longer planned. To "
            "see the\neffect of a change before it is run:\n"
            "  taskvec explain DIR 'fit[3]' -s fit.points=16\n",
    .options = OPTIONS,
    .n_options = sizeof OPTIONS / sizeof *OPTIONS,
    .least_args = 2,
    .most_args = 2,
    .run = explain_command,
};
