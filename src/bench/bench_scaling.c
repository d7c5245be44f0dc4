#include "bench/bench_scaling.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hash.h"
#include "run/rundir/run_state.h"

/* Enough work that the start and end of a job, about a second, do not matter. */
enum { STEPS = 40, CHUNKS = 4 };

struct scaling {
    const struct bench_scaling_options *o;
    struct rates_table *out;
    size_t most;          /* ranks */
    char folder[64];      /* of everything */
    char model[HASH_HEX]; /* SHA-256 of the first pretrained model; "": none yet */
};

/* ---- one run */

/* The model is pretrained in as many shards as the most ranks, so that all runs give equal bits. */
static enum err_code write_config(const struct scaling *s, const char *path, size_t ranks,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    struct text t = {0};
    const struct bench_size *z = s->o->size;
    text_add(&t,
             "name = \"scaling\"; seed = 1;\n"
             "source = { problem = \"linear\"; dims = %zu; };\n"
             "stages = (\n"
             "{ stage = \"pretrain\"; model = { layers = %zu; heads = %zu; width = %zu; positions "
             "= %zu; };\n  points = %zu; batch = %zu; shards = %zu; group = %zu; steps = %d;\n"
             "  checkpoint_every = 1000000; },\n",
             z->dims.inputs, z->dims.L, z->dims.H, z->dims.E, z->dims.positions, z->trained_points,
             z->pretrain_prompts, s->most, ranks, STEPS);
    text_add(&t, "{ stage = \"fit\"; of = \"pretrain\"; method = \"ltv\"; points = %zu; repeat = [",
             z->points);
    for (size_t i = 0; i < ranks; i++) text_add(&t, "%s%zu", i ? ", " : "", i);
    text_add(&t,
             "];\n  prompts = %zu; batch = %zu; epochs = 4; patience = 0; },\n"
             "{ stage = \"evaluate\"; of = \"fit\"; also = []; points = %zu; functions = %zu; "
             "chunk = %zu; }\n);\n",
             z->prompts / 2, z->batch < z->prompts / 4 ? z->batch : z->prompts / 4, z->points,
             CHUNKS * z->few, z->few);
    TRY(text_check(&t, err));
    TRY(file_replace(path, t.data, t.size, err));
cleanup:
    text_release(&t);
    return rc;
}

/* Runs `mpirun -n RANKS taskvec run CFG` to its end; its output goes to the file `log`. */
static enum err_code start(size_t ranks, char *cfg, char *dir, const char *log, struct err *err) {
    char self[FILE_PATH_MAX], number[24];
    extern char **environ;
    pid_t pid;
    int status = 0;
    posix_spawn_file_actions_t files;
    const ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n < 0) return ERR(err, ERR_SYSTEM, "cannot find this program: %s", strerror(errno));
    self[n] = '\0';
    (void)snprintf(number, sizeof number, "%zu", ranks);
    char mpirun[] = "mpirun", np[] = "-n", bind[] = "--bind-to", core[] = "none",
         more[] = "--oversubscribe", run[] = "run", o[] = "-o", quiet[] = "--quiet";
    char *const words[] = {mpirun, np,  number, bind, core,  more, self,
                           run,    cfg, o,      dir,  quiet, NULL};
    (void)posix_spawn_file_actions_init(&files);
    (void)posix_spawn_file_actions_addopen(&files, 1, log, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    (void)posix_spawn_file_actions_adddup2(&files, 1, 2);
    const int failed = posix_spawnp(&pid, mpirun, &files, NULL, words, environ);
    (void)posix_spawn_file_actions_destroy(&files);
    if (failed) return ERR(err, ERR_SYSTEM, "cannot start mpirun: %s", strerror(failed));
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return ERR_OK;
    return ERR(err, ERR_SYSTEM, "mpirun -n %zu taskvec run ended with exit code %d: see %s", ranks,
               WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), log);
}

/* ---- its rates */

/* Rate of all jobs of a stage together: they ran at the same time, one on each rank. */
static double rate_of(const struct run_state *r, size_t stage, const char **unit) {
    double rate = 0;
    for (size_t i = 0; i < r->plan.stages[stage].n_jobs; i++) {
        const size_t j = r->plan.stages[stage].jobs[i];
        rate += r->plan.jobs[j].cost.work / r->jobs[j].past->seconds;
        *unit = r->plan.jobs[j].cost.unit;
    }
    return rate;
}

static enum err_code compare_models(struct scaling *s, const struct run_state *r, size_t ranks,
                                    struct err *err) {
    const char *sha = r->jobs[r->plan.stages[0].jobs[0]].past->sha256;
    if (*s->model == '\0') (void)snprintf(s->model, sizeof s->model, "%s", sha);
    if (strcmp(s->model, sha) == 0) return ERR_OK;
    return ERR(err, ERR_DIFFERS,
               "the model trained by %zu ranks differs from the one trained by one rank", ranks);
}

static enum err_code take_rates(struct scaling *s, const char *dir, size_t ranks, struct err *err) {
    enum err_code rc = ERR_OK;
    struct run_state r = {0};
    TRY(run_state_open(&r, dir, err));
    CHECK(r.count[QUEUE_DONE] == r.plan.n_jobs, ERR_BUG, "%s: not all jobs are done", dir);
    for (size_t stage = 0; stage < r.plan.n_stages; stage++) {
        const char *unit = "";
        const double rate = rate_of(&r, stage, &unit);
        rates_table_add(rates_table_line(s->out, r.plan.stages[stage].name, unit, ranks), rate);
    }
    TRY(compare_models(s, &r, ranks, err));
cleanup:
    run_state_release(&r);
    return rc;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *where) {
    (void)info;
    (void)kind;
    (void)where;
    (void)remove(path);
    return 0;
}

static void remove_tree(const char *path) {
    (void)nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static enum err_code one_run(struct scaling *s, size_t ranks, struct err *err) {
    enum err_code rc = ERR_OK;
    char cfg[128], dir[128], log[128];
    (void)snprintf(cfg, sizeof cfg, "%s/scaling.cfg", s->folder);
    (void)snprintf(dir, sizeof dir, "%s/run", s->folder);
    (void)snprintf(log, sizeof log, "%s/log", s->folder);
    TRY(write_config(s, cfg, ranks, err));
    TRY(start(ranks, cfg, dir, log, err));
    TRY(take_rates(s, dir, ranks, err));
    remove_tree(dir);
cleanup:
    return rc;
}

/* ---- all runs */

static void set_limits(struct rates_table *t) {
    for (size_t i = 0; i < t->n_lines; i++) {
        struct rates_table_line *l = &t->lines[i];
        const struct rates_table_line *one = rates_table_line(t, l->name, l->unit, 1);
        if (l->ranks > 1) l->limit = rates_table_median(one) * (double)l->ranks;
    }
}

static size_t next_ranks(size_t ranks, size_t most) {
    return ranks < most && 2 * ranks > most ? most : 2 * ranks;
}

static size_t cores_allowed(void) {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? (size_t)CPU_COUNT(&set) : 1;
}

enum err_code bench_scaling(struct rates_table *out, const struct bench_scaling_options *o,
                            struct err *err) {
    enum err_code rc = ERR_OK;
    struct scaling s = {.o = o, .out = out, .most = o->ranks ? o->ranks : cores_allowed()};
    out->bench = "scaling";
    out->size = o->size->name;
    out->limit = "the rate of one rank times the ranks";
    CHECK(geteuid() != 0 ||
              (getenv("OMPI_ALLOW_RUN_AS_ROOT") && getenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM")),
          ERR_USAGE,
          "bench scaling: mpirun refuses to run as root without "
          "OMPI_ALLOW_RUN_AS_ROOT=1 and OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 in the environment");
    (void)snprintf(s.folder, sizeof s.folder, "taskvec-bench-XXXXXX");
    CHECK(mkdtemp(s.folder), ERR_IO,
          "cannot create a folder for the runs in the current folder: %s", strerror(errno));
    for (size_t r = 0; r < o->repeats; r++)
        for (size_t ranks = 1; ranks <= s.most; ranks = next_ranks(ranks, s.most))
            TRY(one_run(&s, ranks, err));
    set_limits(out);
    remove_tree(s.folder);
cleanup:
    return rc;
}
