/*
 * fold.h - points without the keys that are not read there: those that differ in such keys alone
 * become one.
 *
 * Whether a key is read depends on the value of one other key (config_schema.reads): a method that
 * is derived reads no learning rate. Unlike a key whose condition does not hold, such a key may be
 * given, because a stage has several methods. A CONFIG_SILENT key stays in the point: it changes no
 * result and multiplies no job.
 *
 * An earlier program kept these keys in the points, and so in the identities of jobs. entry.whole
 * asks for that, so that such a run keeps its identities.
 */
#ifndef CONFIG_FOLD_H
#define CONFIG_FOLD_H

#include "config/resolved.h"

/* Called when all values are known: finds for which values of the reader each key is not read. */
enum err_code fold_prepare(struct entry *e, struct pool *p, struct err *err);

/* Key k is not part of a point with these numbers, whether or not it is given. False where the
 * entry is whole. */
bool fold_is_unread(const struct entry *e, const uint32_t *at, size_t k);

/* Takes the keys that are not read out of every point, and leaves the first of equal points. The
 * last step of axes_expand(). */
enum err_code fold_points(struct entry *e, struct err *err);

/* The value that identifies a point in place of a key that is not read: its default, where its
 * condition holds for the defaults of other such keys; NULL: none. */
const struct value *fold_default(const struct config_point *p, size_t k);

#endif
