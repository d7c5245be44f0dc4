#include "sources/text/shared_tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/file_stamp.h"

enum { IDLE_MOST = 2 }; /* tokenizers that are kept although nobody uses them */

struct known_tokenizer {
    struct tokenizer *tokenizer;
    char stamp[HASH_HEX]; /* of the path and its files */
    size_t users;
    struct known_tokenizer *next;
};

/* Of this process: the newest first. */
static struct known_tokenizer *newest;

static void stamp_files(char out[HASH_HEX], const char *path) {
    static const char *const NAMES[] = {"tokenizer.json", "tokenizer_config.json", "vocab.json",
                                        "merges.txt"};
    struct hash h;
    hash_begin(&h);
    file_stamp_add(&h, path);
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        char file[FILE_PATH_MAX];
        (void)snprintf(file, sizeof file, "%.3800s/%.200s", path, NAMES[i]);
        file_stamp_add(&h, file);
    }
    hash_end(out, &h);
}

static struct known_tokenizer *find_stamp(const char *stamp) {
    struct known_tokenizer *k = newest;
    while (k && strcmp(k->stamp, stamp) != 0) k = k->next;
    return k;
}

/* The oldest leave. */
static void drop_idle(void) {
    size_t idle = 0;
    for (struct known_tokenizer **at = &newest; *at;) {
        struct known_tokenizer *k = *at;
        if (k->users > 0 || ++idle <= IDLE_MOST) {
            at = &k->next;
            continue;
        }
        *at = k->next;
        tokenizer_close(k->tokenizer);
        free(k);
    }
}

enum err_code shared_tokenizer_open(struct tokenizer **out, const char *path, struct err *err) {
    enum err_code rc = ERR_OK;
    char stamp[HASH_HEX];
    stamp_files(stamp, path);
    struct known_tokenizer *k = find_stamp(stamp), *made = NULL;
    if (!k) {
        made = calloc(1, sizeof *made);
        CHECK(made, ERR_MEMORY, "no memory for a tokenizer");
        TRY(tokenizer_open(&made->tokenizer, path, err));
        memcpy(made->stamp, stamp, sizeof stamp);
        made->next = newest;
        newest = k = made;
        made = NULL;
    }
    k->users++;
    *out = k->tokenizer;
    drop_idle();
cleanup:
    free(made);
    return rc;
}

void shared_tokenizer_close(struct tokenizer *t) {
    for (struct known_tokenizer *k = newest; t && k; k = k->next)
        if (k->tokenizer == t) k->users--;
}
