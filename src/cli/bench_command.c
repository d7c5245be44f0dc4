#include <stdlib.h>
#include <string.h>

#include "bench/bench_config_size.h"
#include "bench/bench_dispatch.h"
#include "bench/bench_report.h"
#include "bench/bench_scaling.h"
#include "bench/bench_text_size.h"
#include "cli/command.h"
#include "machine/blas_kernel.h"
#include "run/rundir/provenance.h"

enum { REPEATS = 5, NAMES = 16, EMPTY_JOBS = 50000, EMPTY_JOBS_TINY = 2000 };

static const struct option_row OPTIONS[] = {
    {"--size", NULL, "SIZE",
     "tiny, small, standard (default: the published model), or a config; of model: tiny, "
     "gpt2-small, smollm2-135m (default) or llama-3-8b"},
    {"--dtype", NULL, "TYPE", "model: f32 (default), f16 or bf16, of random weights"},
    {"--arithmetic", NULL, "NAME",
     "f32 (default), bf16x3, bf16x2 or bf16: products of the model, and of its limit"},
    {"--gemm", NULL, "NAME", "openblas (default) or onednn, for f32"},
    {"--layers", NULL, "N", "model: the first N layers of a size alone"},
    {"--repeats", NULL, "N", "interleaved repeats whose medians are printed (default 5)"},
    {"--ranks", NULL, "N", "scaling: maximum number of ranks (default: the cores available)"},
    {"--mpi", NULL, "WHEN",
     "use MPI: auto (default: only under a launcher such as mpirun), yes or no"},
    {"--processor-time", NULL, NULL,
     "measure processor time, on a machine that other programs keep busy"},
    {"--json", NULL, NULL, "one JSON object"},
};

static const char MORE[] =
    "  dispatch   empty jobs through the farm, journal on\n"
    "  scaling    real runs on 1, 2, 4, ... ranks; starts mpirun itself\n"
    "\n"
    "  taskvec bench fit\n"
    "  taskvec bench model models/smollm2       # a Hugging Face folder\n"
    "  mpirun -n 2 taskvec bench curve --size small --json\n"
    "All ranks of mpirun work at once. Unset OPENBLAS_CORETYPE before comparing speeds.\n";

struct request {
    const struct options *options;
    struct bench_size size;
    size_t repeats, ranks;
    enum par_mpi mpi;
    struct par par;
    struct log log;
};

/* ---- what is asked for */

static enum err_code read_number(size_t *out, const struct options *o, const char *option,
                                 long most, struct err *err) {
    char *end;
    if (!options_has(o, option)) return ERR_OK;
    const char *text = options_value(o, option);
    const long value = strtol(text, &end, 10);
    if (*text == '\0' || *end != '\0' || value < 1 || value > most)
        return ERR(err, ERR_USAGE, "%s: expected 1 to %ld, got \"%s\"", option, most, text);
    *out = (size_t)value;
    return ERR_OK;
}

/* NULL: not given. */
static const char *word_of(const struct options *o, const char *option) {
    return options_has(o, option) ? options_value(o, option) : NULL;
}

static enum err_code read_products(struct model_arithmetic *out, const struct options *o,
                                   struct err *err) {
    enum err_code rc = ERR_OK;
    const char *gemm = word_of(o, "--gemm");
    *out = (struct model_arithmetic){.onednn = gemm && strcmp(gemm, "onednn") == 0};
    CHECK(!gemm || out->onednn || strcmp(gemm, "openblas") == 0, ERR_USAGE,
          "--gemm: expected openblas or onednn, got \"%s\"", gemm);
    TRY(options_arithmetic(&out->arithmetic, o, err));
cleanup:
    return rc;
}

static enum err_code read_size(struct bench_size *out, const struct options *o, struct err *err) {
    enum err_code rc = ERR_OK;
    const char *size = word_of(o, "--size");
    struct bench_text_request text = {
        .size = size, .type = word_of(o, "--dtype"), .folder = o->n_args > 1 ? o->args[1] : NULL};
    TRY(read_number(&text.layers, o, "--layers", 1000, err));
    if (strcmp(o->args[0], "model") == 0) return bench_text_size_read(out, &text, err);
    CHECK(!text.folder && !text.type && text.layers == 0, ERR_USAGE,
          "bench %s: a folder, --dtype and --layers are of bench model alone", o->args[0]);
    TRY(bench_config_size_read(out, size ? size : "standard", err));
cleanup:
    return rc;
}

static enum err_code read_request(struct request *q, const struct options *o, struct err *err) {
    enum err_code rc = ERR_OK;
    *q = (struct request){.options = o, .repeats = REPEATS, .log = {.level = LOG_WARNING}};
    TRY(read_size(&q->size, o, err));
    TRY(read_products(&q->size.products, o, err));
    TRY(read_number(&q->repeats, o, "--repeats", MEDIAN_MAX, err));
    TRY(read_number(&q->ranks, o, "--ranks", 1024, err));
    TRY(par_read_mpi(&q->mpi, options_value(o, "--mpi"), err));
cleanup:
    return rc;
}

static enum err_code unknown(const char *word, struct err *err) {
    const char *names[NAMES] = {"dispatch", "scaling"};
    size_t n = 2;
    for (size_t i = 0; i < bench_count(); i++) names[n++] = bench_at(i)->name;
    const char *nearest = text_nearest(word, names, n);
    if (nearest) return ERR(err, ERR_USAGE, "bench %s: unknown (did you mean %s?)", word, nearest);
    return ERR(err, ERR_USAGE, "bench %s: unknown; taskvec bench --help lists them", word);
}

/* ---- the three kinds */

static enum err_code run_measure(struct text *out, struct request *q, const struct bench *bench,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    struct measured *m = calloc(1, sizeof *m);
    CHECK(m, ERR_MEMORY, "no memory for the measurements");
    const struct measure_options o = {bench, &q->size, q->repeats,
                                      options_has(q->options, "--processor-time")};
    TRY(measure(m, &o, &q->par, err));
    if (q->par.rank > 0) goto cleanup;
    if (options_has(q->options, "--json"))
        TRY(bench_report_json(out, m, err));
    else
        bench_report_text(out, m);
cleanup:
    free(m);
    return rc;
}

static enum err_code print_rates(struct text *out, const struct request *q,
                                 const struct rates_table *t, struct err *err) {
    if (options_has(q->options, "--json")) return rates_table_json(out, t, err);
    rates_table_text(out, t);
    return ERR_OK;
}

static enum err_code run_dispatch(struct text *out, struct request *q, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text machine = {0};
    struct rates_table *t = calloc(1, sizeof *t);
    const bool tiny = strcmp(q->size.name, "tiny") == 0;
    CHECK(t, ERR_MEMORY, "no memory for the measurements");
    provenance_machine(&machine);
    const struct bench_dispatch_options o = {.jobs = tiny ? EMPTY_JOBS_TINY : EMPTY_JOBS,
                                             .repeats = q->repeats,
                                             .machine = text_str(&machine)};
    t->size = q->size.name;
    TRY(bench_dispatch_measure(t, &o, &q->par, err));
    if (q->par.rank == 0) TRY(print_rates(out, q, t, err));
cleanup:
    text_release(&machine);
    free(t);
    return rc;
}

static enum err_code run_scaling(struct text *out, struct request *q, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct bench_scaling_options o = {&q->size, q->ranks, q->repeats};
    struct rates_table *t = calloc(1, sizeof *t);
    CHECK(t, ERR_MEMORY, "no memory for the measurements");
    CHECK(!getenv("OMPI_COMM_WORLD_SIZE") && !getenv("PMIX_RANK"), ERR_USAGE,
          "bench scaling starts mpirun itself: run it without mpirun");
    TRY(bench_scaling(t, &o, err));
    TRY(print_rates(out, q, t, err));
cleanup:
    free(t);
    return rc;
}

/* ---- the command */

static enum err_code on_all_ranks(struct text *out, struct request *q, const struct bench *bench,
                                  struct err *err) {
    enum err_code rc = par_init(&q->par, q->mpi, &q->log, err);
    if (rc != ERR_OK) return rc;
    q->log.rank = q->par.rank;
    if (bench) par_leave_signals(&q->par);
    if (q->par.rank == 0) blas_kernel_warn(&q->log);
    rc = bench ? run_measure(out, q, bench, err) : run_dispatch(out, q, err);
    (void)par_finish(&q->par, rc == ERR_OK ? 0 : err_exit_code(rc));
    return rc;
}

static enum err_code bench_command(struct text *out, int *exit_code, const struct options *o,
                                   char *const *argv, struct err *err) {
    struct request q;
    const char *name = o->args[0];
    const struct bench *bench = bench_find(name);
    (void)argv;
    (void)exit_code;
    const enum err_code rc = read_request(&q, o, err);
    if (rc != ERR_OK) return rc;
    if (strcmp(name, "scaling") == 0) return run_scaling(out, &q, err);
    if (bench || strcmp(name, "dispatch") == 0) return on_all_ranks(out, &q, bench, err);
    return unknown(name, err);
}

const struct command COMMAND_BENCH = {
    .name = "bench",
    .arguments = "NAME [MODEL]",
    .meaning = "run a benchmark and compare its rate with the hardware limit",
    .more = MORE,
    .options = OPTIONS,
    .n_options = sizeof OPTIONS / sizeof *OPTIONS,
    .least_args = 1,
    .most_args = 2,
    .run = bench_command,
};
