#include "base/log.h"
#include "base/text.h"
#include "cli/command.h"
#include "run/tables/digest.h"

static enum err_code digest_command(struct text *out, int *exit_code, const struct options *o,
                                    char *const *argv, struct err *err) {
    enum err_code rc = ERR_OK;
    struct run_state r = {0};
    char digest[HASH_HEX];
    size_t left = 0;
    (void)argv;
    TRY(run_state_open(&r, o->args[0], err));
    TRY(digest_make(digest, &left, &r, err));
    text_add(out, "%s\n", digest);
    if (left > 0) {
        const struct log log = {.level = LOG_WARNING};
        log_line(&log, LOG_WARNING, "%s: %zu of %zu job%s not done; the digest will change", r.dir,
                 left, r.plan.n_jobs, text_plural(r.plan.n_jobs));
        *exit_code = run_state_exit_code(&r);
    }
cleanup:
    run_state_release(&r);
    return rc;
}

const struct command COMMAND_DIGEST = {
    .name = "digest",
    .arguments = "DIR",
    .meaning = "print one hash of all results; identical results have equal hashes",
    .least_args = 1,
    .most_args = 1,
    .run = digest_command,
};
