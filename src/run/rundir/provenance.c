#include "run/rundir/provenance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <gnu/libc-version.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/version.h"
#include "config/syntax/tree.h"
#include "journal/journal.h"
#include "ops/blas.h"
#include "par/par.h"
#include "run/rundir/rundir.h"
#include "stages/job_model.h"
#include "store/results.h"
#include "tokenizer/tokenizer.h"
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
    tree_library(out);
    text_add(out, ", ");
    json_library(out);
    text_add(out, ", ");
    hash_library(out);
    text_add(out, ", ");
    tokenizer_libraries(out);
    text_add(out, "\n");
}

/* What determines the bits of a result. */
static const struct {
    const char *name;
    const char *(*value)(void);
} BUILD[] = {{"version", version_number}, {"revision", version_revision},
             {"diff", version_diff_sum},  {"compiler", version_compiler},
             {"flags", version_flags},    {"blas", blas_config},
             {"core", blas_core}};
enum { BUILD_N = sizeof BUILD / sizeof *BUILD };

/* All fields of an attempt; the first six are written by the farm. */
static const char *const FIELDS[] = {
    "number",         "utc",         "host",         "hosts",       "pid",        "ranks",
    "version",        "revision",    "diff",         "compiler",    "flags",      "core",
    "machine",        "blas",        "blas_threads", "blas_pinned", "hdf5",       "mpi",
    "libconfig",      "json",        "hash",         "libc",        "kernel",     "cpu",
    "config",         "name",        "seed",         "inputs",      "memory",     "folder",
    "command",        "environment", "slurm_job",    "slurm_array", "slurm_task", "slurm_nodes",
    "slurm_restarts", "gemm",        "onednn"};
enum { FIELDS_N = sizeof FIELDS / sizeof *FIELDS, LATER = 2 };
/* Attempts of version 0.3.0 and earlier lack the last LATER fields: they used OpenBLAS alone. */

void provenance_machine(struct text *out) {
    text_add(out, "revision %.12s%s%.12s, %s, %s, BLAS core %s", version_revision(),
             version_is_dirty() ? " with local changes " : "",
             version_is_dirty() ? version_diff_sum() : "", version_compiler(), version_flags(),
             blas_core());
}

static struct text *add(struct provenance *p, const char *name) {
    p->fields[p->n].name = name;
    return &p->fields[p->n++].value;
}

static void add_variable(struct provenance *p, const char *name, const char *variable) {
    const char *value = getenv(variable);
    text_add(add(p, name), "%s", value && *value ? value : "none");
}

/* Variables that pin kernels or threads, or inject faults. */
static void add_environment(struct provenance *p) {
    static const char *const PREFIXES[] = {"OPENBLAS_", "OMP_", "TASKVEC_"};
    struct text *out = add(p, "environment");
    for (char **at = environ; *at; at++)
        for (size_t i = 0; i < sizeof PREFIXES / sizeof *PREFIXES; i++)
            if (strncmp(*at, PREFIXES[i], strlen(PREFIXES[i])) == 0)
                text_add(out, "%s%s", out->size ? " " : "", *at);
    if (out->size == 0) text_add(out, "none");
}

/* The first "model name" of /proc/cpuinfo. */
static void add_cpu(struct provenance *p) {
    struct text info = {0}, *out = add(p, "cpu");
    struct err ignored = {0};
    if (file_read(&info, "/proc/cpuinfo", (size_t)64 << 20, &ignored) == ERR_OK) {
        const char *line = strstr(text_str(&info), "model name");
        const char *colon = line ? strchr(line, ':') : NULL;
        if (colon) text_add(out, "%.*s", (int)strcspn(colon + 1, "\n") - 1, colon + 2);
    }
    if (out->size == 0) text_add(out, "unknown");
    text_release(&info);
}

static void add_system(struct provenance *p) {
    struct utsname system = {0};
    char folder[FILE_PATH_MAX];
    const bool known = uname(&system) == 0;
    text_add(add(p, "kernel"), "%s %s %s", known ? system.sysname : "unknown", system.release,
             system.machine);
    text_add(add(p, "libc"), "glibc %s", gnu_get_libc_version());
    text_add(add(p, "folder"), "%s", getcwd(folder, sizeof folder) ? folder : "unknown");
    add_cpu(p);
    add_environment(p);
    add_variable(p, "slurm_job", "SLURM_JOB_ID");
    add_variable(p, "slurm_array", "SLURM_ARRAY_JOB_ID");
    add_variable(p, "slurm_task", "SLURM_ARRAY_TASK_ID");
    add_variable(p, "slurm_nodes", "SLURM_JOB_NODELIST");
    add_variable(p, "slurm_restarts", "SLURM_RESTART_COUNT");
    add_variable(p, "blas_pinned", "OPENBLAS_CORETYPE");
}

static void add_libraries(struct provenance *p) {
    text_add(add(p, "blas_threads"), "%d", blas_threads());
    results_library(add(p, "hdf5"));
    par_library(add(p, "mpi"));
    tree_library(add(p, "libconfig"));
    json_library(add(p, "json"));
    hash_library(add(p, "hash"));
}

/* Files that jobs name, by their content: "SHA-256 PATH", one after the other. */
static void add_inputs(struct provenance *p, const struct identity_files *files) {
    struct text *out = add(p, "inputs");
    for (size_t i = 0; i < identity_files_count(files); i++)
        text_add(out, "%s%s %s", i ? ", " : "", identity_files_hash(files, i),
                 identity_files_path(files, i));
    if (out->size == 0) text_add(out, "none");
}

/* The kernel of oneDNN, if a job of the plan uses it; ERR_CONFIG where this machine has none. */
static enum err_code find_kernel(char out[JOB_MODEL_KERNEL], const struct plan *p,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    const bool onednn = strcmp(config_gemm(p->config), "onednn") == 0;
    *out = '\0';
    for (size_t i = 0; i < p->n_jobs && *out == '\0'; i++)
        TRY(job_model_kernel(out, p->jobs[i].point, onednn, err));
    if (*out == '\0') (void)snprintf(out, JOB_MODEL_KERNEL, "none");
cleanup:
    return rc;
}

static void add_config(struct provenance *p, const struct plan *plan) {
    struct text resolved = {0};
    char hex[HASH_HEX];
    config_print(&resolved, plan->config);
    rundir_config_sum(hex, &resolved);
    text_release(&resolved);
    text_add(add(p, "config"), "%s", hex);
    text_add(add(p, "name"), "%s", config_name(plan->config));
    text_add(add(p, "seed"), "%llu", (unsigned long long)config_seed(plan->config));
    add_inputs(p, plan->files);
}

enum err_code provenance_make(struct provenance *out, const struct plan *p, size_t memory,
                              char *const *argv, struct err *err) {
    enum err_code rc = ERR_OK;
    char kernel[JOB_MODEL_KERNEL];
    *out = (struct provenance){0};
    TRY(find_kernel(kernel, p, err));
    text_add(add(out, "gemm"), "%s", config_gemm(p->config));
    text_add(add(out, "onednn"), "%s", kernel);
    for (size_t i = 0; i < BUILD_N; i++) text_add(add(out, BUILD[i].name), "%s", BUILD[i].value());
    provenance_machine(add(out, "machine"));
    add_libraries(out);
    add_system(out);
    add_config(out, p);
    text_add(add(out, "memory"), "%zu", memory);
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

size_t provenance_fields(const char *const **names) {
    *names = FIELDS;
    return FIELDS_N;
}

void provenance_lacking(struct text *out, const struct history_attempt *a) {
    const char *separator = "";
    for (size_t i = 0; i + LATER < FIELDS_N; i++) {
        const char *value = history_field(a, FIELDS[i]);
        if (value && *value) continue;
        text_add(out, "%s%s", separator, FIELDS[i]);
        separator = ", ";
    }
}

/* ---- may this build resume a run that another one began? */

static const char *field_or(const struct history_attempt *a, const char *name) {
    const char *value = history_field(a, name);
    return value ? value : "unknown";
}

/* "revision was A, is B; core was C, is D": of the build and core that made attempt a. */
static void add_differences(struct text *out, const struct history_attempt *a) {
    for (size_t i = 0; i < BUILD_N; i++) {
        const char *theirs = field_or(a, BUILD[i].name), *ours = BUILD[i].value();
        if (strcmp(theirs, ours) == 0) continue;
        text_add(out, "%s%s was %.90s, is %.90s", out->size ? "; " : "", BUILD[i].name, theirs,
                 ours);
    }
}

static enum err_code refuse(const struct history_attempt *a, const char *dir, struct err *err) {
    struct text differences = {0};
    add_differences(&differences, a);
    const enum err_code rc =
        ERR(err, ERR_CONFIG,
            "%s: attempt %zu was computed by another build or core: %s: use that build and core "
            "(OPENBLAS_CORETYPE=%s), another -o DIR, or --mix",
            dir, a->number, text_str(&differences), field_or(a, "core"));
    text_release(&differences);
    return rc;
}

/* One changed byte damages at most one of these. */
static bool looks_like_attempt(const char *line, size_t size) {
    static const char *const PARTS[] = {"\tcompiler=", "\tflags=", "\tmachine="};
    for (size_t i = 0; i < sizeof PARTS / sizeof *PARTS; i++)
        if (memmem(line, size, PARTS[i], strlen(PARTS[i]))) return true;
    return false;
}

/* The one after the last sound attempt before a damaged line of an attempt. */
static size_t damaged_attempt(const char *data, size_t size) {
    struct event e = {0};
    size_t last = 0, found = 0;
    for (const char *line = data, *end; !found; line = end + 1) {
        const size_t left = size - (size_t)(line - data);
        end = memchr(line, '\n', left);
        if (!end) break;
        const size_t n = (size_t)(end - line);
        if (!looks_like_attempt(line, n)) continue;
        if (event_parse(&e, line, n))
            last = (size_t)event_find_integer(&e, "number", (int64_t)last + 1);
        else
            found = last + 1;
    }
    event_release(&e);
    return found;
}

static bool is_fruitless(const struct history *h) {
    for (size_t i = 0; i < h->n_jobs; i++)
        if (h->jobs[i].dones > 0 || h->jobs[i].total > 0.0) return false;
    return true;
}

/* Attempts are numbered 1, 2, 3, ...; lines written twice repeat a number. */
static size_t missing_attempt(const struct history *h) {
    size_t next = 1;
    for (size_t i = 0; i < h->n_attempts && h->attempts[i].number <= next; i++)
        if (h->attempts[i].number == next) next++;
    return h->n_attempts == 0 || next <= h->attempts[h->n_attempts - 1].number ? next : 0;
}

size_t provenance_lost_attempt(const struct history *h, const char *data, size_t size) {
    if (is_fruitless(h)) return 0;
    const size_t damaged = h->damaged > 0 ? damaged_attempt(data, size) : 0;
    return damaged ? damaged : missing_attempt(h);
}

static enum err_code check_lost(const struct history *h, const char *dir, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text data = {0};
    if (h->damaged > 0) TRY(journal_read(&data, dir, err));
    const size_t lost = provenance_lost_attempt(h, text_str(&data), data.size);
    CHECK(lost == 0, ERR_CONFIG,
          "%s: the line of attempt %zu is damaged, so the build and core of its jobs are unknown: "
          "use another -o DIR, or --mix",
          dir, lost);
cleanup:
    text_release(&data);
    return rc;
}

/* A field that a run of an earlier version lacks does not count as a difference. */
static bool is_other(const struct history_attempt *a, const char *name, const char *ours) {
    const char *theirs = history_field(a, name);
    return theirs && strcmp(theirs, ours) != 0;
}

/* Refuses an attempt whose f32 products another library computed, or oneDNN with other kernels. */
static enum err_code check_products(const struct history_attempt *a, const struct plan *p,
                                    const char *kernel, const char *dir, struct err *err) {
    enum err_code rc = ERR_OK;
    const char *gemm = history_field(a, "gemm"), *theirs = history_field(a, "onednn");
    if (!gemm) gemm = "openblas";
    CHECK(strcmp(gemm, config_gemm(p->config)) == 0, ERR_CONFIG,
          "%s: attempt %zu was computed with gemm = \"%s\", this one has \"%s\": use the same, "
          "another -o DIR, or --mix",
          dir, a->number, gemm, config_gemm(p->config));
    const bool both = theirs && strcmp(theirs, "none") != 0 && strcmp(kernel, "none") != 0;
    CHECK(!both || strcmp(theirs, kernel) == 0, ERR_CONFIG,
          "%s: attempt %zu was computed by %s, this machine has %s: use a machine of that kind "
          "(ONEDNN_MAX_CPU_ISA limits a newer one), another -o DIR, or --mix",
          dir, a->number, theirs, kernel);
cleanup:
    return rc;
}

enum err_code provenance_check(const struct history *h, const struct plan *p, const char *dir,
                               struct err *err) {
    enum err_code rc = ERR_OK;
    struct text ours = {0};
    char kernel[JOB_MODEL_KERNEL];
    provenance_machine(&ours);
    TRY(text_check(&ours, err));
    TRY(find_kernel(kernel, p, err));
    TRY(check_lost(h, dir, err));
    for (size_t i = 0; i < h->n_attempts; i++) {
        const struct history_attempt *a = &h->attempts[i];
        if (a->done == 0 && a->checkpoints == 0) continue;
        if (is_other(a, "machine", text_str(&ours)) || is_other(a, "blas", blas_config()))
            TRY(refuse(a, dir, err));
        TRY(check_products(a, p, kernel, dir, err));
    }
cleanup:
    text_release(&ours);
    return rc;
}
