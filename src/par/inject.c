#include "par/inject.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "par/asan.h"

static const char *const NAMES[] = {"",     "kill", "segv", "abort",   "exit",
                                    "hang", "oom",  "nan",  "kill-all"};
enum { PIECE = 1 << 24, EXIT_CODE = 3 };

static enum err_code refuse(const char *item, size_t n, struct err *err) {
    return ERR(err, ERR_USAGE,
               "TASKVEC_INJECT: \"%.*s\": expected KIND@job:N or KIND@event:N, KIND one of kill, "
               "segv, abort, exit, hang, oom, nan, kill-all",
               (int)n, item);
}

static enum inject_kind kind_of(const char *name, size_t n) {
    for (size_t i = 1; i < sizeof NAMES / sizeof *NAMES; i++)
        if (strlen(NAMES[i]) == n && strncmp(NAMES[i], name, n) == 0) return (enum inject_kind)i;
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
    if (out->event && (out->kind == INJECT_OOM || out->kind == INJECT_NAN))
        return ERR(err, ERR_USAGE, "TASKVEC_INJECT: \"%.*s\": only a job can do that", (int)n,
                   item);
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

enum inject_kind inject_find(const struct inject *in, bool event, size_t number) {
    for (size_t i = 0; i < in->n; i++)
        if (in->faults[i].event == event && in->faults[i].number == number)
            return in->faults[i].kind;
    return INJECT_NONE;
}

/* Takes address space, not memory: the limit of the child ends it long before the machine does. */
static void exhaust(void) {
#if PAR_ASAN
    (void)raise(SIGKILL); /* no limit under ASan: end as the kernel's out-of-memory killer does */
#endif
    for (void *volatile piece = malloc(PIECE); piece; piece = malloc(PIECE)) continue;
}

static void fall_silent(void) {
    for (;;) (void)pause();
}

void inject_strike(enum inject_kind kind) {
    switch (kind) {
    case INJECT_KILL:
    case INJECT_KILL_ALL:
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
        fall_silent();
        break;
    case INJECT_OOM:
        exhaust();
        break;
    default:
        break;
    }
}
