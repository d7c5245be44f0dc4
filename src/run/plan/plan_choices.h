/*
 * plan_choices.h - the jobs of a stage `choose`: one for each group of fits that differ in the
 * chosen key alone.
 *
 * The fits of a group are on the same model and have the same values of all other keys, except of
 * those that exist only with a value of the chosen key. A fit that is alone in its group needs no
 * choice: stages that read the choices read it directly.
 */
#ifndef RUN_PLAN_PLAN_CHOICES_H
#define RUN_PLAN_PLAN_CHOICES_H

#include "run/plan/job_builder.h"

bool plan_choices_makes(const struct stage *kind); /* jobs of this kind of stage are choices */

/* Adds the jobs of the stage, which chooses from `fits`, and fills its list of passed jobs.
 * ERR_CONFIG: the key is unknown, no axis, or one whose values have losses of other prompts; more
 * candidates than JOB_PARENTS. */
enum err_code plan_choices_add(struct job_builder *b, size_t stage, const struct job_list *fits,
                               struct err *err);

#endif
