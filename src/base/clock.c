#include "base/clock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const double SPAN_MOST = 99999.0 * 3600.0; /* seconds; more is printed as this */
static const double OFFSET_MOST = 1e9;            /* seconds; a larger offset is ignored */

double clock_now(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double clock_cpu(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double clock_offset(void) {
    const char *text = getenv("TASKVEC_CLOCK_OFFSET");
    char *end = NULL;
    const double seconds = text ? strtod(text, &end) : 0.0;
    return text && *end == '\0' && fabs(seconds) < OFFSET_MOST ? seconds : 0.0;
}

void clock_set_offset(double seconds) {
    char text[32];
    (void)snprintf(text, sizeof text, "%.3f", seconds);
    (void)setenv("TASKVEC_CLOCK_OFFSET", text, 1);
}

double clock_wall(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec + clock_offset();
}

void clock_utc(char out[32]) {
    const time_t now = (time_t)clock_wall();
    struct tm parts;
    (void)gmtime_r(&now, &parts);
    (void)strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

double clock_since(const char *utc) {
    struct tm parts = {0};
    const char *end = strptime(utc, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return end && *end == '\0' ? clock_wall() - (double)timegm(&parts) : nan("");
}

void clock_sleep(double seconds) {
    const struct timespec t = {(time_t)seconds, (long)(1e9 * (seconds - (double)(time_t)seconds))};
    (void)nanosleep(&t, NULL);
}

void clock_span(char out[32], double seconds) {
    const long s = seconds > 0.0 ? (long)fmin(seconds + 0.5, SPAN_MOST) : 0;
    if (s < 60)
        (void)snprintf(out, 32, "%ld s", s);
    else if (s < 3600)
        (void)snprintf(out, 32, "%ld min %02ld s", s / 60, s % 60);
    else
        (void)snprintf(out, 32, "%ld h %02ld min", s / 3600, s / 60 % 60);
}

void clock_span_fine(char out[32], double seconds) {
    if (seconds > 0.0 && seconds < 9.95)
        (void)snprintf(out, 32, "%.2g s", seconds);
    else
        clock_span(out, seconds);
}
