/*
 * conditions.h - keys that exist only where another key has certain values: "method=ltv|constant".
 */
#ifndef CONFIG_CONDITIONS_H
#define CONFIG_CONDITIONS_H

#include "config/resolved.h"

/* Finds the key each `when` names; a name that is not there, or a circle, is ERR_BUG: the rows are
 * ours. A key may come after those that ask for it. */
enum err_code conditions_resolve(struct entry *e, struct err *err);

/* Once all values are known: which values of the asked key let each key exist. */
enum err_code conditions_prepare(struct entry *e, struct pool *p, struct err *err);

#endif
