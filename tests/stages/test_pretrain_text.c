/* Pretraining on text: the same bits for any group and after stops, rows, what is refused, and the
 * folder that the result describes. */
#include <math.h>

#include "model/hf/hf_shape.h"
#include "sources/text/task_scene.h"
#include "stages/job_model.h"
#include "stages/pretrain_rows.h"
#include "stages/pretrain_run.h"
#include "stages/read_row.h"
#include "stages/stage_job.h"

ROW_READER(pretrain_row, PRETRAIN_ROW)

static struct err err;
static const struct lab_job JOB = {.kind = "pretrain", .memory = SIZE_MAX};

#define SHAPE "layers = 2; heads = 2; width = 16; positions = 64;"
#define TEN "points = 3; batch = 8; shards = 4; steps = 10; checkpoint_every = 4;"

/* A config of one pretraining on the task t.json of the scratch folder. */
static const char *config_of(const char *model, const char *keys) {
    static char text[2048];
    const int n = snprintf(
        text, sizeof text,
        "name = \"lab\"; seed = 5; source = { kind = \"text\"; task = \"%s/t.json\"; tokenizer = "
        "\"%s/tokenizer.json\"; };\nstages = ( { stage = \"pretrain\"; model = { %s }; %s } );\n",
        scratch.folder, scratch.folder, model, keys);
    assert_true(n > 0 && (size_t)n < sizeof text);
    return text;
}

static struct lab open_lab(const char *model, const char *keys) {
    return lab_open(config_of(model, keys));
}

static void any_group_gives_the_same_bits(void **state) {
    (void)state;
    struct lab lab = open_lab(SHAPE, TEN " validation = { every = 5; prompts = 10; };");
    struct lab_job job = JOB;
    struct host_twin *alone = lab_run(&lab, &job);
    assert_int_equal(host_twin_rows(alone), 10);
    for (job.ranks = 2; job.ranks <= 3; job.ranks++) {
        struct host_twin *group = lab_run(&lab, &job);
        assert_true(host_twin_same(alone, group));
        host_twin_destroy(group);
    }
    host_twin_destroy(alone);
    lab_close(&lab);
}

static void a_resumed_run_gives_the_same_bits(void **state) {
    (void)state;
    struct lab lab = open_lab(SHAPE, TEN);
    struct host_twin *whole = lab_run(&lab, &JOB), *h = lab_host(&lab, &JOB);
    enum err_code rc = ERR_STOPPED;
    int attempts = 0;
    host_twin_stop_after(h, 3);
    for (; rc == ERR_STOPPED && attempts < 20; attempts++)
        rc = host_twin_run(h, lab_work, lab_stage("pretrain"), &err);
    assert_int_equal(rc, ERR_OK);
    assert_true(attempts > 1);
    for (size_t i = 0; i < host_twin_tensors(whole); i++) {
        const struct job_tensor *want = host_twin_tensor_at(whole, i);
        const struct job_tensor *got = host_twin_tensor(h, want->name);
        assert_memory_equal(got->data, want->data, want->shape[0] * sizeof(float));
    }
    host_twin_destroy(h);
    host_twin_destroy(whole);
    lab_close(&lab);
}

static void rows_have_what_text_has(void **state) {
    (void)state;
    struct lab lab = open_lab(SHAPE, TEN " validation = { every = 5; prompts = 10; };");
    struct host_twin *h = lab_run(&lab, &JOB);
    for (size_t i = 0; i < 10; i++) {
        const struct pretrain_row row = read_pretrain_row(h, i);
        const bool validated = i == 0 || i == 4 || i == 9;
        assert_true(row.dims == JOB_NO_INT && row.points == 3);
        assert_true(isnan(row.loss_over_variance));
        assert_true(row.accuracy >= 0 && row.accuracy <= 1 && row.query_accuracy >= 0);
        assert_true(row.loss > 0 && validated == !isnan(row.validation_loss));
        assert_true(validated == (row.validation_query_accuracy >= 0));
        if (i == 0) /* a new model is nearly uniform */
            assert_true(fabs(row.loss - log(96)) < 0.1 &&
                        fabs(row.validation_loss - row.loss) < 0.1);
    }
    host_twin_destroy(h);
    lab_close(&lab);
}

/* Every family; the space and the letter before the number of every answer are soon known. */
static void every_family_learns(void **state) {
    (void)state;
    const char *const models[] = {
        SHAPE,
        SHAPE " family = \"gptj\"; tied = false;",
        "layers = 2; heads = 1; width = 16; positions = 64; family = \"gpt_neox\"; tied = false;",
        SHAPE " family = \"llama\"; mlp_width = 40; key_heads = 1; rotary_base = 500.0;",
        SHAPE " family = \"mistral\"; key_heads = 1;",
        SHAPE " family = \"qwen2\";",
        SHAPE " family = \"qwen3\"; tied = false;",
    };
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        struct lab lab = open_lab(models[i], "points = 3; batch = 8; shards = 1; steps = 60; "
                                             "optimiser = { lr = 1e-2; warmup = 5; };");
        struct host_twin *h = lab_run(&lab, &JOB);
        const struct pretrain_row row = read_pretrain_row(h, host_twin_rows(h) - 1);
        if (!(row.loss < 2 && row.accuracy > 0.5 && row.query_accuracy == 1))
            fail_msg("%s: loss %g, accuracy %g, %g", models[i], row.loss, row.accuracy,
                     row.query_accuracy);
        host_twin_destroy(h);
        lab_close(&lab);
    }
}

static void the_result_describes_itself(void **state) {
    (void)state;
    struct lab lab =
        open_lab(SHAPE " family = \"llama\"; mlp_width = 40; key_heads = 1; rotary_base = 500.0;",
                 "points = 3; batch = 2; shards = 1; steps = 1;");
    struct host_twin *h = lab_run(&lab, &JOB);
    struct model_dims d;
    SUCCEEDS(hf_shape_read(&d, host_twin_note(h, PRETRAIN_CONFIG_NOTE), "config.json", &err));
    assert_ptr_equal(d.family, &family_llama);
    assert_true(d.L == 2 && d.H == 2 && d.E == 16 && d.KV == 1 && d.F == 40 && d.positions == 64);
    assert_true(d.vocabulary == 96 && d.tied && d.rotary.dims == 8 && d.rotary.base == 500);
    assert_int_equal(host_twin_tensors(h), params_tensors(&d));
    assert_non_null(host_twin_tensor(h, "model.layers.1.mlp.gate_proj.weight"));
    assert_string_equal(host_twin_note(h, "trained_points"), "3");
    host_twin_destroy(h);
    lab_close(&lab);
}

/* A job of the same run reads the model: its tensors, and prompts of the same tokenizer. */
static void other_stages_read_the_result(void **state) {
    (void)state;
    char text[2048], path[SCRATCH_PATH];
    struct model m;
    struct job_cost cost;
    (void)snprintf(text, sizeof text, "%s",
                   config_of(SHAPE " family = \"llama\"; key_heads = 1;",
                             TEN " }, { stage = "
                                 "\"capture\"; of = \"pretrain\"; points = 3; prompts = 4;"));
    struct lab lab = lab_open(text);
    struct lab_job capture = {.kind = "capture", .memory = SIZE_MAX, .n_inputs = 1};
    struct host_twin *trained = lab_run(&lab, &JOB);
    capture.inputs[0] = lab_make(&lab, &JOB, "model.safetensors", path);
    SUCCEEDS(lab_plan(&cost, &lab, "capture", "pretrain", &err));
    struct host_twin *h = lab_host(&lab, &capture);
    SUCCEEDS(job_model_open(&m, host_twin_ctx(h, 0), &err));
    assert_ptr_equal(m.params.dims.family, &family_llama);
    assert_int_equal(m.trained_points, 3);
    for (size_t i = 0; i < params_tensors(&m.params.dims); i++) {
        struct param_info t;
        params_at(&t, &m.params, i);
        const struct job_tensor *want = host_twin_tensor(trained, t.name);
        assert_non_null(want);
        assert_memory_equal(t.data, want->data, tensor_size(&t) * sizeof(float));
    }
    model_close(&m);
    SUCCEEDS(host_twin_run(h, lab_work, lab_stage("capture"), &err));
    assert_true(host_twin_tensors(h) > 0);
    host_twin_destroy(h);
    host_twin_destroy(trained);
    lab_close(&lab);
}

static void prompts_that_are_too_long_may_be_dropped(void **state) {
    (void)state;
    char text[2048];
    (void)snprintf(text, sizeof text, "%s",
                   config_of("layers = 1; heads = 1; width = 8; positions = 41;",
                             "points = 3; batch = 8; shards = 4; steps = 2;"));
    struct lab lab = lab_open(text);
    struct job_cost cost;
    ERROR_SAYS(lab_plan(&cost, &lab, "pretrain", NULL, &err), ERR_DATA,
               "a prompt of 2 shots is longer than the model's 41 positions");
    lab_close(&lab);
    char *at = strstr(text, "tokenizer = ");
    char dropped[2100];
    (void)snprintf(dropped, sizeof dropped, "%.*stoo_long = \"drop\"; %s", (int)(at - text), text,
                   at);
    lab = lab_open(dropped);
    struct host_twin *h = lab_run(&lab, &JOB);
    assert_true(read_pretrain_row(h, 1).loss > 0);
    host_twin_destroy(h);
    lab_close(&lab);
}

static void plan_refuses_what_does_not_fit(void **state) {
    (void)state;
    lab_refuses(config_of(SHAPE, TEN " curriculum = { interval = 5; };"), "pretrain", NULL,
                "text has no curriculum");
    lab_refuses(config_of("heads = 3; width = 16;", TEN), "pretrain", NULL,
                "not divisible by 3 heads");
    lab_refuses(config_of(SHAPE " key_heads = 1;", TEN), "pretrain", NULL,
                "the heads of a gpt2 (2) are not grouped");
    lab_refuses(config_of(SHAPE " rotary_base = 500.0;", TEN), "pretrain", NULL,
                "that of a gpt2 is not chosen");
    lab_refuses(config_of("family = \"llama\"; heads = 6; width = 48; key_heads = 4;", TEN),
                "pretrain", NULL, "6 heads are not divisible by 4 key-value heads");
    lab_refuses(config_of("family = \"llama\"; heads = 3; width = 9;", TEN), "pretrain", NULL,
                "the model");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_group_gives_the_same_bits),
        cmocka_unit_test(a_resumed_run_gives_the_same_bits),
        cmocka_unit_test(rows_have_what_text_has),
        cmocka_unit_test(every_family_learns),
        cmocka_unit_test(the_result_describes_itself),
        cmocka_unit_test(other_stages_read_the_result),
        cmocka_unit_test(prompts_that_are_too_long_may_be_dropped),
        cmocka_unit_test(plan_refuses_what_does_not_fit),
    };
    return cmocka_run_group_tests(tests, scene_begin, scratch_end);
}
