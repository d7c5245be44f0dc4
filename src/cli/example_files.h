/*
 * example_files.h - the configs of experiments/ that come with the program: their names and
 * meanings.
 *
 * They are found from the path of the program itself: in the data folder of the installation, else
 * in the source tree that holds the build folder. The name of an example is its path below
 * experiments/ without ".cfg": "quickstart", "controls/linear".
 */
#ifndef CLI_EXAMPLE_FILES_H
#define CLI_EXAMPLE_FILES_H

#include <stddef.h>

#include "base/err.h"
#include "base/file.h"
#include "base/text.h"

enum { EXAMPLES_MAX = 128 };

struct example_files {
    char root[FILE_PATH_MAX];  /* the folder experiments/ */
    const char *ending;        /* of the files: ".cfg" */
    char *names[EXAMPLES_MAX]; /* sorted */
    size_t n;
};

/* ERR_CONFIG where no experiments/ is found. */
enum err_code example_files_open(struct example_files *e, struct err *err);
/* The same for the files *.json in experiments/reproduce, which is *root then; names without
 * ".json".
 */
enum err_code example_files_open_reproductions(struct example_files *e, struct err *err);
void example_files_release(struct example_files *e); /* idempotent */

void example_path_cut(char *path); /* cuts the last part: "a/b" becomes "a", "a" becomes "" */

/* The first sentence of the comment at the top of the config. */
enum err_code example_files_meaning(struct text *out, const struct example_files *e, size_t i,
                                    struct err *err);

#endif
