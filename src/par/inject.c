#include "par/inject.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "par/asan.h"

enum { PIECE = 1 << 24, EXIT_CODE = 3 };
static const double SLOWNESS = 0.2; /* seconds */

static const struct {
    const char *name;
    bool job, event; /* where it can be injected */
} KINDS[] = {
    [INJECT_NONE] = {"", false, false},
    [INJECT_KILL] = {"kill", true, true},
    [INJECT_SEGV] = {"segv", true, true},
    [INJECT_ABORT] = {"abort", true, true},
    [INJECT_EXIT] = {"exit", true, true},
    [INJECT_HANG] = {"hang", true, true},
    [INJECT_OOM] = {"oom", true, false},
    [INJECT_NAN] = {"nan", true, false},
    [INJECT_KILL_ALL] = {"kill-all", true, true},
    [INJECT_KILL_COORDINATOR] = {"kill-coordinator", true, true},
    [INJECT_KILL_RANK] = {"kill-rank", true, false},
    [INJECT_ENOSPC] = {"enospc", true, true},
    [INJECT_EIO] = {"eio", true, true},
    [INJECT_SLOW_FS] = {"slow-fs", true, true},
    [INJECT_TORN_JOURNAL] = {"torn-journal", false, true},
    [INJECT_TORN_ARTIFACT] = {"torn-artifact", true, true},
    [INJECT_CLOCK_JUMP] = {"clock-jump", false, true},
};
enum { N_KINDS = sizeof KINDS / sizeof *KINDS };

static enum err_code refuse(const char *item, size_t n, struct err *err) {
    struct text names = {0};
    for (size_t i = 1; i < N_KINDS; i++) text_add(&names, i > 1 ? ", %s" : "%s", KINDS[i].name);
    const enum err_code rc = ERR(err, ERR_USAGE,
                                 "TASKVEC_INJECT: \"%.*s\": expected KIND@job:N or KIND@event:N, "
                                 "KIND one of %s",
                                 (int)n, item, text_str(&names));
    text_release(&names);
    return rc;
}

static enum inject_kind kind_of(const char *name, size_t n) {
    for (size_t i = 1; i < N_KINDS; i++)
        if (strlen(KINDS[i].name) == n && strncmp(KINDS[i].name, name, n) == 0)
            return (enum inject_kind)i;
    return INJECT_NONE;
}

static enum err_code parse_item(struct inject_fault *out, const char *item, size_t n,
                                struct err *err) {
    const char *at = memchr(item, '@', n);
    char *end = NULL;
    if (!at) return refuse(item, n, err);
    const char *number = strchr(at, ':');
    out->kind = kind_of(item, (size_t)(at - item));
    out->event = strncmp(at, "@event:", 7) == 0;
    if (out->kind == INJECT_NONE || (!out->event && strncmp(at, "@job:", 5) != 0))
        return refuse(item, n, err);
    if (!(out->event ? KINDS[out->kind].event : KINDS[out->kind].job))
        return ERR(err, ERR_USAGE, "TASKVEC_INJECT: \"%.*s\": this kind can be injected at %s only",
                   (int)n, item,
                   out->event ? "a job (@job:N)" : "a line of the journal (@event:N)");
    errno = 0;
    out->number = strtoull(number + 1, &end, 10);
    if (number[1] < '0' || number[1] > '9' || end != item + n || errno) return refuse(item, n, err);
    return ERR_OK;
}

enum err_code inject_parse(struct inject *out, const char *text, struct err *err) {
    enum err_code rc = ERR_OK;
    *out = (struct inject){0};
    while (text && *text) {
        const size_t n = strcspn(text, ",");
        CHECK(out->n < INJECT_MAX, ERR_USAGE, "TASKVEC_INJECT: more than %d faults", INJECT_MAX);
        TRY(parse_item(&out->faults[out->n], text, n, err));
        out->n++;
        text += n;
        if (*text == ',' && *++text == '\0') TRY(refuse("", 0, err));
    }
cleanup:
    return rc;
}

enum err_code inject_check(const struct inject *in, size_t n_jobs, struct err *err) {
    for (size_t i = 0; i < in->n; i++) {
        const struct inject_fault *f = &in->faults[i];
        if (!f->event && f->number >= n_jobs)
            return ERR(err, ERR_USAGE,
                       "TASKVEC_INJECT: \"%s@job:%zu\": the plan has %zu jobs, from job:0 on",
                       KINDS[f->kind].name, f->number, n_jobs);
    }
    return ERR_OK;
}

enum inject_kind inject_find(const struct inject *in, bool event, size_t number) {
    for (size_t i = 0; i < in->n; i++)
        if (in->faults[i].event == event && in->faults[i].number == number)
            return in->faults[i].kind;
    return INJECT_NONE;
}

size_t inject_exhaust(void) {
    size_t taken = 0;
#if PAR_ASAN
    (void)raise(SIGKILL); /* no memory limit under ASan: end as by the out-of-memory killer */
#endif
    for (void *volatile piece = malloc(PIECE); piece; piece = malloc(PIECE)) taken += PIECE;
    return taken;
}

static void hang(void) {
    for (;;) (void)pause();
}

/* On stderr, so that tests find it in the reason of the failed job. */
static void announce(enum inject_kind kind) {
    char line[64];
    const int n = snprintf(line, sizeof line, "injected: %s\n", KINDS[kind].name);
    if (n > 0 && write(STDERR_FILENO, line, (size_t)n) < 0) return;
}

void inject_trigger(enum inject_kind kind) {
    if (kind >= INJECT_KILL && kind <= INJECT_HANG) announce(kind);
    switch (kind) {
    case INJECT_KILL:
    case INJECT_KILL_ALL:
    case INJECT_KILL_COORDINATOR:
        (void)raise(SIGKILL);
        break;
    case INJECT_SEGV:
        (void)signal(SIGSEGV, SIG_DFL);
        (void)raise(SIGSEGV);
        break;
    case INJECT_ABORT:
        abort();
    case INJECT_EXIT:
        _exit(EXIT_CODE);
    case INJECT_HANG:
        hang();
        break;
    default:
        break;
    }
}

bool inject_is_storage(enum inject_kind kind) {
    return kind >= INJECT_ENOSPC && kind <= INJECT_TORN_ARTIFACT;
}

struct disk inject_disk(enum inject_kind kind) {
    switch (kind) {
    case INJECT_ENOSPC:
        return (struct disk){.error = ENOSPC, .torn = true};
    case INJECT_EIO:
        return (struct disk){.error = EIO};
    case INJECT_SLOW_FS:
        return (struct disk){.delay = SLOWNESS};
    case INJECT_TORN_JOURNAL:
        return (struct disk){.error = EIO, .torn = true};
    default:
        return (struct disk){0};
    }
}

bool inject_halve(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && truncate(path, info.st_size / 2) == 0;
}

void inject_tear(const char *path) {
    if (!inject_halve(path)) return;
    (void)kill(getppid(), SIGKILL);
    (void)raise(SIGKILL);
}
