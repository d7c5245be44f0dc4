#include "journal/history.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct entry { /* of each history_job: what only the replay needs */
    size_t rows_capacity;
};

struct history_private {
    char **texts; /* every string that jobs and attempts point to; owned */
    size_t n_texts, texts_capacity;
    struct entry *entries; /* [capacity], as jobs */
    size_t capacity, attempts_capacity;
    uint32_t *slots; /* open addressing over identities: index + 1, 0 empty; size a power of two */
    size_t n_slots;
};

static enum err_code no_memory(struct err *err) {
    return ERR(err, ERR_MEMORY, "the journal does not fit into memory");
}

/* Makes room for one more of n in *array. */
static bool reserve(void **array, size_t *capacity, size_t n, size_t width) {
    if (n < *capacity) return true;
    const size_t wanted = *capacity ? 2 * *capacity : 8;
    void *grown = realloc(*array, wanted * width);
    if (!grown) return false;
    *array = grown;
    *capacity = wanted;
    return true;
}

static const char *keep(struct history_private *own, const char *s) {
    if (!s || !*s) return "";
    void *texts = own->texts;
    if (!reserve(&texts, &own->texts_capacity, own->n_texts, sizeof *own->texts)) return NULL;
    own->texts = texts;
    char *copy = text_copy(s);
    if (copy) own->texts[own->n_texts++] = copy;
    return copy;
}

/* ---------------------------------------------------------------- identities */

static uint64_t spread(const char *identity) { /* FNV-1a */
    uint64_t h = UINT64_C(1469598103934665603);
    for (; *identity; identity++) h = (h ^ (unsigned char)*identity) * UINT64_C(1099511628211);
    return h;
}

static size_t slot_of(const struct history *h, const char *identity) {
    const size_t mask = h->own->n_slots - 1;
    size_t slot = (size_t)spread(identity) & mask;
    while (h->own->slots[slot] && strcmp(h->jobs[h->own->slots[slot] - 1].identity, identity) != 0)
        slot = (slot + 1) & mask;
    return slot;
}

static bool grow_slots(struct history *h) {
    struct history_private *own = h->own;
    if (2 * (h->n_jobs + 1) <= own->n_slots) return true;
    const size_t n = own->n_slots ? 2 * own->n_slots : 64;
    uint32_t *slots = calloc(n, sizeof *slots);
    if (!slots) return false;
    free(own->slots);
    own->slots = slots;
    own->n_slots = n;
    for (size_t i = 0; i < h->n_jobs; i++)
        slots[slot_of(h, h->jobs[i].identity)] = (uint32_t)(i + 1);
    return true;
}

static bool grow_jobs(struct history *h) {
    struct history_private *own = h->own;
    size_t capacity = own->capacity;
    void *jobs = h->jobs, *entries = own->entries;
    if (h->n_jobs < capacity) return true;
    if (!reserve(&entries, &capacity, h->n_jobs, sizeof *own->entries)) return false;
    own->entries = entries;
    capacity = own->capacity;
    if (!reserve(&jobs, &capacity, h->n_jobs, sizeof *h->jobs)) return false;
    h->jobs = jobs;
    own->capacity = capacity;
    return true;
}

/* Index of the job of this identity, a new one if need be; SIZE_MAX: memory. */
static size_t job_at(struct history *h, const char *identity) {
    if (!grow_slots(h)) return SIZE_MAX;
    const size_t slot = slot_of(h, identity);
    if (h->own->slots[slot]) return h->own->slots[slot] - 1;
    if (!grow_jobs(h)) return SIZE_MAX;
    struct history_job *job = &h->jobs[h->n_jobs];
    *job = (struct history_job){
        .state = HISTORY_STOPPED, .ranks = "", .shards = "", .failed_class = "", .reason = ""};
    memcpy(job->identity, identity, 64);
    h->own->entries[h->n_jobs] = (struct entry){0};
    h->own->slots[slot] = (uint32_t)(h->n_jobs + 1);
    return h->n_jobs++;
}

const struct history_job *history_find(const struct history *h, const char *identity) {
    if (!h->own || h->own->n_slots == 0) return NULL;
    const uint32_t slot = h->own->slots[slot_of(h, identity)];
    return slot ? &h->jobs[slot - 1] : NULL;
}

/* ---------------------------------------------------------------- rows */

static bool row_cells(struct history_row *row, struct history *h, const struct event *e) {
    bool sound;
    row->cells = calloc(e->n ? e->n : 1, sizeof *row->cells);
    if (!row->cells) return false;
    for (size_t i = 0; i < e->n; i++) {
        struct job_value *cell = &row->cells[row->n];
        if (!event_cell_field(cell, &sound, &e->fields[i])) continue;
        if (!sound) break; /* of a later version: keep the cells before it */
        row->n++;
        if (cell->type == JOB_TEXT && !(cell->as.text = keep(h->own, cell->as.text))) return false;
    }
    return true;
}

static size_t row_place(const struct history_job *job, size_t number) {
    size_t low = 0, high = job->n_rows;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (job->rows[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool add_row(struct history *h, size_t index, const struct event *e) {
    struct history_job *job = &h->jobs[index];
    struct history_row row = {0};
    const int64_t number = event_find_integer(e, "number", -1);
    if (number < 0) return true;
    row.number = (size_t)number;
    if (!row_cells(&row, h, e)) {
        free(row.cells);
        return false;
    }
    const size_t at = row_place(job, row.number);
    if (at < job->n_rows && job->rows[at].number == row.number) {
        free(job->rows[at].cells);
        job->rows[at] = row;
        return true;
    }
    void *rows = job->rows;
    if (!reserve(&rows, &h->own->entries[index].rows_capacity, job->n_rows, sizeof row)) {
        free(row.cells);
        return false;
    }
    job->rows = rows;
    memmove(job->rows + at + 1, job->rows + at, (job->n_rows - at) * sizeof row);
    job->rows[at] = row;
    job->n_rows++;
    return true;
}

/* ---------------------------------------------------------------- attempts */

/* A job that the last attempt left running is lost if that attempt died, or ended because a rank
 * did (EXIT_SYSTEM); otherwise it was stopped. The death of an attempt that had been asked to stop
 * does not count against its jobs: the launcher may have killed it. */
static void close_attempt(struct history *h) {
    if (h->n_attempts == 0) return;
    const struct history_attempt *last = &h->attempts[h->n_attempts - 1];
    const bool in_order = last->ended && last->code != EXIT_SYSTEM;
    for (size_t i = 0; i < h->n_jobs; i++) {
        struct history_job *job = &h->jobs[i];
        if (job->state != HISTORY_STARTED || job->attempt != last->number) continue;
        job->state = HISTORY_STOPPED;
        job->lost = in_order ? 0 : job->lost + !last->asked;
    }
}

static bool copy_fields(struct history_attempt *a, struct history *h, const struct event *e) {
    a->fields = calloc(e->n ? e->n : 1, sizeof *a->fields);
    if (!a->fields) return false;
    for (size_t i = 0; i < e->n; i++) {
        const char *name = keep(h->own, e->fields[i].name);
        const char *value = keep(h->own, e->fields[i].value);
        if (!name || !value) return false;
        a->fields[a->n_fields++] = (struct event_field){name, value};
    }
    return true;
}

/* The line of the last attempt, written twice: no new attempt. */
static bool is_repeated(const struct history *h, const struct event *e) {
    const int64_t number = event_find_integer(e, "number", 0);
    return h->n_attempts > 0 && (size_t)number == h->attempts[h->n_attempts - 1].number;
}

static bool add_attempt(struct history *h, const struct event *e) {
    if (is_repeated(h, e)) return true;
    close_attempt(h);
    void *attempts = h->attempts;
    if (!reserve(&attempts, &h->own->attempts_capacity, h->n_attempts, sizeof *h->attempts))
        return false;
    h->attempts = attempts;
    struct history_attempt *a = &h->attempts[h->n_attempts++];
    *a = (struct history_attempt){
        .end = "", .number = (size_t)event_find_integer(e, "number", (int64_t)h->n_attempts)};
    return copy_fields(a, h, e);
}

/* ---------------------------------------------------------------- jobs */

static bool on_done(struct history *h, struct history_job *job, const struct event *e) {
    const char *sum = event_find(e, "sha256");
    job->state = HISTORY_DONE;
    job->dones++;
    job->rows_due = (size_t)event_find_integer(e, "rows", 0);
    job->lost = 0;
    job->seconds = event_find_real(e, "seconds", 0.0);
    job->cpu = event_find_real(e, "cpu", 0.0);
    job->share = event_find_real(e, "share", 0.0);
    job->found = (size_t)event_find_integer(e, "found", 0);
    job->made = (size_t)event_find_integer(e, "made", 0);
    job->artifact = event_find_integer(e, "artifact", 0) == 1;
    job->bytes = (uint64_t)event_find_integer(e, "bytes", 0);
    memset(job->sha256, 0, sizeof job->sha256);
    if (sum && strlen(sum) == 64) memcpy(job->sha256, sum, 64);
    job->failed_class = job->reason = "";
    job->shards = keep(h->own, event_find(e, "shards"));
    return job->shards != NULL;
}

static bool on_failed(struct history *h, struct history_job *job, const struct event *e) {
    job->state = HISTORY_FAILED;
    job->lost = 0;
    job->failed_class = keep(h->own, event_find(e, "class"));
    job->reason = keep(h->own, event_find(e, "reason"));
    return job->failed_class && job->reason;
}

static bool on_start(struct history *h, struct history_job *job, const struct event *e) {
    job->state = HISTORY_STARTED;
    job->attempt = h->n_attempts ? h->attempts[h->n_attempts - 1].number : 0;
    job->starts++;
    job->began = event_find_real(e, "ms", -1e3) / 1e3;
    job->resumed = job->done;
    job->failed_class = job->reason = "";
    job->ranks = keep(h->own, event_find(e, "ranks"));
    return job->ranks != NULL;
}

static void on_checkpoint(struct history_job *job, const struct event *e) {
    const double done = event_find_real(e, "done", 0.0);
    if (done > job->done) job->lost = 0; /* it makes progress although attempts die */
    job->done = done;
    job->total = event_find_real(e, "total", 0.0);
    job->marked = event_find_real(e, "ms", -1e3) / 1e3;
}

static bool on_job(struct history *h, const struct event *e) {
    struct history_attempt none = {0};
    struct history_attempt *a = h->n_attempts ? &h->attempts[h->n_attempts - 1] : &none;
    if (!e->job || strlen(e->job) != 64) return true;
    const size_t index = job_at(h, e->job);
    if (index == SIZE_MAX) return false;
    struct history_job *job = &h->jobs[index];
    switch (e->kind) {
    case EVENT_ROW:
        return add_row(h, index, e);
    case EVENT_START:
        return a->started++, on_start(h, job, e);
    case EVENT_DONE:
        return a->done++, on_done(h, job, e);
    case EVENT_FAILED:
        return a->failed++, on_failed(h, job, e);
    case EVENT_CHECKPOINT:
        a->checkpoints++, on_checkpoint(job, e);
        return true;
    case EVENT_STOPPED:
        job->state = HISTORY_STOPPED, job->lost = 0;
        return true;
    default:
        return true;
    }
}

static bool on_end(struct history *h, struct history_attempt *a, const struct event *e) {
    a->ended = true;
    a->code = (int)event_find_integer(e, "code", 0);
    a->end = keep(h->own, event_find(e, "utc"));
    return a->end != NULL;
}

static bool note_version(struct history *h, int version) {
    if (version > h->version) h->version = version;
    return true;
}

static bool apply(struct history *h, const struct event *e) {
    switch (e->kind) {
    case EVENT_JOURNAL:
        return note_version(h, (int)event_find_integer(e, "version", 0));
    case EVENT_ATTEMPT:
        return add_attempt(h, e);
    case EVENT_LEAVE:
        if (h->n_attempts > 0) h->attempts[h->n_attempts - 1].asked = true;
        return true;
    case EVENT_END:
        return h->n_attempts == 0 || on_end(h, &h->attempts[h->n_attempts - 1], e);
    case EVENT_OTHER:
        return true;
    default:
        return on_job(h, e);
    }
}

/* Closes the last attempt if it ended. If it did not, it may be alive: its jobs stay STARTED, and
 * `lost` counts as if it had died. */
static void settle(struct history *h) {
    if (h->n_attempts == 0) return;
    const struct history_attempt *last = &h->attempts[h->n_attempts - 1];
    if (last->ended) {
        close_attempt(h);
        return;
    }
    for (size_t i = 0; i < h->n_jobs; i++)
        if (h->jobs[i].state == HISTORY_STARTED) h->jobs[i].lost += !last->asked;
}

static void demand_rows(struct history *h) {
    for (size_t i = 0; i < h->n_jobs; i++)
        if (h->jobs[i].state == HISTORY_DONE && h->jobs[i].n_rows < h->jobs[i].rows_due)
            h->jobs[i].state = HISTORY_STOPPED;
}

enum err_code history_replay(struct history *h, const char *data, size_t size, struct err *err) {
    enum err_code rc = ERR_OK;
    struct event_reader r;
    *h = (struct history){0};
    event_reader_init(&r, data, size);
    h->own = calloc(1, sizeof *h->own);
    if (!h->own) TRY(no_memory(err));
    while (event_reader_next(&r))
        if (!apply(h, &r.event)) TRY(no_memory(err));
    settle(h);
    demand_rows(h);
    h->lines = r.line;
    h->damaged = r.damaged;
    h->torn = r.torn;
cleanup:
    event_reader_release(&r);
    if (rc != ERR_OK) history_release(h);
    return rc;
}

void history_release(struct history *h) {
    for (size_t i = 0; i < h->n_jobs; i++) {
        for (size_t k = 0; k < h->jobs[i].n_rows; k++) free(h->jobs[i].rows[k].cells);
        free(h->jobs[i].rows);
    }
    for (size_t i = 0; i < h->n_attempts; i++) free(h->attempts[i].fields);
    if (h->own) {
        for (size_t i = 0; i < h->own->n_texts; i++) free(h->own->texts[i]);
        free(h->own->texts);
        free(h->own->entries);
        free(h->own->slots);
    }
    free(h->own);
    free(h->jobs);
    free(h->attempts);
    *h = (struct history){0};
}

const char *history_field(const struct history_attempt *a, const char *name) {
    for (size_t i = 0; i < a->n_fields; i++)
        if (strcmp(a->fields[i].name, name) == 0) return a->fields[i].value;
    return NULL;
}
