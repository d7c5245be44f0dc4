/*
 * par_probe - the collective calls of par.h, and that a rank that waits in them does not keep a
 * core busy: for tests/mpi/par.sh.  Silent, exit code 0, when all is well.
 *
 *     par_probe wait     rank 0 comes late to barrier and gather; the others must sleep meanwhile
 *     par_probe many     hundreds of barriers and gathers, all ranks in the same round
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "par/par.h"

enum { WIDTH = 1000, ROUNDS = 300 };
static const double LATE = 1.0, CPU_SHARE = 0.2;

static double cpu_seconds(void) {
    struct rusage u;
    (void)getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static double number(int rank, size_t i) { return 1e3 * (double)rank + (double)i / 7.0; }

static enum err_code check_gather(struct par *p, size_t n, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t ranks = (size_t)p->size;
    double *mine = calloc(n + 1, sizeof *mine), *all = NULL;
    if (p->rank == 0) all = calloc(ranks * n + 1, sizeof *all);
    CHECK(mine && (all || p->rank), ERR_MEMORY, "no memory");
    for (size_t i = 0; i < n; i++) mine[i] = number(p->rank, i);
    if (all) all[ranks * n] = -1.0;
    TRY(par_gather(p, all, mine, n, err));
    for (size_t k = 0; all && k < ranks * n; k++)
        CHECK(all[k] == number((int)(k / n), k % n), ERR_DIFFERS, "gather: [%zu] is %g, not %g", k,
              all[k], number((int)(k / n), k % n));
    CHECK(!all || all[ranks * n] == -1.0, ERR_DIFFERS, "gather: wrote beyond its end");
cleanup:
    free(mine);
    free(all);
    return rc;
}

/* Rank 0 calls late, twice: all others must return after it, and must have slept. */
static enum err_code check_wait(struct par *p, struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(par_barrier(p, err));
    const double cpu = cpu_seconds(), began = clock_now();
    if (p->rank == 0) clock_sleep(LATE);
    TRY(par_barrier(p, err));
    const double waited = clock_now() - began, used = cpu_seconds() - cpu;
    CHECK(waited >= 0.9 * LATE, ERR_DIFFERS, "rank %d returned from a barrier after %.3f s",
          p->rank, waited);
    CHECK(used <= CPU_SHARE * LATE, ERR_DIFFERS, "rank %d used %.3f s of its core in %.3f s",
          p->rank, used, waited);
    if (p->rank == 0) clock_sleep(LATE / 4);
    TRY(check_gather(p, WIDTH, err));
    TRY(check_gather(p, 0, err));
cleanup:
    return rc;
}

/* After a barrier all ranks are in the same round. */
static enum err_code check_many(struct par *p, struct err *err) {
    enum err_code rc = ERR_OK;
    double *all = calloc((size_t)p->size, sizeof *all);
    CHECK(all, ERR_MEMORY, "no memory");
    for (int round = 0; round < ROUNDS; round++) {
        const double mine = round;
        TRY(par_barrier(p, err));
        TRY(par_gather(p, p->rank ? NULL : all, &mine, 1, err));
        for (int r = 0; p->rank == 0 && r < p->size; r++)
            CHECK(all[r] == mine, ERR_DIFFERS, "round %d: rank %d is in %g", round, r, all[r]);
    }
cleanup:
    free(all);
    return rc;
}

static enum err_code check_too_many(struct par *p, struct err *err) {
    struct err why = {0};
    const double none = 0.0;
    if (p->size == 1) return ERR_OK;
    if (par_gather(p, NULL, &none, (size_t)INT_MAX + 1, &why) == ERR_DATA &&
        strstr(why.msg, "2147483648 numbers from each rank: at most 2147483647 fit an MPI message"))
        return ERR_OK;
    return ERR(err, ERR_DIFFERS, "too many numbers: got \"%s\"", why.msg);
}

int main(int argc, char **argv) {
    struct err err = {0};
    struct par p;
    const struct log log = {LOG_WARNING, 0};
    if (argc != 2) return 64;
    enum err_code rc = par_init(&p, PAR_MPI_AUTO, &log, &err);
    if (rc == ERR_OK) rc = check_too_many(&p, &err);
    if (rc == ERR_OK)
        rc = strcmp(argv[1], "wait") == 0 ? check_wait(&p, &err) : check_many(&p, &err);
    if (rc != ERR_OK) (void)fprintf(stderr, "par_probe: %s\n", err.msg);
    return par_finish(&p, err_exit_code(rc));
}
