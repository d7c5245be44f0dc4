#include "run/export/edits_names.h"

#include <stddef.h>

#include "methods/method.h"

const char *const EDITS_KINDS[] = {
    [EDIT_ADD] = "add",       [EDIT_REPLACE] = "replace", [EDIT_MIX] = "mix",
    [EDIT_STEER] = "rescale", [EDIT_MAP] = "affine",      NULL};
const char *const EDITS_SITES[] = {
    [EDIT_BLOCK] = "block",         [EDIT_HEADS] = "heads", [EDIT_ATTENTION] = "attention",
    [EDIT_EMBEDDING] = "embedding", [EDIT_MLP] = "mlp",     NULL};
const char *const EDITS_SCOPES[] = {[EDIT_QUERY] = "query", [EDIT_ALL] = "all", NULL};
const char *const EDITS_PROMPTS[] = {
    [METHOD_WHOLE] = "whole", [METHOD_WINDOW] = "window", [METHOD_ORACLE] = "oracle", NULL};
