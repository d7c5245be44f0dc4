/* A journal, as it comes and with every checksum put right: without that no mutation would get
 * behind the first check. Read line by line, as a history, and as the record of tiny.cfg's plan:
 * states, status, tables. */
#include <string.h>

#include "base/hash.h"
#include "cli/status_print.h"
#include "fuzz/fuzz.h"
#include "journal/event.h"
#include "run/tables/stage_table.h"

enum { SUM = 17 }; /* 16 digits and a TAB */

static void put_right(struct text *out, const char *data, size_t size) {
    struct text rest = {0};
    while (size > 0) {
        const char *end = memchr(data, '\n', size);
        const size_t n = end ? (size_t)(end - data) : size;
        const size_t skip = n >= SUM && data[SUM - 1] == '\t' ? SUM : 0;
        text_clear(&rest);
        text_bytes(&rest, data + skip, n - skip);
        text_add(out, "%016llx\t", (unsigned long long)hash_name(text_str(&rest)));
        text_bytes(out, data + skip, n - skip);
        if (end) text_bytes(out, "\n", 1);
        data += end ? n + 1 : n;
        size -= end ? n + 1 : n;
    }
    text_release(&rest);
}

static void read_lines(const struct history *h, const char *data, size_t size) {
    struct event_reader r;
    struct job_value cell;
    event_reader_init(&r, data, size);
    while (event_reader_next(&r)) {
        size_t cells = 0;
        for (size_t i = 0; i < r.event.n; i++) {
            (void)event_find_integer(&r.event, r.event.fields[i].name, 0);
            (void)event_find_real(&r.event, r.event.fields[i].name, 0.0);
            cells += strcmp(r.event.fields[i].name, "c") == 0;
        }
        MUST(!event_find_cell(&cell, &r.event, cells));
        for (size_t i = 0; i < cells; i++)
            if (event_find_cell(&cell, &r.event, i) && cell.type == JOB_TEXT)
                (void)strlen(cell.as.text);
    }
    MUST(h->lines == r.line && h->damaged == r.damaged && h->torn == r.torn);
    event_reader_release(&r);
}

static void check_jobs(const struct history *h) {
    for (size_t i = 0; i < h->n_jobs; i++) {
        const struct history_job *job = &h->jobs[i];
        MUST(history_find(h, job->identity) == job);
        for (size_t k = 1; k < job->n_rows; k++)
            MUST(job->rows[k - 1].number < job->rows[k].number);
    }
}

static void make_tables(struct run_state *r) {
    for (size_t i = 0; i < r->plan.n_stages; i++) {
        struct stage_table rows;
        MUST(stage_table_collect(&rows, r, i, NULL) == ERR_OK);
        for (size_t k = 0; k < rows.n * rows.columns.n; k++) {
            const struct job_value *cell = &rows.cells[k];
            MUST(cell->type == rows.columns.list[k % rows.columns.n].type);
            if (cell->type == JOB_TEXT) (void)strlen(cell->as.text);
        }
        stage_table_release(&rows);
    }
}

static void say_status(const struct run_state *r) {
    struct text out = {0};
    struct progress p;
    MUST(progress_make(&p, r, NULL) == ERR_OK);
    status_print(&out, r, &p);
    status_print_line(&out, r, &p);
    MUST(status_print_json(&out, r, &p, NULL) == ERR_OK);
    text_release(&out);
}

/* The plan is the same for every input. */
static struct run_state *planned(void) {
    static struct run_state r;
    if (r.config) return &r;
    const char *path = TASKVEC_SOURCE "/tests/mpi/tiny.cfg";
    MUST(stage_schemas_init(&r.schemas, NULL) == ERR_OK);
    MUST(stage_schemas_open(&r.config, &r.schemas, path, NULL, 0, NULL) == ERR_OK);
    MUST(plan_make(&r.plan, r.config, NULL) == ERR_OK);
    r.jobs = calloc(r.plan.n_jobs, sizeof *r.jobs);
    MUST(r.jobs);
    return &r;
}

static void read_journal(const char *data, size_t size) {
    struct run_state *r = planned();
    MUST(history_replay(&r->history, data, size, NULL) == ERR_OK);
    read_lines(&r->history, data, size);
    check_jobs(&r->history);
    for (int running = 0; running < 2; running++) {
        r->holder.alive = running;
        run_state_states(r->jobs, r->count, &r->plan, &r->history, NULL, running);
        say_status(r);
        make_tables(r);
        (void)run_state_exit_code(r);
    }
    history_release(&r->history);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct text right = {0};
    const char *bytes = (const char *)data;
    read_journal(bytes, size);
    put_right(&right, bytes, size);
    read_journal(text_str(&right), right.size);
    read_journal(text_str(&right), right.size / 2); /* any prefix is a journal */
    text_release(&right);
    return 0;
}
