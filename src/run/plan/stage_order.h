/*
 * stage_order.h - the stages of a config in an order in which every stage comes after those it
 * reads.
 */
#ifndef RUN_PLAN_STAGE_ORDER_H
#define RUN_PLAN_STAGE_ORDER_H

#include "base/err.h"
#include "config/config.h"

/* order [config_stage_count]: the file's order wherever `of` allows it. config_open has seen to it
 * that `of` names stages and runs in no circle; ERR_CONFIG with file:line when it names a kind that
 * the stage cannot read, or is missing where the stage needs it. */
enum err_code stage_order(size_t *order, const struct config *c, struct err *err);

size_t stage_order_find(const struct config *c, const char *name); /* (size_t)-1: no such stage */

#endif
