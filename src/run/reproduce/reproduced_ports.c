#include <stdio.h>

#include "run/reproduce/reproduced.h"
#include "run/verify/verify_file.h"

static enum err_code add_line(struct reproduced *out, const char *file,
                              const struct verify_line *line, struct err *err) {
    char name[160];
    (void)snprintf(name, sizeof name, "%.50s %.90s", file, line->name);
    if (line->status == VERIFY_SKIPPED) return reproduced_add_remark(out, name, line->reason, err);
    const struct reproduced_point p = {.value = line->error, .tolerance = line->tolerance};
    return reproduced_add(out, name, &p, 1, true, err);
}

static enum err_code add_file(struct reproduced *out, const char *file, const char *path,
                              struct err *err) {
    enum err_code rc = ERR_OK;
    struct verify_report report = {0};
    TRY(verify_collect(&report, path, err));
    for (size_t i = 0; i < report.n; i++) TRY(add_line(out, file, &report.lines[i], err));
cleanup:
    verify_report_release(&report);
    return rc;
}

enum err_code reproduced_from_files(struct reproduced *out, const struct reproduction *r,
                                    const struct reproduction_scale *s, const char *folder,
                                    struct err *err) {
    enum err_code rc = ERR_OK;
    char path[FILE_PATH_MAX];
    for (size_t i = 0; i < json_count(s->verify); i++) {
        const char *file;
        TRY(json_read_text(&file, json_item(s->verify, i), r->path, err));
        const int n = snprintf(path, sizeof path, "%s/%s", folder ? folder : "", file);
        CHECK(n > 0 && (size_t)n < sizeof path, ERR_USAGE, "%.60s...: the path is too long", path);
        if (!folder)
            TRY(reproduced_add_remark(out, file, "--reference DIR has its folder", err));
        else if (file_exists(path))
            TRY(add_file(out, file, path, err));
        else
            TRY(reproduced_add_remark(out, file, "no such file in --reference", err));
    }
cleanup:
    return rc;
}
