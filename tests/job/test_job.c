#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "twins/error_says.h"
#include "twins/host_twin.h"

enum { FEW = 37, MANY = 140003, SHARDS = 8 }; /* MANY go in slices, by eight ranks too */

static struct err err;

/* Numbers of very different sizes: any other order of summation would show. */
static void shard_numbers(float *out, size_t n, size_t shard) {
    const struct rng stream = rng_stream(7, "shards");
    rng_normals(out, n, &stream, shard, 0);
    for (size_t i = 0; i < n; i++)
        if ((shard + i) % 3 == 0) out[i] *= 1e6f;
}

static float *numbers(size_t n) {
    float *x = malloc(n * sizeof *x); /* no more: writing beyond shows under a sanitizer */
    assert_non_null(x);
    return x;
}

/* The sum of shards first, first + step, ... as the definition says it: left half plus right half,
 * where a half is a power of two long. */
static void sum_tree(float *out, size_t n, size_t first, size_t width, size_t shards) {
    if (width == 1) {
        shard_numbers(out, n, first);
        return;
    }
    sum_tree(out, n, first, width / 2, shards);
    if (first + width / 2 >= shards) return;
    float *right = numbers(n);
    sum_tree(right, n, first + width / 2, width / 2, shards);
    for (size_t i = 0; i < n; i++) out[i] += right[i];
    free(right);
}

struct sums { /* what each rank ends with */
    size_t n, shards;
    float *total[HOST_TWIN_RANKS]; /* [n] */
    double real[HOST_TWIN_RANKS];
};

static enum err_code add_up(struct job_ctx *ctx, void *context, struct err *e) {
    struct sums *s = context;
    float *sum = numbers(SHARDS * s->n), *scratch = numbers(s->n);
    double real[SHARDS], real_scratch;
    size_t first, count;
    enum err_code rc = ERR_OK;
    for (int twice = 0; twice < 2; twice++) {
        job_shard_range(&first, &count, s->shards, ctx->group_rank, ctx->group_size);
        for (size_t i = 0; i < count; i++) {
            shard_numbers(sum + i * s->n, s->n, first + i);
            real[i] = 1.0 / (double)(first + i + 1);
        }
        TRY(job_reduce(ctx, sum, scratch, s->n, s->shards, e));
        TRY(job_reduce_real(ctx, real, &real_scratch, 1, s->shards, e));
    }
    memcpy(s->total[ctx->group_rank], sum, s->n * sizeof *sum);
    s->real[ctx->group_rank] = real[0];
cleanup:
    free(sum);
    free(scratch);
    return rc;
}

static void sums_init(struct sums *s, size_t n, size_t shards) {
    *s = (struct sums){.n = n, .shards = shards};
    for (int rank = 0; rank < HOST_TWIN_RANKS; rank++) s->total[rank] = numbers(n);
}

static void sums_release(struct sums *s) {
    for (int rank = 0; rank < HOST_TWIN_RANKS; rank++) free(s->total[rank]);
}

static void reduce_with(const float *want, size_t n, int ranks, size_t shards) {
    struct sums s;
    struct host_twin *h = host_twin_create(ranks);
    size_t told = 0;
    sums_init(&s, n, shards);
    SUCCEEDS(host_twin_run(h, add_up, &s, &err));
    for (int rank = 0; rank < ranks; rank++) {
        assert_memory_equal(s.total[rank], want, n * sizeof *want);
        assert_memory_equal(&s.real[rank], &s.real[0], sizeof s.real[0]);
        assert_int_equal(host_twin_shards_told(h, rank), 1);
        told += host_twin_shards(h, rank);
        if (shards >= (size_t)ranks) assert_true(host_twin_shards(h, rank) >= 1);
    }
    assert_int_equal(told, shards);
    sums_release(&s);
    host_twin_destroy(h);
}

static void reduce_on_all_groups(size_t n, size_t shards) {
    float *want = numbers(n);
    sum_tree(want, n, 0, SHARDS, shards);
    for (int ranks = 1; ranks <= 5; ranks++) reduce_with(want, n, ranks, shards);
    if (shards == SHARDS) reduce_with(want, n, 8, shards);
    free(want);
}

static void sums_do_not_depend_on_the_group(void **state) {
    (void)state;
    for (size_t shards = 1; shards <= SHARDS; shards++) reduce_on_all_groups(FEW, shards);
}

static void sums_of_slices_do_not_either(void **state) {
    (void)state;
    for (size_t shards = 1; shards <= SHARDS; shards++) reduce_on_all_groups(MANY, shards);
}

static void ranges_cover_all_shards_evenly(void **state) {
    (void)state;
    for (int size = 1; size <= 9; size++)
        for (size_t shards = 1; shards <= 20; shards++) {
            size_t next = 0, most = 0, least = shards;
            for (int rank = 0; rank < size; rank++) {
                size_t first, count;
                job_shard_range(&first, &count, shards, rank, size);
                assert_int_equal(first, next);
                next += count;
                if (count > most) most = count;
                if (count < least) least = count;
            }
            assert_int_equal(next, shards);
            assert_true(most - least <= 1);
        }
}

static enum err_code ask_until_stop(struct job_ctx *ctx, void *context, struct err *e) {
    size_t *steps = context;
    bool stop = false;
    enum err_code rc = ERR_OK;
    while (!stop) {
        TRY(job_agree_to_stop(ctx, &stop, e));
        if (!stop) steps[ctx->group_rank]++;
    }
    rc = ERR(e, ERR_STOPPED, "asked to");
cleanup:
    return rc;
}

static void a_group_stops_at_one_step(void **state) {
    (void)state;
    size_t steps[HOST_TWIN_RANKS] = {0};
    struct host_twin *h = host_twin_create(4);
    host_twin_stop_after(h, 3);
    ERROR_SAYS(host_twin_run(h, ask_until_stop, steps, &err), ERR_STOPPED, "asked to");
    for (int rank = 0; rank < 4; rank++) assert_int_equal(steps[rank], 3);
    host_twin_destroy(h);
}

static enum err_code fail_on_rank_one(struct job_ctx *ctx, void *context, struct err *e) {
    if (ctx->group_rank == 1) return ERR(e, ERR_NUMERIC, "rank one is gone");
    return add_up(ctx, context, e);
}

static void a_lost_rank_fails_the_others(void **state) {
    (void)state;
    struct sums s;
    struct host_twin *h = host_twin_create(3);
    sums_init(&s, FEW, 4);
    ERROR_SAYS(host_twin_run(h, fail_on_rank_one, &s, &err), ERR_NUMERIC, "rank one is gone");
    sums_release(&s);
    host_twin_destroy(h);
}

struct folder { /* a host whose ranks see checkpoints of their own */
    struct job_host host;
    const char *states[3];
};

static enum err_code see_own(struct job_ctx *ctx, const char **state,
                             const struct job_tensor **tensors, size_t *n, struct err *e) {
    const struct folder *f = (const struct folder *)ctx->host;
    (void)e;
    *state = f->states[ctx->group_rank];
    *tensors = NULL;
    *n = 0;
    return ERR_OK;
}

static enum err_code go_on(struct job_ctx *ctx, void *context, struct err *e) {
    struct folder *f = context;
    const char *state;
    const struct job_tensor *tensors;
    size_t n;
    ctx->host = &f->host;
    return job_restore(ctx, &state, &tensors, &n, e);
}

/* On some file systems a node sees for a while what was there before. */
static void a_group_goes_on_from_one_checkpoint(void **state) {
    (void)state;
    struct host_twin *h = host_twin_create(3);
    struct folder f = {.host = *host_twin_ctx(h, 0)->host, .states = {"500", "500", "500"}};
    f.host.restore = see_own;
    SUCCEEDS(host_twin_run(h, go_on, &f, &err));
    f.states[2] = NULL;
    ERROR_SAYS(host_twin_run(h, go_on, &f, &err), ERR_IO, "rank 2 of the group sees another");
    f.states[2] = "1000";
    ERROR_SAYS(host_twin_run(h, go_on, &f, &err), ERR_IO, "rank 2 of the group sees another");
    host_twin_destroy(h);
}

static void tensors_are_found_by_name(void **state) {
    (void)state;
    const struct job_tensor t[] = {{"a", 1, {1}, NULL}, {"b", 1, {2}, NULL}};
    assert_ptr_equal(job_find_tensor(t, 2, "b"), &t[1]);
    assert_null(job_find_tensor(t, 2, "c"));
}

static void a_vector_is_copied_if_its_size_is_right(void **state) {
    (void)state;
    const float data[] = {1, 2};
    const struct job_tensor t[] = {{"b", 1, {2}, data}, {"square", 2, {2, 1}, data}};
    float out[2] = {0};
    SUCCEEDS(job_copy_tensor(out, t, 2, "b", 2, &err));
    assert_memory_equal(out, data, sizeof out);
    ERROR_SAYS(job_copy_tensor(out, t, 2, "b", 1, &err), ERR_DATA,
               "1 numbers as 'b', found another");
    ERROR_SAYS(job_copy_tensor(out, t, 2, "square", 2, &err), ERR_DATA, "found another size");
    ERROR_SAYS(job_copy_tensor(out, t, 2, "c", 2, &err), ERR_DATA, "found none");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_do_not_depend_on_the_group),
        cmocka_unit_test(sums_of_slices_do_not_either),
        cmocka_unit_test(ranges_cover_all_shards_evenly),
        cmocka_unit_test(a_group_stops_at_one_step),
        cmocka_unit_test(a_lost_rank_fails_the_others),
        cmocka_unit_test(a_group_goes_on_from_one_checkpoint),
        cmocka_unit_test(tensors_are_found_by_name),
        cmocka_unit_test(a_vector_is_copied_if_its_size_is_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
