#include <stdlib.h>
#include <string.h>

#include "bench/report.h"
#include "run/command.h"

enum { REPEATS = 5 };

static const struct option_row OPTIONS[] = {
    {"--size", NULL, "SIZE", "tiny, small or standard (the published model; the default)"},
    {"--repeats", NULL, "N", "interleaved repeats whose medians are printed (default 5)"},
    {"--json", NULL, NULL, "one JSON object"},
};

struct request {
    const struct bench *bench;
    const struct bench_size *size;
    size_t repeats;
};

static enum err_code find_bench(const struct bench **out, const char *word, struct err *err) {
    const char *names[16];
    *out = bench_find(word);
    if (*out) return ERR_OK;
    for (size_t i = 0; i < bench_count(); i++) names[i] = bench_at(i)->name;
    const char *nearest = text_nearest(word, names, bench_count());
    if (nearest) return ERR(err, ERR_USAGE, "bench %s: unknown (did you mean %s?)", word, nearest);
    return ERR(err, ERR_USAGE, "bench %s: unknown; taskvec bench --help lists them", word);
}

static enum err_code read_repeats(size_t *out, const char *text, struct err *err) {
    char *end;
    *out = REPEATS;
    if (!text) return ERR_OK;
    const long value = strtol(text, &end, 10);
    if (*text == '\0' || *end != '\0' || value < 1 || value > MEASURE_REPEATS_MAX)
        return ERR(err, ERR_USAGE, "--repeats: expected 1 to %d, got \"%s\"", MEASURE_REPEATS_MAX,
                   text);
    *out = (size_t)value;
    return ERR_OK;
}

static enum err_code read_request(struct request *q, const struct options *o, struct err *err) {
    enum err_code rc = ERR_OK;
    const char *size = options_has(o, "--size") ? options_value(o, "--size") : "standard";
    TRY(find_bench(&q->bench, o->args[0], err));
    q->size = bench_size_find(size);
    CHECK(q->size, ERR_USAGE, "--size: expected tiny, small or standard, got \"%s\"", size);
    TRY(read_repeats(&q->repeats,
                     options_has(o, "--repeats") ? options_value(o, "--repeats") : NULL, err));
cleanup:
    return rc;
}

static enum err_code print_report(struct text *out, const struct measured *m,
                                  const struct options *o, struct err *err) {
    if (options_has(o, "--json")) return report_json(out, m, err);
    report_text(out, m);
    return ERR_OK;
}

static enum err_code bench_command(struct text *out, int *exit_code, const struct options *o,
                                   char *const *argv, struct err *err) {
    enum err_code rc = ERR_OK;
    struct request q;
    struct par par = {0};
    struct measured m;
    const struct log log = {.level = LOG_WARNING};
    (void)argv;
    (void)exit_code;
    TRY(read_request(&q, o, err));
    TRY(par_init(&par, &log, err));
    rc = measure(&m, q.bench, q.size, q.repeats, &par, err);
    if (rc == ERR_OK && par.rank == 0) rc = print_report(out, &m, o, err);
    (void)par_finish(&par, rc == ERR_OK ? 0 : err_exit_code(rc));
cleanup:
    return rc;
}

const struct command COMMAND_BENCH = {
    .name = "bench",
    .arguments = "NAME",
    .meaning = "the project's own yardsticks, each beside its limit",
    .more = "  taskvec bench fit\n"
            "  mpirun -n 2 taskvec bench curve --size small --json\n",
    .options = OPTIONS,
    .n_options = sizeof OPTIONS / sizeof *OPTIONS,
    .least_args = 1,
    .most_args = 1,
    .run = bench_command,
};
