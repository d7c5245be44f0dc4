/*
 * context_cache.h - blocks of memory that a job leaves for later jobs of the same process: the keys
 * and values of prompts, which many jobs read.
 *
 * A block is known by a name, the hash of everything that its content depends on, and holds the
 * same bytes whichever job filled it. So results do not depend on what the cache holds; only time
 * does. The process that computes jobs owns the cache, gives it the room that the next job leaves,
 * and calls begin and end around each job. Blocks that no running job holds leave in the order of
 * their last use, those of the running job's own key after all others.
 */
#ifndef JOB_CONTEXT_CACHE_H
#define JOB_CONTEXT_CACHE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct context_cache;

/* resized: called with the bytes of a block before it is allocated, and with minus them after it is
 * freed, so that a limit on the memory of the process can follow; NULL: nobody needs to know. */
enum err_code context_cache_create(struct context_cache **out, void (*resized)(ptrdiff_t bytes),
                                   struct err *err);
void context_cache_destroy(struct context_cache *c); /* NULL-safe */

/* Before a job whose contexts have this key (planned_job.h; "": none): frees blocks until all of
 * them take `room` bytes or less, which holds until the next begin. */
void context_cache_begin(struct context_cache *c, const char *key, size_t room);

/* After it: blocks that the job did not complete are freed, the others are no longer held. */
void context_cache_end(struct context_cache *c);

/* The block of this name, held until the end of the job, 64-byte aligned; a new one is zero. NULL:
 * it would not fit, even if all blocks that no job holds were freed. *complete: an earlier holder
 * has filled it. */
float *context_cache_hold(bool *complete, struct context_cache *c, const char *name, size_t bytes);
void context_cache_complete(struct context_cache *c, const float *block);

/* Contexts that this job found in the cache, and that it computed. */
struct context_counts {
    size_t found, made;
};
void context_cache_count(struct context_cache *c, size_t found, size_t made); /* adds to them */
struct context_counts context_cache_counts(const struct context_cache *c);

size_t context_cache_bytes(const struct context_cache *c); /* of all blocks */

#endif
