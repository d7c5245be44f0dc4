#include "run/rundir/config_change.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "journal/journal.h"
#include "run/rundir/run_state.h"
#include "run/rundir/rundir.h"

enum { CONFIG_BYTES = 1 << 24 }; /* as in rundir.c: resolved configs are long */

static bool is_finished(const struct history *h, const char *identity) {
    const struct history_job *past = history_find(h, identity);
    return past && past->state == HISTORY_DONE;
}

static void compare_plans(struct config_change *out, const struct plan *now,
                          const struct plan *before, const struct history *h) {
    for (size_t j = 0; j < now->n_jobs; j++) {
        const char *identity = now->jobs[j].identity;
        if (plan_find(before, identity) != PLAN_NONE)
            out->unchanged++;
        else
            out->added++, out->added_finished += is_finished(h, identity);
    }
    for (size_t j = 0; j < before->n_jobs; j++) {
        const char *identity = before->jobs[j].identity;
        if (plan_find(now, identity) == PLAN_NONE)
            out->gone++, out->gone_finished += is_finished(h, identity);
    }
    out->changed = out->added > 0 || out->gone > 0;
}

static void compare_configs(struct config_change *out, const char *dir, const struct plan *now,
                            const struct config *config, const char *inputs) {
    struct err ignored = {0};
    struct plan before = {0};
    struct history history = {0};
    if (strcmp(config_name(config), config_name(now->config)) != 0)
        (void)snprintf(out->other_name, sizeof out->other_name, "%s", config_name(config));
    if (plan_make_recorded(&before, config, inputs, &ignored) == ERR_OK &&
        (!out->same_config || identity_files_changed(before.files)) &&
        journal_history(&history, dir, &ignored) == ERR_OK)
        compare_plans(out, now, &before, &history);
    history_release(&history);
    plan_release(&before);
}

/* `text`: of DIR/config.cfg. */
static void find_kept(struct config_change *out, const char *dir, const struct text *text) {
    struct err ignored = {0};
    char sum[HASH_HEX];
    rundir_config_sum(sum, text);
    if (rundir_kept_path(out->kept, dir, sum, &ignored) != ERR_OK || !file_exists(out->kept))
        out->kept[0] = '\0';
}

void config_change_find(struct config_change *out, const char *dir, const struct plan *plan,
                        const struct stage_schemas *schemas) {
    struct err ignored = {0};
    struct config *config = NULL;
    char path[FILE_PATH_MAX];
    struct text resolved = {0}, before = {0}, inputs = {0};
    *out = (struct config_change){0};
    config_print(&resolved, plan->config);
    if (run_state_config_path(path, dir, &ignored) == ERR_OK && file_exists(path) &&
        file_read(&before, path, CONFIG_BYTES, &ignored) == ERR_OK &&
        run_state_read_inputs(&inputs, dir, &ignored) == ERR_OK &&
        stage_schemas_open(&config, schemas, path, NULL, 0, &ignored) == ERR_OK) {
        out->same_config = strcmp(text_str(&before), text_str(&resolved)) == 0;
        find_kept(out, dir, &before);
        compare_configs(out, dir, plan, config, text_str(&inputs));
    }
    text_release(&inputs);
    text_release(&before);
    config_close(config);
    text_release(&resolved);
}

void config_change_describe(struct text *out, const struct config_change *c, const char *dir) {
    if (!c->changed) return;
    text_add(out, "%s: %s: %zu new", dir,
             c->same_config ? "a file that it names has other content than in the run so far"
                            : "the config changed",
             c->added);
    if (c->added_finished > 0) text_add(out, " (%zu finished earlier)", c->added_finished);
    text_add(out, ", %zu unchanged, %zu no longer planned", c->unchanged, c->gone);
    if (c->gone_finished == 0) return;
    text_add(out, ", of which %zu %s finished: the results stay in the journal", c->gone_finished,
             c->gone_finished == 1 ? "is" : "are");
    if (c->same_config)
        text_add(out, " and return with the earlier content of the file");
    else if (c->kept[0])
        text_add(out, " and return with the config before, %s", c->kept);
}

enum err_code config_change_check_owner(const struct config_change *change, const char *dir,
                                        const struct plan *plan, struct err *err) {
    char why[2 * CONFIG_CHANGE_NAME + 64] = "", finished[64] = "";
    if (change->other_name[0])
        (void)snprintf(why, sizeof why, "holds the run \"%s\", this config is \"%.*s\"",
                       change->other_name, CONFIG_CHANGE_NAME, config_name(plan->config));
    else if (change->changed && change->unchanged == 0 && !change->same_config)
        (void)snprintf(why, sizeof why, "holds a run that shares no job with this config");
    if (!why[0]) return ERR_OK;
    if (change->gone_finished > 0)
        (void)snprintf(finished, sizeof finished, " (%zu finished)", change->gone_finished);
    return ERR(
        err, ERR_CONFIG,
        "%s: %s: %zu job%s would be new, %zu unchanged, %zu no longer planned%s; give another "
        "folder with -o, or use --replace-config to change the config of this one",
        dir, why, change->added, text_plural(change->added), change->unchanged, change->gone,
        finished);
}
