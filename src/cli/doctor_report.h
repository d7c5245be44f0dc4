/*
 * doctor_report.h - the lines of `taskvec doctor`: what was found and, if it is a problem, what to
 * do.
 */
#ifndef CLI_DOCTOR_REPORT_H
#define CLI_DOCTOR_REPORT_H

#include <stddef.h>

#include "base/text.h"

struct doctor {
    struct text *out;
    size_t troubles;
};

static inline void doctor_well(struct doctor *d, const char *what, const char *found) {
    text_add(d->out, "ok       %-12s %s\n", what, found);
}

static inline void doctor_trouble(struct doctor *d, const char *what, const char *found) {
    text_add(d->out, "TROUBLE  %-12s %s\n", what, found);
    d->troubles++;
}

#endif
