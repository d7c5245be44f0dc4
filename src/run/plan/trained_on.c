#include "run/plan/trained_on.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensorfile/tensorfile.h"

static void forget(struct trained_on *out) {
    out->problem[0] = out->path[0] = '\0';
    out->points = 0;
}

/* The metadata "config" of our own models holds the pretraining's point as text (point_text.c):
 * a line is source.problem n "linear". */
static void read_problem(struct trained_on *out, const char *config) {
    static const char line[] = "source.problem n \"";
    const char *at = strstr(config, line);
    if (!at || (at > config && at[-1] != '\n')) return;
    at += sizeof line - 1;
    const size_t n = strcspn(at, "\"\n");
    if (n < sizeof out->problem) (void)snprintf(out->problem, n + 1, "%s", at);
}

static void read_file(struct trained_on *out, const char *path) {
    struct tensorfile *f = NULL;
    struct err ignored = {0};
    if (strcmp(out->path, path) == 0) return;
    forget(out);
    (void)snprintf(out->path, sizeof out->path, "%s", path);
    if (tensorfile_open(&f, path, &ignored) != ERR_OK) return;
    const char *config = tensorfile_note(f, "config");
    const char *points = tensorfile_note(f, "trained_points");
    if (config) read_problem(out, config);
    if (points) out->points = strtoll(points, NULL, 10);
    tensorfile_close(f);
}

void trained_on_read(struct trained_on *out, const struct plan *p, size_t job) {
    const size_t model = plan_model(p, job);
    if (model != PLAN_NONE) {
        const struct config_point *point = p->jobs[model].point;
        forget(out);
        if (config_has(point, "source.problem")) /* text has none */
            (void)snprintf(out->problem, sizeof out->problem, "%s",
                           config_text(point, "source.problem"));
        out->points = config_int(point, "points");
        return;
    }
    const char *path = plan_model_file(p, job);
    if (path)
        read_file(out, path);
    else
        forget(out);
}
