/*
 * clock.h - monotonic and wall-clock time; no result depends on it.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

double clock_now(void);  /* monotonic seconds, for durations and deadlines */
double clock_cpu(void);  /* processor seconds of this process, for calibrations */
double clock_wall(void); /* seconds since 1970: for stamps and the age of files, nothing else */
void clock_utc(char out[32]);        /* "2026-11-22T19:46:00Z" */
double clock_since(const char *utc); /* seconds since such a time, by this clock; NaN: not one */
void clock_sleep(double seconds);
void clock_span(char out[32], double seconds); /* "42 s", "3 min 05 s", "2 h 10 min" */

/* The same with two digits below ten seconds: "0.024 s", "3.1 s". */
void clock_span_fine(char out[32], double seconds);

/* Seconds added to clock_wall(), from TASKVEC_CLOCK_OFFSET of the environment: tests of a clock
 * that jumps set it. Children inherit it. */
double clock_offset(void);
void clock_set_offset(double seconds);

#endif
