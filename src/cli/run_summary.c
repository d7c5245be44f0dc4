#include "cli/run_summary.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "par/launcher.h"

/* Names results.h5 only where there is one, of this run. */
static void add_results(struct text *out, const char *dir, bool published) {
    struct text path = {0};
    text_add(&path, "%s/results.h5", dir);
    if (published)
        text_add(out, "; %s", text_str(&path));
    else if (file_exists(text_str(&path)))
        text_add(out, "; results.h5 is unchanged, tables read the journal");
    else
        text_add(out, "; no results.h5 yet, tables read the journal");
    if (path.failed) out->failed = true;
    text_release(&path);
}

void run_summary_print(struct text *out, const char *dir, const struct run_ending *e,
                       char *const *argv, int ranks) {
    const struct farm_outcome *o = e->outcome;
    char span[32];
    clock_span(span, o->seconds);
    text_add(out, "%s: %zu of %zu job%s done", dir, o->done, o->jobs, text_plural(o->jobs));
    if (o->done_now) text_add(out, ", %zu of them now in %s", o->done_now, span);
    if (o->failed) text_add(out, ", %zu failed", o->failed);
    if (o->blocked) text_add(out, ", %zu blocked", o->blocked);
    if (o->pending) text_add(out, ", %zu left", o->pending);
    if (o->failed) text_add(out, "; taskvec status %s gives the reasons", dir);
    add_results(out, dir, e->published);
    if (e->disk_full) text_add(out, "; free space and run the same command again");
    if (o->exit_code == EXIT_WORK_REMAINS) {
        text_add(out, "; work remains, to resume: ");
        launcher_command(out, argv, ranks);
    }
    text_add(out, "\n");
}

void run_summary_print_at_once(const char *dir, const struct run_ending *e, char *const *argv,
                               int ranks) {
    struct text line = {0};
    run_summary_print(&line, dir, e, argv, ranks);
    (void)fprintf(stderr, "taskvec: %s", text_str(&line));
    text_release(&line);
}
