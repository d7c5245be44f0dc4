/* Heads over tasks: a mean over given maps, what is left out, and a function vector of these heads.
 */
#include <math.h>
#include <stdlib.h>

#include "stages/fit_world.h"
#include "stages/universal.h"
#include "stages/universal_rows.h"
#include "tensorfile/tensorfile.h"

enum { L = 2, H = 2, HEADS = L * H, PROMPTS = 6, MAPS = 3 };

#define FV(keys) "method = \"fv\"; basis = \"mean\"; prompts = 20; batch = 8; fv = { " keys " };"
#define CONFIG                                                                                     \
    FIT_WORLD(2)                                                                                   \
    "{ stage = \"effects\"; of = \"pretrain\"; source = { problem = [\"linear\", \"quadratic\", "  \
    "\"relu_net\"]; dims = 3; }; points = 4; prompts = 6; },\n"                                    \
    "{ stage = \"universal\"; of = \"effects\"; without = ([], [\"linear\"], [\"linear\", "        \
    "\"quadratic\"]); heads = 3; },\n"                                                             \
    "{ stage = \"fit\"; of = \"universal\"; " FV(                                                  \
        "heads = 2; selection = \"universal\";") " } );\n"

ROW_READER(universal_row, UNIVERSAL_ROW)

static struct err err;

/* The mean of head i on task t, around which prompts lie evenly; the last task is noise alone. */
static const double MEANS[MAPS][HEADS] = {{0, 1, -3, 2}, {5, 4, 0, 1}, {0.1, 0, 0, 0}};
static const double SPREADS[MAPS] = {0.5, 0.5, 4};

static double value_of(size_t t, size_t head, size_t prompt) {
    return MEANS[t][head] + (prompt % 2 == 0 ? SPREADS[t] : -SPREADS[t]);
}

struct world {
    struct fit_world fits;
    char paths[MAPS][SCRATCH_PATH], universal_path[SCRATCH_PATH];
    struct job_input maps[MAPS];
};

static void make_map(struct world *w, size_t t) {
    const size_t shape[] = {L, H, PROMPTS};
    char name[32];
    float effect[HEADS * PROMPTS];
    struct tensor_writer *writer;
    for (size_t i = 0; i < HEADS * PROMPTS; i++)
        effect[i] = (float)value_of(t, i / PROMPTS, i % PROMPTS);
    (void)snprintf(name, sizeof name, "map%zu.safetensors", t);
    scratch_path(w->paths[t], &w->fits.lab.folder, name);
    SUCCEEDS(tensor_writer_create(&writer, &err));
    SUCCEEDS(tensor_writer_add(writer, "effects", 3, shape, effect, &err));
    SUCCEEDS(tensor_writer_save(writer, w->paths[t], &err));
    tensor_writer_destroy(writer);
    w->maps[t] =
        (struct job_input){"effects", "0", lab_point(&w->fits.lab, "effects", t), w->paths[t]};
}

static void world_open(struct world *w) {
    fit_world_open(&w->fits, CONFIG);
    for (size_t t = 0; t < MAPS; t++) make_map(w, t);
}

static struct lab_job universal_job(const struct world *w, size_t point) {
    return (struct lab_job){.kind = "universal",
                            .point = point,
                            .memory = SIZE_MAX,
                            .inputs = {w->maps[0], w->maps[1], w->maps[2], w->fits.model},
                            .n_inputs = MAPS + 1};
}

static void check_mean(const struct host_twin *h, const double want[HEADS]) {
    const struct job_tensor *t = host_twin_tensor(h, "effects");
    assert_true(t->rank == 2 && t->shape[0] == L && t->shape[1] == H);
    for (size_t i = 0; i < HEADS; i++) assert_true(fabs((double)t->data[i] - want[i]) < 1e-6);
}

static void effects_are_averaged_over_tasks(void **state) {
    (void)state;
    static const double MEAN[HEADS] = {2.5, 2.5, -1.5, 1.5}; /* of the first two */
    static const char *const NAMES[] = {"linear", "quadratic", "relu_net"};
    static const size_t BEST[MAPS] = {3, 0, 0}, ORDER[] = {0, 1, 3};
    struct world w;
    world_open(&w);
    const struct lab_job job = universal_job(&w, 0);
    struct host_twin *h = lab_run(&w.fits.lab, &job);
    check_mean(h, MEAN);
    for (size_t t = 0; t < MAPS; t++) {
        const struct universal_row row = read_universal_row(h, t);
        assert_string_equal(row.source, NAMES[t]);
        assert_true(row.layer * H + row.head == (int64_t)BEST[t] && row.prompts == PROMPTS);
        assert_true(fabs(row.effect - MEANS[t][BEST[t]]) < 1e-6 && row.effect_low < row.effect);
        assert_int_equal(row.used, t < 2);
        assert_string_equal(row.reason, t < 2 ? "" : "no head has an effect above 0");
    }
    for (size_t i = 0; i < 3; i++) {
        const struct universal_row row = read_universal_row(h, MAPS + i);
        assert_string_equal(row.source, "all");
        assert_true(row.layer * H + row.head == (int64_t)ORDER[i]);
        assert_true(row.rank == (int64_t)i + 1 && row.tasks == 2);
        assert_true(fabs(row.effect - MEAN[ORDER[i]]) < 1e-6);
    }
    host_twin_destroy(h);
    lab_close(&w.fits.lab);
}

static void a_task_may_be_left_out(void **state) {
    (void)state;
    struct world w;
    world_open(&w);
    struct lab_job job = universal_job(&w, 1);
    struct host_twin *h = lab_run(&w.fits.lab, &job);
    check_mean(h, MEANS[1]);
    assert_string_equal(read_universal_row(h, 0).reason, "named in without");
    assert_int_equal(read_universal_row(h, 1).used, 1);
    host_twin_destroy(h);
    job = universal_job(&w, 2);
    h = lab_host(&w.fits.lab, &job);
    ERROR_SAYS(host_twin_run(h, lab_work, lab_stage("universal"), &err), ERR_NUMERIC,
               "all of 3 tasks are left out");
    host_twin_destroy(h);
    lab_close(&w.fits.lab);
}

static void a_fit_takes_these_heads(void **state) {
    (void)state;
    struct world w;
    world_open(&w);
    const struct lab_job universal = universal_job(&w, 0);
    const struct job_input made =
        lab_make(&w.fits.lab, &universal, "universal.safetensors", w.universal_path);
    const struct lab_job fit = {
        .kind = "fit", .memory = SIZE_MAX, .inputs = {made, w.fits.model}, .n_inputs = 2};
    struct host_twin *h = lab_run(&w.fits.lab, &fit);
    const struct job_tensor *weights = host_twin_tensor(h, "weights");
    for (size_t i = 0; i < HEADS; i++) assert_true(weights->data[i] == (i < 2 ? 1 : 0));
    host_twin_destroy(h);
    lab_close(&w.fits.lab);
    lab_refuses(FIT_WORLD(2) "{ stage = \"fit\"; of = \"pretrain\"; " FV(
                    "selection = \"universal\";") " } );\n",
                "fit", "pretrain", "name a stage `universal`");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(effects_are_averaged_over_tasks),
        cmocka_unit_test(a_task_may_be_left_out),
        cmocka_unit_test(a_fit_takes_these_heads),
    };
    blas_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
