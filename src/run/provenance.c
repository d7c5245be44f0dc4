#include "run/provenance.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/version.h"
#include "ops/blas.h"
#include "par/par.h"
#include "store/results.h"
#include "json/json.h"

void provenance_versions(struct text *out) {
    text_add(out, "taskvec %s\n", version_number());
    text_add(out, "revision   %s%s\n", version_revision(),
             version_is_dirty() ? ", with local changes" : "");
    text_add(out, "compiler   %s\n", version_compiler());
    text_add(out, "flags      %s\n", version_flags());
    text_add(out, "blas       %s, core %s\n", blas_config(), blas_core());
    text_add(out, "mpi        ");
    par_library(out);
    text_add(out, "\nlibraries  ");
    results_library(out);
    text_add(out, ", ");
    config_library(out);
    text_add(out, ", ");
    json_library(out);
    text_add(out, ", ");
    hash_library(out);
    text_add(out, "\n");
}

void provenance_machine(struct text *out) {
    text_add(out, "revision %.12s%s, %s, %s, BLAS core %s", version_revision(),
             version_is_dirty() ? " with local changes" : "", version_compiler(), version_flags(),
             blas_core());
}

static struct text *add(struct provenance *p, const char *name) {
    p->fields[p->n].name = name;
    return &p->fields[p->n++].value;
}

static void add_environment(struct provenance *p, const char *name, const char *variable) {
    const char *value = getenv(variable);
    if (value) text_add(add(p, name), "%s", value);
}

/* The first "model name" of /proc/cpuinfo; nothing where there is none. */
static void add_cpu(struct provenance *p) {
    struct text info = {0};
    struct err ignored = {0};
    if (file_read(&info, "/proc/cpuinfo", (size_t)64 << 20, &ignored) == ERR_OK) {
        const char *line = strstr(text_str(&info), "model name");
        const char *colon = line ? strchr(line, ':') : NULL;
        if (colon) text_add(add(p, "cpu"), "%.*s", (int)strcspn(colon + 1, "\n") - 1, colon + 2);
    }
    text_release(&info);
}

static void add_build(struct provenance *p) {
    text_add(add(p, "version"), "%s", version_number());
    text_add(add(p, "revision"), "%s", version_revision());
    text_add(add(p, "changes"), "%s", version_is_dirty() ? "yes" : "no");
    text_add(add(p, "compiler"), "%s", version_compiler());
    text_add(add(p, "flags"), "%s", version_flags());
    provenance_machine(add(p, "machine"));
}

static void add_libraries(struct provenance *p) {
    text_add(add(p, "blas"), "%s", blas_config());
    text_add(add(p, "core"), "%s", blas_core());
    results_library(add(p, "hdf5"));
    par_library(add(p, "mpi"));
    config_library(add(p, "libconfig"));
    json_library(add(p, "json"));
    hash_library(add(p, "hash"));
}

static void add_config(struct provenance *p, const struct plan *plan) {
    struct text resolved = {0};
    struct hash h;
    char hex[HASH_HEX];
    config_print(&resolved, plan->config);
    hash_begin(&h);
    hash_bytes(&h, text_str(&resolved), resolved.size);
    hash_end(hex, &h);
    text_release(&resolved);
    text_add(add(p, "config"), "%s", hex);
    text_add(add(p, "name"), "%s", config_name(plan->config));
    text_add(add(p, "seed"), "%llu", (unsigned long long)config_seed(plan->config));
}

enum err_code provenance_make(struct provenance *out, const struct plan *p, char *const *argv,
                              struct err *err) {
    enum err_code rc = ERR_OK;
    *out = (struct provenance){0};
    add_build(out);
    add_libraries(out);
    add_cpu(out);
    add_config(out, p);
    add_environment(out, "slurm_job", "SLURM_JOB_ID");
    add_environment(out, "slurm_nodes", "SLURM_JOB_NODELIST");
    add_environment(out, "slurm_restarts", "SLURM_RESTART_COUNT");
    add_environment(out, "blas_pinned", "OPENBLAS_CORETYPE");
    struct text *command = add(out, "command");
    for (size_t i = 0; argv[i]; i++) text_add(command, "%s%s", i ? " " : "", argv[i]);
    for (size_t i = 0; i < out->n; i++) TRY(text_check(&out->fields[i].value, err));
cleanup:
    if (rc != ERR_OK) provenance_release(out);
    return rc;
}

void provenance_release(struct provenance *p) {
    for (size_t i = 0; i < p->n; i++) text_release(&p->fields[i].value);
    p->n = 0;
}

static const char *field_or(const struct history_attempt *a, const char *name) {
    const char *value = history_field(a, name);
    return value ? value : "unknown";
}

enum err_code provenance_check(const struct history *h, const char *dir, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text ours = {0};
    provenance_machine(&ours);
    TRY(text_check(&ours, err));
    for (size_t i = 0; i < h->n_attempts; i++) {
        const struct history_attempt *a = &h->attempts[i];
        const char *theirs = history_field(a, "machine");
        if ((a->done == 0 && a->checkpoints == 0) || !theirs) continue;
        CHECK(strcmp(theirs, text_str(&ours)) == 0, ERR_CONFIG,
              "%s: attempt %zu was computed by %s; this is %s: use that build and core "
              "(OPENBLAS_CORETYPE=%s), another -o DIR, or --mix",
              dir, a->number, theirs, text_str(&ours), field_or(a, "core"));
    }
cleanup:
    text_release(&ours);
    return rc;
}
