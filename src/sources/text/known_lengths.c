#include "sources/text/known_lengths.h"

#include <string.h>

enum { REMEMBERED = 256 };

/* Of this process; the oldest entry is replaced. */
static struct {
    char key[HASH_HEX];
    struct source_lengths lengths;
} known[REMEMBERED];
static size_t next_place;

bool known_lengths_find(struct source_lengths *out, const char key[HASH_HEX]) {
    for (size_t i = 0; i < REMEMBERED; i++) {
        if (strcmp(known[i].key, key) != 0) continue;
        *out = known[i].lengths;
        return true;
    }
    return false;
}

void known_lengths_add(const char key[HASH_HEX], const struct source_lengths *lengths) {
    const size_t place = next_place++ % REMEMBERED;
    memcpy(known[place].key, key, HASH_HEX);
    known[place].lengths = *lengths;
}
