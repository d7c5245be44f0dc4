#include "cli/run_summary.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/text.h"
#include "par/launcher.h"

void run_summary_print(struct text *out, const char *dir, const struct farm_outcome *o,
                       char *const *argv, int ranks) {
    char span[32];
    clock_span(span, o->seconds);
    text_add(out, "%s: %zu of %zu job%s done", dir, o->done, o->jobs, text_plural(o->jobs));
    if (o->done_now) text_add(out, ", %zu of them now in %s", o->done_now, span);
    if (o->failed) text_add(out, ", %zu failed", o->failed);
    if (o->blocked) text_add(out, ", %zu blocked", o->blocked);
    if (o->pending) text_add(out, ", %zu left", o->pending);
    if (o->failed) text_add(out, "; taskvec status %s gives the reasons", dir);
    if (o->at_once)
        text_add(out, "; results.h5 is unchanged, tables read the journal");
    else
        text_add(out, "; %s/results.h5", dir);
    if (o->exit_code == EXIT_WORK_REMAINS) {
        text_add(out, "; work remains, to resume: ");
        launcher_command(out, argv, ranks);
    }
    text_add(out, "\n");
}

void run_summary_print_at_once(const char *dir, const struct farm_outcome *o, char *const *argv,
                               int ranks) {
    struct text line = {0};
    run_summary_print(&line, dir, o, argv, ranks);
    (void)fprintf(stderr, "taskvec: %s", text_str(&line));
    text_release(&line);
}
