#include "machine/time_limit.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

bool time_limit_slurm(double *seconds, const char *text, double now) {
    const size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 15 || text[digits] != '\0') return false;
    *seconds = strtod(text, NULL) - now;
    return *seconds > 0.0;
}

double time_limit_end(double began, double max_time, const struct log *log) {
    const char *slurm = getenv("SLURM_JOB_END_TIME");
    const double own = max_time > 0.0 ? began + max_time : 0.0;
    double left;
    if (!slurm) return own;
    if (!time_limit_slurm(&left, slurm, clock_wall())) {
        log_line(log, LOG_WARNING,
                 "SLURM_JOB_END_TIME: '%.40s' is not a future time in seconds since 1970: ignored",
                 slurm);
        return own;
    }
    const double end = clock_now() + left;
    return own > 0.0 && own < end ? own : end;
}
