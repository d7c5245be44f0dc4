#include "base/log.h"
#include "cli/command.h"
#include "run/report/report.h"

static const char DEFAULT_FILE[] = "report.html";

static const struct option_row OPTIONS[] = {
    {"--output", "-o", "FILE", "where to write the page (default: report.html)"},
};

static enum err_code report_command(struct text *out, int *exit_code, const struct options *o,
                                    char *const *argv, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text page = {0};
    const char *file = options_value(o, "--output");
    (void)argv;
    (void)exit_code;
    if (!file) file = DEFAULT_FILE;
    TRY(report_make(&page, (const char *const *)o->args, o->n_args, err));
    TRY(file_replace(file, page.data, page.size, err));
    text_add(out, "%s: %zu run%s, %zu kB\n", file, o->n_args, text_plural(o->n_args),
             page.size / 1000);
    if (page.size > REPORT_BYTES)
        log_line(&(struct log){.level = LOG_WARNING}, LOG_WARNING,
                 "%s has %zu bytes, more than %d: a page of fewer runs opens faster", file,
                 page.size, REPORT_BYTES);
cleanup:
    text_release(&page);
    return rc;
}

const struct command COMMAND_REPORT = {
    .name = "report",
    .arguments = "DIR...",
    .meaning = "write one HTML page of a run, or of several side by side",
    .more =
        "The page needs no other file and no network: main table, curves whose legend shows and\n"
        "hides lines, maps of heads, failures, provenance, and how to reproduce the run.\n",
    .options = OPTIONS,
    .n_options = sizeof OPTIONS / sizeof *OPTIONS,
    .least_args = 1,
    .most_args = OPTIONS_MAX,
    .run = report_command,
};
