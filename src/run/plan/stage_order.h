/*
 * stage_order.h - the stages of a config, sorted so that every stage comes after those it reads.
 * (The order in which jobs start is sched/queue.h.)
 */
#ifndef RUN_PLAN_STAGE_ORDER_H
#define RUN_PLAN_STAGE_ORDER_H

#include "base/err.h"
#include "config/config.h"

/* order [config_stage_count]: the order of the file wherever `of` allows it. config_open() has
 * refused an `of` that names no stage or forms a cycle; ERR_CONFIG with file:line when it names a
 * kind that the stage cannot read. */
enum err_code stage_order(size_t *order, const struct config *c, struct err *err);

size_t stage_order_find(const struct config *c, const char *name); /* (size_t)-1: no such stage */

#endif
