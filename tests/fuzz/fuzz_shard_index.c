/* The index of sharded weights: every entry it gives names a tensor and one of its files. */
#include <string.h>

#include "fuzz/fuzz.h"
#include "tensorfile/shard_index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct shard_index x;
    struct err err = {.msg = ""};
    if (shard_index_parse(&x, (const char *)data, size, "index.json", &err) != ERR_OK) {
        MUST(strncmp(err.msg, "index.json: ", 12) == 0 && !strchr(err.msg, '\n'));
        return 0;
    }
    MUST(x.n_entries > 0 && x.n_files > 0 && x.n_files <= x.n_entries);
    for (size_t i = 0; i < x.n_entries; i++)
        MUST(x.entries[i].tensor[0] && x.entries[i].file < x.n_files);
    for (size_t i = 0; i < x.n_files; i++) {
        MUST(!strchr(x.files[i], '/'));
        MUST(i == 0 || strcmp(x.files[i - 1], x.files[i]) < 0);
    }
    shard_index_release(&x);
    return 0;
}
