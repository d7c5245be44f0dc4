/*
 * student.h - Student's t distribution.
 */
#ifndef STATS_STUDENT_H
#define STATS_STUDENT_H

/* P(t <= x) with dof > 0 degrees of freedom (need not be whole). Through the regularised incomplete
 * beta function: Abramowitz and Stegun 26.7.1 and 26.5.8. */
double student_cdf(double x, double dof);

/* x with P(t <= x) = p, 0 < p < 1: 0.975 for a two-sided 95% interval. Relative error
 * below 1e-10 up to 1e6 degrees of freedom. */
double student_quantile(double p, double dof);

#endif
