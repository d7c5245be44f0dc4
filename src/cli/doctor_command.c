#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/command.h"
#include "cli/doctor_model.h"
#include "cli/doctor_report.h"
#include "machine/blas_kernel.h"
#include "machine/memory_budget.h"
#include "machine/product_speed.h"
#include "model/checkpoint.h"
#include "store/results.h"

/* ---- BLAS */

static void check_core(struct doctor *d) {
    char line[CORE_LINE];
    const enum blas_kernel_state state = blas_kernel_look(line);
    (state == CORE_OWN ? doctor_well : doctor_trouble)(d, "blas kernel", line);
}

static long cores_allowed(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
    return sysconf(_SC_NPROCESSORS_ONLN);
}

static void check_threads(struct doctor *d) {
    const char *threads = getenv("OPENBLAS_NUM_THREADS");
    char line[256];
    if (threads && atoi(threads) > 1) {
        (void)snprintf(line, sizeof line,
                       "OPENBLAS_NUM_THREADS=%s is ignored: a rank computes with one thread, start "
                       "as many ranks as cores",
                       threads);
        doctor_trouble(d, "blas threads", line);
        return;
    }
    doctor_well(d, "blas threads", "one per rank");
}

static void check_arithmetic(struct doctor *d) {
    struct text line = {0};
    product_speed_text(&line);
    doctor_well(d, "arithmetic", text_str(&line));
    text_release(&line);
}

/* ---- ranks and memory */

static int number_of(const char *variable) {
    const char *text = getenv(variable);
    return text ? atoi(text) : 0;
}

static void check_ranks(struct doctor *d) {
    struct memory_limits limits;
    char line[256];
    memory_budget_look(&limits);
    const long cores = cores_allowed();
    (void)snprintf(line, sizeof line, "%d on this node, %ld cores allowed", limits.ranks, cores);
    if (getenv("SLURM_PROCID") && number_of("SLURM_STEP_NUM_TASKS") > 1 &&
        !getenv("OMPI_COMM_WORLD_SIZE") && !getenv("PMIX_RANK"))
        doctor_trouble(
            d, "ranks",
            "srun started several tasks without a common MPI: use srun --mpi=pmix or mpirun");
    else if (number_of("OMPI_COMM_WORLD_LOCAL_SIZE") > cores && cores == 1)
        doctor_trouble(
            d, "ranks",
            "several ranks share one core: request more cores, or mpirun --bind-to core");
    else
        doctor_well(d, "ranks", line);
}

static void check_memory(struct doctor *d) {
    struct memory_limits limits;
    struct text line = {0};
    memory_budget_look(&limits);
    memory_budget_text(&line, (double)memory_budget_bytes(&limits));
    text_add(&line,
             " per rank (80%% of the least of available, cgroup and Slurm, divided by %d ranks)",
             limits.ranks);
    const bool small = memory_budget_bytes(&limits) < (size_t)256 << 20;
    if (small) text_add(&line, ": start fewer ranks per node");
    (small ? doctor_trouble : doctor_well)(d, "memory", text_str(&line));
    text_release(&line);
}

/* ---- files */

static void check_files(struct doctor *d) {
    char path[64], line[1024];
    struct err err = {0};
    static const char content[] = "taskvec doctor\n";
    (void)snprintf(path, sizeof path, "taskvec-doctor-%ld.tmp", (long)getpid());
    const enum err_code rc = file_replace(path, content, sizeof content - 1, &err);
    (void)unlink(path);
    (void)snprintf(line, sizeof line,
                   "%s: runs need a folder in which files can be written, synced and renamed",
                   err.msg);
    if (rc == ERR_OK)
        doctor_well(d, "files", "files can be written, synced and renamed here");
    else
        doctor_trouble(d, "files", line);
}

static void check_hdf5(struct doctor *d) {
    struct text version = {0};
    results_library(&version);
    if (strstr(text_str(&version), "parallel")) {
        text_add(&version, ": a serial build is safer (set HDF5_ROOT when configuring)");
        doctor_trouble(d, "hdf5", text_str(&version));
    } else {
        doctor_well(d, "hdf5", text_str(&version));
    }
    text_release(&version);
}

static void check_root(struct doctor *d) {
    if (geteuid() != 0) return;
    if (getenv("OMPI_ALLOW_RUN_AS_ROOT") && getenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"))
        doctor_well(d, "root", "mpirun is allowed");
    else
        doctor_trouble(d, "root",
                       "mpirun refuses to run as root without OMPI_ALLOW_RUN_AS_ROOT=1 and "
                       "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 (starting without mpirun works)");
}

static void check_model(struct doctor *d, const char *path) {
    char line[1024];
    struct err err = {0};
    struct model model;
    if (model_open(&model, path, &err) != ERR_OK) {
        doctor_trouble(d, "model", err.msg);
        return;
    }
    const struct model_dims *m = &model.params.dims;
    (void)snprintf(line, sizeof line,
                   "%s: %zu layers, %zu heads, width %zu, x of %zu, %zu points, trained to %zu",
                   path, m->L, m->H, m->E, m->inputs, model_points(m), model.trained_points);
    if (model.trained_points == 0)
        doctor_trouble(d, "model",
                       "opens, but its metadata has no trained_points: set basis_points in fit and "
                       "evaluate");
    else
        doctor_well(d, "model", line);
    model_close(&model);
}

static enum err_code doctor_command(struct text *out, int *exit_code, const struct options *o,
                                    char *const *argv, struct err *err) {
    enum err_code rc = ERR_OK;
    struct doctor d = {.out = out};
    (void)argv;
    check_core(&d);
    check_threads(&d);
    check_arithmetic(&d);
    check_ranks(&d);
    check_memory(&d);
    check_files(&d);
    check_hdf5(&d);
    check_root(&d);
    if (o->n_args > 0 && file_is_folder(o->args[0]))
        rc = doctor_model(&d, o->args[0], options_has(o, "--hash"), err);
    else if (o->n_args > 0)
        check_model(&d, o->args[0]);
    if (d.troubles > 0) *exit_code = err_exit_code(ERR_DIFFERS);
    return rc;
}

static const struct option_row OPTIONS[] = {
    {"--hash", NULL, NULL, "also print the SHA-256 of the tensors of a language model"},
};

const struct command COMMAND_DOCTOR = {
    .name = "doctor",
    .arguments = "[MODEL]",
    .meaning = "check this machine and, if given, a model; one line per check",
    .more = "MODEL is a checkpoint of a regression model, or the folder of a language model with\n"
            "config.json and model.safetensors (GPT-2, GPT-J, GPT-NeoX, Llama, Mistral, Qwen2,\n"
            "Qwen3). Of a language model it prints the sizes, what config.json left to defaults,\n"
            "tensors that are not used, memory and expected speed.\n",
    .options = OPTIONS,
    .n_options = sizeof OPTIONS / sizeof *OPTIONS,
    .least_args = 0,
    .most_args = 1,
    .run = doctor_command,
};
