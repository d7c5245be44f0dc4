/*
 * nested_choice.h - `choose = { key = "..."; by = "..."; }` in a stage `fit`, written out as a
 * stage.
 *
 * The group becomes a stage of the kind `choose` behind the fit. It is named NAME_choice, or as its
 * own `name` says, and reads the fit; the other stages that name the fit in `of` read the choice
 * instead. All later steps, and the resolved config, know stages only.
 */
#ifndef CONFIG_NESTED_CHOICE_H
#define CONFIG_NESTED_CHOICE_H

#include "config/syntax/node.h"

/* Of a root whose stages are checked. ERR_CONFIG: `choose` is no group, gives `stage` or `of`, or a
 * stage has the name of the choice already. */
enum err_code nested_choice_expand(struct node *root, struct pool *p, struct err *err);

#endif
