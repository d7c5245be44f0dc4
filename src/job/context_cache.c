#include "job/context_cache.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"

struct block {
    struct block *next; /* the one used next after this one */
    char name[HASH_HEX], key[HASH_HEX];
    size_t bytes;
    struct arena memory;
    float *data;
    bool held, complete;
};

struct context_cache {
    struct block *oldest;
    size_t bytes, room;
    char key[HASH_HEX]; /* of the running job */
    struct context_counts counts;
    void (*resized)(ptrdiff_t bytes);
};

enum err_code context_cache_create(struct context_cache **out, void (*resized)(ptrdiff_t bytes),
                                   struct err *err) {
    struct context_cache *c = calloc(1, sizeof *c);
    if (!c) return ERR(err, ERR_MEMORY, "no memory for a cache of contexts");
    c->resized = resized;
    *out = c;
    return ERR_OK;
}

static void tell_resized(const struct context_cache *c, ptrdiff_t bytes) {
    if (c->resized) c->resized(bytes);
}

static void free_block(struct context_cache *c, struct block **at) {
    struct block *b = *at;
    const size_t bytes = b->bytes;
    *at = b->next;
    arena_release(&b->memory);
    free(b);
    c->bytes -= bytes;
    tell_resized(c, -(ptrdiff_t)bytes);
}

void context_cache_destroy(struct context_cache *c) {
    if (!c) return;
    while (c->oldest) free_block(c, &c->oldest);
    free(c);
}

static bool is_own(const struct context_cache *c, const struct block *b) {
    return strcmp(b->key, c->key) == 0;
}

/* Frees blocks that are not held, the oldest first, while all take more than `most` bytes. */
static void shrink(struct context_cache *c, size_t most, bool own_too) {
    for (struct block **at = &c->oldest; *at && c->bytes > most;)
        if (!(*at)->held && (own_too || !is_own(c, *at)))
            free_block(c, at);
        else
            at = &(*at)->next;
}

static void shrink_to(struct context_cache *c, size_t most) {
    shrink(c, most, false);
    shrink(c, most, true);
}

void context_cache_begin(struct context_cache *c, const char *key, size_t room) {
    assert(strlen(key) < sizeof c->key);
    memset(c->key, 0, sizeof c->key);
    memcpy(c->key, key, strlen(key));
    c->counts = (struct context_counts){0};
    c->room = room;
    shrink_to(c, room);
}

void context_cache_end(struct context_cache *c) {
    for (struct block **at = &c->oldest; *at;) {
        (*at)->held = false;
        if ((*at)->complete)
            at = &(*at)->next;
        else
            free_block(c, at);
    }
}

/* ---- blocks */

static struct block **find_block(struct context_cache *c, const char *name, size_t bytes) {
    struct block **at = &c->oldest;
    while (*at && ((*at)->bytes != bytes || strcmp((*at)->name, name) != 0)) at = &(*at)->next;
    return at;
}

static void append_newest(struct context_cache *c, struct block *b) {
    struct block **at = &c->oldest;
    while (*at) at = &(*at)->next;
    b->next = NULL;
    *at = b;
}

static bool place_block(struct block *b) {
    (void)arena_floats(&b->memory, b->bytes / sizeof(float));
    if (arena_commit(&b->memory, NULL) != ERR_OK) return false;
    b->data = arena_floats(&b->memory, b->bytes / sizeof(float));
    return true;
}

static struct block *create_block(struct context_cache *c, size_t bytes) {
    struct block *b = calloc(1, sizeof *b);
    if (!b) return NULL;
    *b = (struct block){.bytes = bytes};
    tell_resized(c, (ptrdiff_t)bytes);
    if (!place_block(b)) {
        tell_resized(c, -(ptrdiff_t)bytes);
        free(b);
        return NULL;
    }
    c->bytes += bytes;
    return b;
}

/* The block that leaves first, NULL: none may leave. */
static struct block **first_to_leave(struct context_cache *c) {
    struct block **own = NULL;
    for (struct block **at = &c->oldest; *at; at = &(*at)->next) {
        if ((*at)->held) continue;
        if (!is_own(c, *at)) return at;
        if (!own) own = at;
    }
    return own;
}

/* The first block that would leave to make room, if it has the size wanted: its pages cost no time,
 * where new ones are cleared by the kernel, which can take as long as a fifth of filling them. */
static struct block *take_over(struct context_cache *c, size_t bytes) {
    struct block **at = c->bytes > c->room - bytes ? first_to_leave(c) : NULL, *b = at ? *at : NULL;
    if (!b || b->bytes != bytes || c->bytes > c->room) return NULL;
    *at = b->next;
    b->complete = false;
    memset(b->data, 0, bytes);
    return b;
}

static struct block *make_block(struct context_cache *c, const char *name, size_t bytes) {
    struct block *b = take_over(c, bytes);
    if (!b) {
        shrink_to(c, c->room - bytes);
        b = c->bytes > c->room - bytes ? NULL : create_block(c, bytes);
    }
    if (!b) return NULL;
    memset(b->name, 0, sizeof b->name);
    memcpy(b->name, name, strlen(name));
    memcpy(b->key, c->key, sizeof b->key);
    return b;
}

float *context_cache_hold(bool *complete, struct context_cache *c, const char *name, size_t bytes) {
    struct block **at = find_block(c, name, bytes), *b = *at;
    assert(strlen(name) < sizeof b->name && bytes % sizeof(float) == 0);
    *complete = b && b->complete;
    if (b) {
        *at = b->next;
    } else {
        if (bytes > c->room || !(b = make_block(c, name, bytes))) return NULL;
    }
    b->held = true;
    append_newest(c, b);
    return b->data;
}

void context_cache_complete(struct context_cache *c, const float *block) {
    struct block *b = c->oldest;
    while (b && b->data != block) b = b->next;
    assert(b && b->held);
    b->complete = true;
}

/* ---- counts */

void context_cache_count(struct context_cache *c, size_t found, size_t made) {
    c->counts.found += found;
    c->counts.made += made;
}

struct context_counts context_cache_counts(const struct context_cache *c) {
    return c->counts;
}

size_t context_cache_bytes(const struct context_cache *c) { return c->bytes; }
