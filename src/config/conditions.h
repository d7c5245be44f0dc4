/*
 * conditions.h - keys that exist only where another key has certain values.
 *
 * A row's `when` is "KEY=VALUE|VALUE", as in "method=ltv|constant". The key that it names may have
 * a condition too; then both must hold.
 */
#ifndef CONFIG_CONDITIONS_H
#define CONFIG_CONDITIONS_H

#include "config/resolved.h"

/* Finds the key that each `when` names, which may come later in the schema. ERR_BUG for an unknown
 * name or a cycle, since the rows are part of the program. */
enum err_code conditions_resolve(struct entry *e, struct err *err);

/* Called when all values are known: determines for which values of that key the condition holds. */
enum err_code conditions_prepare(struct entry *e, struct pool *p, struct err *err);

/* Does the condition of a key hold where the key that it names, with the row `parent`, is v? */
enum err_code conditions_hold(bool *out, const struct config_key *row,
                              const struct config_key *parent, const struct value *v,
                              struct err *err);

/* Whether -s or another file than that of `given` has set the key that the condition of key k
 * names, or one further up the chain of conditions. Then k, which was given there, may exist in no
 * point without being a mistake. */
bool conditions_overridden(const struct entry *e, size_t k, struct place given);

#endif
