/* A config file: refused with one line that names it, or opened; then what it prints opens again
 * and prints the same. `base` is left out: it would read whatever file it names. */
#include <string.h>

#include "base/text.h"
#include "fuzz/fuzz.h"
#include "stages/stage_schemas.h"

/* The schemas are the same for every input. */
static const struct stage_schemas *schemas(void) {
    static struct stage_schemas set;
    if (!set.n) MUST(stage_schemas_init(&set, NULL) == ERR_OK);
    return &set;
}

static void print_again(const struct config *c) {
    struct text first = {0}, second = {0};
    struct config *again = NULL;
    struct err err = {.msg = ""};
    config_print(&first, c);
    const char *path = fuzz_file("again.cfg", text_str(&first), first.size);
    if (stage_schemas_open(&again, schemas(), path, NULL, 0, &err) != ERR_OK) {
        (void)fprintf(stderr, "%s\n%s\n", text_str(&first), err.msg);
        abort();
    }
    config_print(&second, again);
    MUST(strcmp(text_str(&first), text_str(&second)) == 0);
    config_close(again);
    text_release(&first);
    text_release(&second);
}

static void read_points(const struct config *c) {
    struct text line = {0};
    for (size_t s = 0; s < config_stage_count(c); s++)
        for (size_t i = 0; i < config_stage_points(c, s) && i < 64; i++) {
            struct config_point *copy = NULL;
            text_clear(&line);
            config_point_write(&line, config_stage_point(c, s, i));
            MUST(config_point_read(&copy, text_str(&line), NULL) == ERR_OK);
            config_point_destroy(copy);
        }
    text_release(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct config *c = NULL;
    struct err err = {.msg = ""};
    if (memmem(data, size, "base", 4)) return 0;
    const char *path = fuzz_file("a.cfg", data, size);
    const enum err_code rc = stage_schemas_open(&c, schemas(), path, NULL, 0, &err);
    if (rc != ERR_OK) {
        MUST(rc == ERR_CONFIG);
        MUST(strncmp(err.msg, path, strlen(path)) == 0 && !strchr(err.msg, '\n'));
        return 0;
    }
    read_points(c);
    print_again(c);
    config_close(c);
    return 0;
}
