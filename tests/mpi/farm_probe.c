/*
 * farm_probe - the farm of ranks with synthetic jobs; like taskvec, it starts itself as its compute
 * child.  tests/mpi/farm.sh runs it on several numbers of ranks and reads what it prints.
 *
 *     farm_probe DIR PLAN [--in-process] [--retry-failed] [--max-time S]
 *
 * PLAN:
 *     mixed          sums, groups, steps with checkpoints, and a second layer that reads them
 *     steps:N        one job of N steps of 10 ms
 *     sleep:N        N jobs of 50 ms
 *     tail:MS:SEED   60 sleeping jobs of heavy-tailed lengths, MS in all, with known costs
 *     guess:MS:SEED  the same with costs that are off by a factor of up to 2
 *     two            one job of 3 s, one of 6 s in steps
 *     limit:N        N sleeping jobs of 0.1 to 1 s
 *     refused        a job whose row is not of its columns
 *     sum:N          two jobs of all ranks that sum the gradient of a published model N times, one
 *                    shard a rank, and report on stderr how long that takes
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/rng.h"
#include "journal/history.h"
#include "journal/journal.h"
#include "par/farm.h"
#include "store/artifact.h"

enum { MAX_JOBS = 1000, SHARDS = 8, WIDTH = 1000, STEP_MS = 10, LARGE = 9530000 };

struct plan {
    struct planned_job *jobs;
    char (*orders)[64];
    size_t n;
};

/* ---------------------------------------------------------------- what a job does */

#define SUM_ROW(X) X(TEXT, kind, "", "sum or group") X(REAL, value, "", "the sum")
ROW_DECLARE(sum_row, SUM_ROW);
ROW_DEFINE(sum_row, SUM_ROW);

#define STEP_ROW(X) X(INT, step, "", "from 0") X(REAL, x, "", "after the step")
ROW_DECLARE(step_row, STEP_ROW);
ROW_DEFINE(step_row, STEP_ROW);

static enum err_code leave_tensor(struct job_ctx *ctx, const float *data, size_t n,
                                  struct err *err) {
    const struct job_tensor t = {.name = "values", .rank = 1, .shape = {n}, .data = data};
    return job_tensor(ctx, &t, err);
}

static enum err_code do_sum(struct job_ctx *ctx, size_t number, struct err *err) {
    enum err_code rc = ERR_OK;
    float values[64];
    double sum = 0.0;
    for (size_t i = 0; i < 64; i++) values[i] = (float)sin((double)(number * 64 + i));
    for (size_t i = 0; i < 64; i++) {
        sum += (double)values[i];
        TRY(job_progress(ctx, (double)i, 64.0, err));
    }
    const struct sum_row row = {.kind = "sum", .value = sum};
    TRY(sum_row_write(ctx, 0, &row, err));
    TRY(leave_tensor(ctx, values, 64, err));
    TRY(job_note(ctx, "kind", "sum", err));
cleanup:
    return rc;
}

static enum err_code do_group(struct job_ctx *ctx, size_t rounds, struct err *err) {
    enum err_code rc = ERR_OK;
    size_t first, count;
    float *sum = NULL, *scratch = calloc(WIDTH, sizeof *scratch);
    job_shard_range(&first, &count, SHARDS, ctx->group_rank, ctx->group_size);
    sum = calloc(WIDTH * (count ? count : 1), sizeof *sum);
    CHECK(sum && scratch, ERR_MEMORY, "no memory");
    for (size_t r = 0; r < rounds; r++) {
        for (size_t i = 0; i < WIDTH * count; i++)
            sum[i] = (float)cos((double)(first * WIDTH + i + r));
        TRY(job_reduce(ctx, sum, scratch, WIDTH, SHARDS, err));
        TRY(job_progress(ctx, (double)r, (double)rounds, err));
    }
    if (ctx->group_rank != 0) goto cleanup;
    double total = 0.0;
    for (size_t i = 0; i < WIDTH; i++) total += (double)sum[i];
    const struct sum_row row = {.kind = "group", .value = total};
    TRY(sum_row_write(ctx, 0, &row, err));
    TRY(leave_tensor(ctx, sum, WIDTH, err));
cleanup:
    free(sum);
    free(scratch);
    return rc;
}

/* Sums 38 MB over all ranks and reports the seconds of one sum without the computing before it. */
static enum err_code do_large(struct job_ctx *ctx, size_t rounds, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t shards = (size_t)ctx->group_size;
    float *sum = calloc(LARGE, sizeof *sum), *scratch = calloc(LARGE, sizeof *scratch);
    double least = 1e9, all = 0.0;
    CHECK(sum && scratch, ERR_MEMORY, "no memory");
    for (size_t r = 0; r < rounds; r++) {
        for (size_t i = 0; i < LARGE; i++) sum[i] = (float)(i % 4096) + (float)ctx->group_rank;
        double one = 1.0, other;
        TRY(job_reduce_real(ctx, &one, &other, 1, shards, err)); /* so that all begin together */
        const double began = clock_now();
        TRY(job_reduce(ctx, sum, scratch, LARGE, shards, err));
        const double took = clock_now() - began;
        if (took < least) least = took;
        all += took;
        for (size_t i = 0; i < LARGE; i += 1001)
            CHECK(sum[i] == (float)(i % 4096 * shards + shards * (shards - 1) / 2), ERR_DIFFERS,
                  "number %zu of round %zu is %g", i, r, (double)sum[i]);
        TRY(job_progress(ctx, (double)r, (double)rounds, err));
    }
    if (ctx->group_rank == 0)
        (void)fprintf(stderr, "sum of %d numbers over %zu ranks: %.4f s, at best %.4f s\n", LARGE,
                      shards, all / (double)rounds, least);
cleanup:
    free(sum);
    free(scratch);
    return rc;
}

static enum err_code save_steps(struct job_ctx *ctx, size_t step, float x, struct err *err) {
    char state[32];
    const struct job_tensor t = {.name = "x", .rank = 1, .shape = {1}, .data = &x};
    (void)snprintf(state, sizeof state, "%zu", step);
    return job_checkpoint(ctx, state, &t, 1, err);
}

static enum err_code do_steps(struct job_ctx *ctx, size_t n, struct err *err) {
    enum err_code rc = ERR_OK;
    const char *state;
    const struct job_tensor *tensors;
    size_t n_tensors, step = 0;
    float x = 1.0f;
    TRY(job_restore(ctx, &state, &tensors, &n_tensors, err));
    if (state) {
        step = (size_t)strtoull(state, NULL, 10);
        x = job_find_tensor(tensors, n_tensors, "x")->data[0];
    }
    for (; step < n; step++) {
        x = 3.7f * x * (1.0f - 0.2f * x);
        clock_sleep(1e-3 * STEP_MS);
        const struct step_row row = {.step = (int64_t)step, .x = (double)x};
        TRY(step_row_write(ctx, step, &row, err));
        TRY(job_progress(ctx, (double)step + 1.0, (double)n, err));
        const bool stop = job_should_stop(ctx);
        if (stop || step % 10 == 9) TRY(save_steps(ctx, step + 1, x, err));
        if (stop) return ERR(err, ERR_STOPPED, "stopped at step %zu", step);
    }
    TRY(leave_tensor(ctx, &x, 1, err));
cleanup:
    return rc;
}

static enum err_code compute(const char *order, struct job_ctx *ctx, void *context,
                             struct err *err) {
    char word[32] = "";
    size_t number = 0;
    (void)context;
    (void)sscanf(order, "%31s %zu", word, &number);
    ctx->columns = strcmp(word, "steps") == 0 ? &step_row_columns : &sum_row_columns;
    if (strcmp(word, "sum") == 0) return do_sum(ctx, number, err);
    if (strcmp(word, "group") == 0) return do_group(ctx, number, err);
    if (strcmp(word, "large") == 0) return do_large(ctx, number, err);
    if (strcmp(word, "steps") == 0) return do_steps(ctx, number, err);
    if (strcmp(word, "refused") == 0) return step_row_write(ctx, 0, &(struct step_row){0}, err);
    if (strcmp(word, "sleep") == 0) clock_sleep(1e-3 * (double)number);
    return ERR_OK;
}

/* ---------------------------------------------------------------- plans */

static size_t add(struct plan *p, const char *word, size_t number, double cost, int group) {
    const size_t i = p->n++;
    struct hash h;
    (void)snprintf(p->orders[i], sizeof p->orders[i], "%s %zu", word, number);
    struct planned_job *job = &p->jobs[i];
    *job = (struct planned_job){.cost = {.flops = cost,
                                         .group = group,
                                         .checkpoints = strcmp(word, "steps") == 0,
                                         .memory = 64 << 20}};
    (void)snprintf(job->label, sizeof job->label, "%s[%zu]", word, i);
    hash_begin(&h);
    hash_text(&h, p->orders[i]);
    hash_bytes(&h, &i, sizeof i);
    hash_end(job->identity, &h);
    return i;
}

static void read_two(struct plan *p, size_t job, size_t a, size_t b) {
    p->jobs[job].parents[0] = a;
    p->jobs[job].parents[1] = b;
    p->jobs[job].n_parents = 2;
}

static void make_mixed(struct plan *p) {
    for (size_t i = 0; i < 12; i++) (void)add(p, "sum", i, 1.0 + (double)(i % 3), 1);
    for (int g = 1; g <= 4; g++) (void)add(p, "group", 5, 4.0, g);
    for (size_t i = 0; i < 2; i++) (void)add(p, "steps", 30 + i, 30.0, 1);
    for (size_t i = 0; i < 16; i++) read_two(p, add(p, "sum", 100 + i, 1.0, 1), i, (i + 5) % 18);
}

/* In [0, 1): draw `which` of job i. */
static double uniform(uint64_t seed, size_t i, uint64_t which) {
    const struct rng rng = rng_stream(seed, "farm_probe");
    return (double)rng_below(1000000, &rng, i, which, 0) / 1e6;
}

/* Lengths from a Pareto distribution with exponent 1.5, scaled to a sum. Prints the lower bound of
 * the time on three ranks. */
static void make_tail(struct plan *p, const char *numbers, double wrong) {
    enum { JOBS = 60 };
    double length[JOBS], total = 0.0, longest = 0.0, wanted = 0.0;
    unsigned long long seed = 0;
    (void)sscanf(numbers, "%lf:%llu", &wanted, &seed);
    for (size_t i = 0; i < JOBS; i++) {
        length[i] = pow(1.0 - uniform(seed, i, 0), -1.0 / 1.5);
        total += length[i];
    }
    for (size_t i = 0; i < JOBS; i++) {
        const double ms = length[i] * wanted / total;
        const double off = pow(wrong, 2.0 * uniform(seed, i, 1) - 1.0);
        if (ms > longest) longest = ms;
        (void)add(p, "sleep", (size_t)lround(ms), ms * off, 1);
    }
    printf("bound=%.3f\n", 1e-3 * fmax(wanted / 3.0, longest));
}

static void make_limit(struct plan *p, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const double ms = 100.0 + 900.0 * uniform(1, i, 2);
        (void)add(p, "sleep", (size_t)lround(ms), ms, 1);
    }
}

static bool make_plan(struct plan *p, const char *name) {
    const char *colon = strchr(name, ':');
    const size_t n = colon ? (size_t)strtoull(colon + 1, NULL, 10) : 0;
    p->jobs = calloc(MAX_JOBS, sizeof *p->jobs);
    p->orders = calloc(MAX_JOBS, sizeof *p->orders);
    if (!p->jobs || !p->orders) return false;
    if (strcmp(name, "mixed") == 0) make_mixed(p);
    if (strncmp(name, "sleep:", 6) == 0)
        for (size_t i = 0; i < n && i < MAX_JOBS; i++) (void)add(p, "sleep", 50, 1.0, 1);
    if (strncmp(name, "tail:", 5) == 0) make_tail(p, colon + 1, 1.0);
    if (strncmp(name, "guess:", 6) == 0) make_tail(p, colon + 1, 2.0);
    if (strncmp(name, "limit:", 6) == 0) make_limit(p, n);
    if (strcmp(name, "two") == 0)
        (void)add(p, "sleep", 3000, 1.0, 1), (void)add(p, "steps", 600, 1.0, 1);
    if (strncmp(name, "steps:", 6) == 0) (void)add(p, "steps", n, 1.0, 1);
    for (int i = 0; i < 2 && strncmp(name, "sum:", 4) == 0; i++)
        (void)add(p, "large", n, 1.0, 1 << 20);
    if (strcmp(name, "refused") == 0) (void)add(p, "refused", 0, 1.0, 1);
    return p->n > 0;
}

static void free_plan(struct plan *p) {
    free(p->jobs);
    free(p->orders);
}

static enum err_code give_order(struct text *out, size_t job, void *context, struct err *err) {
    const struct plan *p = context;
    text_add(out, "%s", p->orders[job]);
    return text_check(out, err);
}

/* ---------------------------------------------------------------- the report */

/* A hash of rows and artifacts in the order of the plan; jobs done twice and rows that are missing.
 */
static void print_digest(const struct plan *p, const struct history *h) {
    struct hash sum;
    char hex[HASH_HEX];
    size_t again = 0, rows = 0, lost = 0;
    double busy = 0.0;
    hash_begin(&sum);
    for (size_t i = 0; i < p->n; i++) {
        const struct history_job *job = history_find(h, p->jobs[i].identity);
        if (!job) continue;
        again += job->dones > 1;
        lost += job->state == HISTORY_DONE && job->n_rows > 0 &&
                job->rows[job->n_rows - 1].number + 1 != job->n_rows;
        if (job->state != HISTORY_DONE) continue;
        busy += job->seconds;
        hash_text(&sum, job->identity);
        hash_text(&sum, job->sha256);
        for (size_t r = 0; r < job->n_rows; r++, rows++)
            for (size_t k = 0; k < job->rows[r].n; k++) {
                const struct job_value *cell = &job->rows[r].cells[k];
                if (cell->type == JOB_TEXT)
                    hash_text(&sum, cell->as.text);
                else
                    hash_bytes(&sum, &cell->as, sizeof cell->as.real);
            }
    }
    hash_end(hex, &sum);
    printf("digest=%s rows=%zu twice=%zu rows_missing=%zu attempts=%zu damaged=%zu busy=%.3f\n",
           hex, rows, again, lost, h->n_attempts, h->damaged, busy);
}

static void print_failures(const struct plan *p, const struct history *h) {
    for (size_t i = 0; i < p->n; i++) {
        const struct history_job *job = history_find(h, p->jobs[i].identity);
        if (job && job->state == HISTORY_FAILED)
            printf("failed job=%zu class=%s reason=%s\n", i, job->failed_class, job->reason);
        if (job && job->state == HISTORY_DONE && p->jobs[i].cost.group > 1)
            printf("group job=%zu ranks=%s shards=%s\n", i, job->ranks, job->shards);
    }
}

static enum err_code report(const struct plan *p, const struct farm_outcome *o, const char *dir,
                            struct err *err) {
    enum err_code rc = ERR_OK;
    struct history h = {0};
    TRY(journal_history(&h, dir, err));
    printf("done=%zu failed=%zu blocked=%zu pending=%zu now=%zu exit=%d seconds=%.3f\n", o->done,
           o->failed, o->blocked, o->pending, o->done_now, o->exit_code, o->seconds);
    print_digest(p, &h);
    print_failures(p, &h);
cleanup:
    history_release(&h);
    return rc;
}

static void read_options(struct farm *f, int argc, char **argv) {
    for (int i = 3; i < argc; i++) {
        if (strcmp(argv[i], "--in-process") == 0) f->in_process = true;
        if (strcmp(argv[i], "--retry-failed") == 0) f->retry_failed = true;
        if (strcmp(argv[i], "--max-time") == 0 && i + 1 < argc)
            f->end = clock_now() + atof(argv[i + 1]);
    }
}

static enum err_code coordinate(struct par *par, int argc, char **argv, int *code,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    struct plan p = {0};
    struct lock lock = {0};
    struct farm_outcome out;
    static const struct farm_field provenance[] = {{"build", "probe"}, {"core", "none"}};
    struct farm f = {.dir = argv[1],
                     .provenance = provenance,
                     .n_provenance = 2,
                     .machine = "probe",
                     .memory = (size_t)256 << 20,
                     .lock = &lock,
                     .log = {LOG_ERROR, 0},
                     .context = &p,
                     .order = give_order,
                     .compute = compute};
    CHECK(make_plan(&p, argv[2]), ERR_USAGE, "%s: no such plan", argv[2]);
    f.jobs = p.jobs;
    f.n_jobs = p.n;
    read_options(&f, argc, argv);
    TRY(file_make_folder(argv[1], err));
    TRY(lock_take(&lock, argv[1], LOCK_STALE, err));
    TRY(farm_run(&f, par, &out, err));
    *code = out.exit_code;
    TRY(report(&p, &out, argv[1], err));
cleanup:
    lock_release(&lock);
    free_plan(&p);
    return rc;
}

int main(int argc, char **argv) {
    struct err err = {0};
    struct par par;
    const struct log log = {LOG_WARNING, 0};
    int code = 0;
    if (argc == 3 && strcmp(argv[1], "--child") == 0)
        return farm_child(atoi(argv[2]), compute, NULL);
    if (argc < 3) return 64;
    enum err_code rc = par_init(&par, PAR_MPI_AUTO, &log, &err);
    if (rc == ERR_OK && par.rank != 0) {
        const char *machine = getenv("PROBE_OTHER_MACHINE");
        (void)farm_serve(&par, machine ? machine : "probe", &log, &err);
        return par_finish(&par, 0);
    }
    if (rc == ERR_OK) rc = coordinate(&par, argc, argv, &code, &err);
    if (rc != ERR_OK) {
        (void)fprintf(stderr, "farm_probe: %s\n", err.msg);
        code = err_exit_code(rc);
    }
    (void)fflush(stdout);
    farm_release(&par);
    return par_finish(&par, code);
}
