#include "stages/fit_world.h"

#define FIT                                                                                        \
    FIT_WORLD(2)                                                                                   \
    "{ stage = \"fit\"; of = \"pretrain\"; method = \"learned_vector\"; learned_vector = { "       \
    "layer = [-1, 0, 1]; }; points = 9; prompts = 40; batch = 12; epochs = 4; optimiser = { "      \
    "lr = 1e-2; }; checkpoint_every = 2; } );\n"

static void same_tensor(const struct host_twin *a, const struct host_twin *b, const char *name) {
    const struct job_tensor *x = host_twin_tensor(a, name), *y = host_twin_tensor(b, name);
    size_t n = 1;
    assert_int_equal(x->rank, y->rank);
    for (size_t i = 0; i < x->rank; i++) {
        assert_int_equal(x->shape[i], y->shape[i]);
        n *= x->shape[i];
    }
    assert_memory_equal(x->data, y->data, n * sizeof(float));
}

/* A fit that tries every layer has the losses, and at the best layer all else, of the fits that are
 * told one. */
static void the_best_choice_is_kept(void **state) {
    (void)state;
    struct fit_world w;
    fit_world_open(&w, FIT);
    const struct lab_job open = fit_world_job(&w, 0);
    struct host_twin *h = lab_run(&w.lab, &open);
    const float *losses = host_twin_tensor(h, "choice_losses")->data;
    const size_t best = losses[1] < losses[0] ? 1 : 0;
    const struct fit_row row = read_fit_row(h, 0);
    assert_true(losses[0] != losses[1]);
    assert_true(row.choice == (double)best);
    for (size_t l = 0; l < 2; l++) {
        const struct lab_job job = fit_world_job(&w, 1 + l);
        struct host_twin *told = lab_run(&w.lab, &job);
        assert_true(host_twin_tensor(told, "choice_losses")->data[0] == losses[l]);
        if (l == best) {
            same_tensor(h, told, "weights");
            same_tensor(h, told, "validation_losses");
            const struct fit_row same = read_fit_row(told, 0);
            assert_true(row.epochs == same.epochs && row.best_epoch == same.best_epoch);
            assert_true(row.train_loss == same.train_loss);
            assert_true(row.validation_loss == same.validation_loss);
            assert_true(row.weight_norm == same.weight_norm);
        }
        host_twin_destroy(told);
    }
    host_twin_destroy(h);
    lab_close(&w.lab);
}

/* Three answers while contexts are made, twelve of the first layer's updates, then the second's. */
static void a_fit_resumes_within_a_choice(void **state) {
    (void)state;
    struct fit_world w;
    fit_world_open(&w, FIT);
    const size_t answers[] = {3 + 7, 3 + 6 + 1, 3 + 7};
    const char *words[] = {"stopped after epoch 2", "stopped after epoch 0",
                           "stopped after epoch 2"};
    fit_world_resumes(&w, answers, words, 3, 4);
    lab_close(&w.lab);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_choice_is_kept),
        cmocka_unit_test(a_fit_resumes_within_a_choice),
    };
    blas_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
