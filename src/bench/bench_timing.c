#include "bench/bench_timing.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "bench/hardware_limit.h"
#include "bench/median.h"

/* A measurement. Its tasks are the probes of the hardware limit, then the lines that are run. */
struct timing {
    struct measured *out;
    struct par *par;
    struct hardware_limit *limit;
    void *state;
    double (*clock)(void);
    size_t tasks, line_of[BENCH_LINES]; /* task - probes -> line */
    double *mine, *all; /* seconds [repeats, tasks], then the memory; the same of every rank */
    size_t numbers;     /* repeats * tasks + 1 */
};

static double resident_bytes(void) {
    size_t pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f) return 0;
    if (fscanf(f, "%*u %zu", &pages) != 1) pages = 0;
    (void)fclose(f);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

/* ---- running */

static enum err_code run_task(struct timing *s, size_t task, struct err *err) {
    const size_t probes = hardware_limit_probes(s->limit);
    if (task >= probes) return s->out->bench->run(s->state, s->line_of[task - probes], err);
    hardware_limit_probe(s->limit, task);
    return ERR_OK;
}

static enum err_code run_round(struct timing *s, double *seconds, struct err *err) {
    enum err_code rc = ERR_OK;
    for (size_t task = 0; task < s->tasks; task++) {
        TRY(par_barrier(s->par, err));
        const double start = s->clock();
        TRY(run_task(s, task, err));
        seconds[task] = s->clock() - start;
    }
cleanup:
    return rc;
}

static enum err_code open_bench(struct timing *s, struct err *err) {
    enum err_code rc = ERR_OK;
    struct measured *m = s->out;
    struct bench_line lines[BENCH_LINES] = {{0}};
    TRY(m->bench->open(&s->state, lines, &m->n_lines, m->size, err));
    assert(m->n_lines <= BENCH_LINES);
    s->tasks = hardware_limit_probes(s->limit);
    for (size_t i = 0; i < m->n_lines; i++) {
        m->lines[i].line = lines[i];
        if (lines[i].n_parts == 0) s->line_of[s->tasks++ - hardware_limit_probes(s->limit)] = i;
    }
    s->numbers = m->repeats * s->tasks + 1;
    s->mine = calloc(s->numbers, sizeof *s->mine);
    s->all = calloc(s->numbers * m->ranks, sizeof *s->all);
    CHECK(s->mine && s->all, ERR_MEMORY, "no memory for %zu times", s->numbers);
cleanup:
    return rc;
}

static enum err_code run_all(struct timing *s, double before, struct err *err) {
    enum err_code rc = ERR_OK;
    double *memory = &s->mine[s->numbers - 1];
    TRY(run_round(s, s->mine, err)); /* untimed: overwritten */
    *memory = resident_bytes() - before;
    for (size_t r = 0; r < s->out->repeats; r++) TRY(run_round(s, s->mine + r * s->tasks, err));
    TRY(par_gather(s->par, s->all, s->mine, s->numbers, err));
cleanup:
    return rc;
}

/* ---- from seconds to rates */

/* Seconds of a task in each repeat, until the last rank has finished it. */
static void seconds_of(double *out, const struct timing *s, size_t task) {
    for (size_t r = 0; r < s->out->repeats; r++) {
        out[r] = 0;
        for (size_t rank = 0; rank < s->out->ranks; rank++)
            out[r] = fmax(out[r], s->all[rank * s->numbers + r * s->tasks + task]);
    }
}

static void set_limits(struct measured *m, const struct timing *s) {
    double seconds[MEASURE_REPEATS_MAX];
    for (size_t probe = 0; probe < hardware_limit_probes(s->limit); probe++) {
        seconds_of(seconds, s, probe);
        const double rate = hardware_limit_work(s->limit, probe) / median(seconds, m->repeats);
        if (probe >= hardware_limit_sgemms(s->limit)) {
            m->bandwidth = rate;
        } else if (rate > m->gflops * 1e9) {
            m->gflops = rate / 1e9;
            hardware_limit_name(m->shape, s->limit, probe);
        }
    }
}

/* The time of one unit on one rank at the hardware limit. */
static double least_seconds(const struct measured *m, const struct bench_line *line) {
    return line->flops / (m->gflops * 1e9) + line->bytes / m->bandwidth;
}

static void set_run_line(struct measured *m, size_t i, const struct timing *s, size_t task) {
    struct measured_line *l = &m->lines[i];
    const double units = l->line.units * (double)m->ranks;
    double seconds[MEASURE_REPEATS_MAX];
    seconds_of(seconds, s, task);
    l->rate = units / median(seconds, m->repeats);
    l->low = HUGE_VAL;
    for (size_t r = 0; r < m->repeats; r++) {
        l->repeats[r] = units / seconds[r];
        l->low = fmin(l->low, l->repeats[r]);
        l->high = fmax(l->high, l->repeats[r]);
    }
}

static void set_parts_line(struct measured *m, size_t i) {
    struct measured_line *l = &m->lines[i];
    double seconds = 0;
    for (size_t p = 0; p < l->line.n_parts; p++) {
        const struct measured_line *part = &m->lines[l->line.parts[p].line];
        const double share = l->line.parts[p].share;
        assert(l->line.parts[p].line < i);
        seconds += share / part->rate;
        l->line.flops += share * part->line.flops;
        l->line.bytes += share * part->line.bytes;
    }
    l->rate = l->low = l->high = 1 / seconds;
}

static void set_memory(struct measured *m, const struct timing *s) {
    for (size_t rank = 0; rank < m->ranks; rank++)
        m->memory = fmax(m->memory, s->all[(rank + 1) * s->numbers - 1]);
}

static void compute_rates(struct measured *m, const struct timing *s) {
    set_limits(m, s);
    set_memory(m, s);
    size_t task = hardware_limit_probes(s->limit);
    for (size_t i = 0; i < m->n_lines; i++) {
        struct measured_line *l = &m->lines[i];
        if (l->line.n_parts > 0)
            set_parts_line(m, i);
        else
            set_run_line(m, i, s, task++);
        l->limit = (double)m->ranks / least_seconds(m, &l->line);
        l->gflops = l->rate * l->line.flops / (double)m->ranks / 1e9;
        if (l->line.compared_with && i > 0) l->ratio = m->lines[i - 1].rate / l->rate;
    }
}

enum err_code measure(struct measured *out, const struct measure_options *o, struct par *par,
                      struct err *err) {
    enum err_code rc = ERR_OK;
    struct timing s = {.out = out, .par = par, .clock = o->processor_time ? clock_cpu : clock_now};
    assert(o->repeats >= 1 && o->repeats <= MEASURE_REPEATS_MAX);
    *out = (struct measured){.bench = o->bench,
                             .size = o->size,
                             .ranks = (size_t)par->size,
                             .repeats = o->repeats,
                             .processor_time = o->processor_time};
    TRY(hardware_limit_open(&s.limit, o->size, err));
    const double before = resident_bytes();
    TRY(open_bench(&s, err));
    TRY(run_all(&s, before, err));
    if (par->rank == 0) compute_rates(out, &s);
cleanup:
    free(s.all);
    free(s.mine);
    o->bench->close(s.state);
    hardware_limit_close(s.limit);
    return rc;
}
