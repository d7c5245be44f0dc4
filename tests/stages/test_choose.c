#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stages/choose.h"
#include "stages/choose_rows.h"
#include "stages/read_row.h"
#include "stages/stage_job.h"
#include "tensorfile/tensorfile.h"

ROW_READER(choose_row, CHOOSE_ROW)

static const char CONFIG[] =
    "source = { problem = \"linear\"; dims = 3; };\n"
    "stages = ( { stage = \"fit\"; method = \"ltv\"; points = 6; prompts = 40; repeat = 7;\n"
    "  optimiser = { lr = [1e-2, 1e-3, 1e-1]; }; model = { checkpoint = \"none\"; };\n"
    "  choose = { key = \"optimiser.lr\"; by = \"validation\"; }; } );\n";

enum { FITS = 3 };
struct fits { /* artifacts of fits, with weights that tell them apart */
    char paths[FITS][SCRATCH_PATH];
    struct job_input inputs[FITS];
};

/* A fit whose own choice is the second of two, with this loss. */
static void write_fit(const char *path, float loss, float weight) {
    struct err err;
    struct tensor_writer *w = NULL;
    const float losses[] = {-1.0F, loss}, choice = 1, weights[] = {weight, 2 * weight};
    const size_t one = 1, two = 2, shape[] = {1, 2};
    SUCCEEDS(tensor_writer_create(&w, &err));
    SUCCEEDS(tensor_writer_add(w, "weights", 2, shape, weights, &err));
    SUCCEEDS(tensor_writer_add(w, "choice", 1, &one, &choice, &err));
    SUCCEEDS(tensor_writer_add(w, "choice_losses", 1, &two, losses, &err));
    SUCCEEDS(tensor_writer_note(w, "taskvec", path, &err));
    SUCCEEDS(tensor_writer_save(w, path, &err));
    tensor_writer_destroy(w);
}

static void make_fits(struct fits *f, const struct lab *lab, const float losses[FITS]) {
    static const char *const identities[] = {"a0", "a1", "a2"};
    for (size_t i = 0; i < FITS; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "fit%zu.safetensors", i);
        scratch_path(f->paths[i], &lab->folder, name);
        write_fit(f->paths[i], losses[i], (float)(i + 1));
        f->inputs[i] =
            (struct job_input){"fit", identities[i], lab_point(lab, "fit", i), f->paths[i]};
    }
}

static struct host_twin *choice_host(const struct lab *lab, const struct fits *f) {
    const struct lab_job job = {.kind = "choose"};
    struct host_twin *h = lab_host(lab, &job);
    host_twin_ctx(h, 0)->inputs = f->inputs;
    host_twin_ctx(h, 0)->n_inputs = FITS;
    return h;
}

/* Losses as text, the expected number, value and losses of the row. */
static void check(const float losses[FITS], size_t want, const char *value, const char *text) {
    struct err err;
    struct fits f;
    struct lab lab = lab_open(CONFIG);
    char path[SCRATCH_PATH];
    size_t chosen = 9;
    make_fits(&f, &lab, losses);
    struct host_twin *h = choice_host(&lab, &f);
    SUCCEEDS(host_twin_run(h, lab_work, lab_stage("choose"), &err));
    assert_int_equal(host_twin_rows(h), 1);
    const struct choose_row row = read_choose_row(h, 0);
    assert_string_equal(row.method, "ltv");
    assert_string_equal(row.reading, "heads");
    assert_string_equal(row.source, "linear");
    assert_int_equal(row.points, 6);
    assert_int_equal(row.repeat, 7);
    assert_string_equal(row.key, "optimiser.lr");
    assert_string_equal(row.chosen, value);
    assert_true((float)row.validation_loss == losses[want]);
    assert_int_equal(row.candidates, FITS);
    assert_string_equal(row.values, "0.01, 0.001, 0.1");
    assert_string_equal(row.losses, text);
    const struct job_tensor *w = host_twin_tensor(h, "weights"); /* those of the chosen fit */
    assert_true(w && w->rank == 2 && w->shape[1] == 2 && w->data[1] == 2 * (float)(want + 1));
    assert_string_equal(host_twin_note(h, "chosen_fit"), f.paths[want]);
    scratch_path(path, &lab.folder, "choice.safetensors");
    SUCCEEDS(host_twin_save(h, path, &err));
    SUCCEEDS(choose_read(&chosen, path, FITS, &err));
    assert_int_equal(chosen, want);
    ERROR_SAYS(choose_read(&chosen, path, want, &err), ERR_DATA, "chose fit");
    host_twin_destroy(h);
    lab_close(&lab);
}

static void the_least_validation_loss_is_chosen(void **state) {
    (void)state;
    check((const float[]){0.5F, 0.25F, 0.75F}, 1, "0.001", "0.5, 0.25, 0.75");
    check((const float[]){0.5F, 0.25F, 0.125F}, 2, "0.1", "0.5, 0.25, 0.125");
}

static void of_equal_losses_the_first_is_chosen(void **state) {
    (void)state;
    check((const float[]){0.5F, 0.25F, 0.25F}, 1, "0.001", "0.5, 0.25, 0.25");
    check((const float[]){0.5F, 0.5F, 0.5F}, 0, "0.01", "0.5, 0.5, 0.5");
}

static void a_loss_that_is_no_number_is_not_chosen(void **state) {
    (void)state;
    struct err err;
    struct fits f;
    struct lab lab = lab_open(CONFIG);
    check((const float[]){NAN, 0.5F, INFINITY}, 1, "0.001", "nan, 0.5, inf");
    make_fits(&f, &lab, (const float[]){NAN, NAN, INFINITY});
    struct host_twin *h = choice_host(&lab, &f);
    ERROR_SAYS(host_twin_run(h, lab_work, lab_stage("choose"), &err), ERR_NUMERIC,
               "none of 3 fits has a finite validation loss");
    host_twin_destroy(h);
    lab_close(&lab);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least_validation_loss_is_chosen),
        cmocka_unit_test(of_equal_losses_the_first_is_chosen),
        cmocka_unit_test(a_loss_that_is_no_number_is_not_chosen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
