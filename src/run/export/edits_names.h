/*
 * edits_names.h - the words of the edit format (docs/results.md, section "Edits"), which
 * edits_file.c writes and edits_reader.c reads.
 */
#ifndef RUN_EXPORT_EDITS_NAMES_H
#define RUN_EXPORT_EDITS_NAMES_H

#define EDITS_NOTE "taskvec_edits" /* key of the metadata */
enum { EDITS_FORMAT = 1 };

/* By enum edit_operation, edit_site, edit_scope and method_prompt; NULL ends each list. */
extern const char *const EDITS_KINDS[], *const EDITS_SITES[], *const EDITS_SCOPES[],
                                                                  *const EDITS_PROMPTS[];

#endif
