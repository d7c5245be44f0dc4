/* Keys that a method does not read: for every registered method, each key of `fit` either is part
 * of the identity, or changes neither it nor any bit of the fit. */
#include "stages/fit_world.h"

#include "methods/method.h"
#include "stages/fit_keys.h"

/* A key, its setting in all fits ("": the default), and another one. */
static const struct setting {
    const char *key, *usual, *other;
} SETTINGS[] = {
    {"points", "points = 9;", "points = 10;"},
    {"choice_points", "", "choice_points = 8;"},
    {"validate_every", "", "validate_every = 2;"},
    {"basis_prompts", "", "basis = \"mean\"; basis_prompts = 5;"},
    {"repeat", "", "repeat = 1;"},
    {"basis", "", "basis = \"mean\";"},
    {"basis_points", "", "basis_points = 5;"},
    {"prompts", "prompts = 40;", "prompts = 44;"},
    {"validation", "", "validation = 0.3;"},
    {"batch", "batch = 12;", "batch = 13;"},
    {"epochs", "epochs = 3;", "epochs = 2;"},
    {"patience", "", "patience = 3;"},
    {"patience_rule", "", "patience_rule = \"cumulative\";"},
    {"loss", "", "loss = \"squared\";"},
    {"delta", "", "delta = 0.1;"},
    {"contexts", "", "contexts = \"half\";"},
    {"model.wpe_seed", "", "model = { wpe_seed = 3; };"},
    {"optimiser.name", "", "optimiser = { name = \"lbfgs\"; };"},
    {"optimiser.lr", "", "optimiser = { lr = 0.1; };"},
    {"optimiser.beta1", "", "optimiser = { beta1 = 0.5; };"},
    {"optimiser.beta2", "", "optimiser = { beta2 = 0.5; };"},
    {"optimiser.epsilon", "", "optimiser = { epsilon = 0.1; };"},
    {"optimiser.schedule", "", "optimiser = { schedule = \"cosine\"; };"},
    {"optimiser.warmup", "", "optimiser = { warmup = 2; };"},
    {"optimiser.floor", "", "optimiser = { schedule = \"cosine\"; floor = 0.5; };"},
    {"optimiser.decay_steps", "", "optimiser = { schedule = \"cosine\"; decay_steps = 9; };"},
    {"optimiser.cooldown", "", "optimiser = { schedule = \"cosine\"; cooldown = 2; };"},
};
enum { N_SETTINGS = sizeof SETTINGS / sizeof *SETTINGS };

/* Keys that derived methods refuse, that decide where the fit happens, or that change no result. */
static const char *const APART[] = {"arithmetic", "lengths",          "shards",
                                    "recipe",     "weights",          "group",
                                    "method",     "checkpoint_every", "model.checkpoint"};

/* One stage: the method with its usual settings, but for the one that `changed` names. */
static void add_stage(struct text *out, const char *comma, const struct method *m, size_t changed) {
    text_add(out, "%s{ stage = \"fit\"; name = \"%s_%zu\"; of = \"pretrain\"; method = \"%s\";",
             comma, m->name, changed, m->name);
    for (size_t i = 0; i < N_SETTINGS; i++)
        text_add(out, " %s", i == changed ? SETTINGS[i].other : SETTINGS[i].usual);
    text_add(out, " }");
}

static bool fits_numbers(const struct method *m) {
    return method_is_fitted(m) && !m->inputs.text_only;
}

/* For each method a stage for each setting, and one without a change. */
static void write_config(struct text *out) {
    text_add(out, "%s", FIT_WORLD(2));
    for (size_t i = 0; i < method_count(); i++)
        for (size_t k = 0; fits_numbers(method_at(i)) && k <= N_SETTINGS; k++)
            add_stage(out, i + k > 0 ? ",\n" : "", method_at(i), k);
    text_add(out, ");\n");
}

struct two_labs {           /* the same config twice */
    struct fit_world whole; /* points have every key */
    struct lab folded;
};

static void two_labs_open(struct two_labs *t) {
    struct text config = {0};
    struct err err;
    const struct lab_job pretrain = {.kind = "pretrain", .memory = SIZE_MAX};
    write_config(&config);
    SUCCEEDS(lab_try_as(&t->whole.lab, text_str(&config), true, &err));
    t->whole.model = lab_make(&t->whole.lab, &pretrain, "model.safetensors", t->whole.path);
    t->folded = lab_open(text_str(&config));
    text_release(&config);
}

static void two_labs_close(struct two_labs *t) {
    lab_close(&t->folded);
    lab_close(&t->whole.lab);
}

/* The point of stage `stage` after the pretraining. */
static const struct config_point *point_of(const struct lab *lab, size_t stage) {
    return config_stage_point(lab->config, 1 + stage, 0);
}

static struct host_twin *fit_of(const struct two_labs *t, const struct config_point *point) {
    struct err err;
    const struct lab_job job = fit_world_job(&t->whole, 0);
    struct host_twin *h = lab_host(&t->whole.lab, &job);
    host_twin_ctx(h, 0)->point = point;
    SUCCEEDS(host_twin_run(h, lab_work, lab_stage("fit"), &err));
    return h;
}

/* All tensors; without the losses of candidates for `points`, at the last of which they are taken.
 */
static void same_fit(const struct host_twin *a, const struct host_twin *b, const char *key) {
    assert_int_equal(host_twin_tensors(a), host_twin_tensors(b));
    for (size_t i = 0; i < host_twin_tensors(a); i++) {
        const struct job_tensor *x = host_twin_tensor_at(a, i), *y = host_twin_tensor(b, x->name);
        size_t n = 1;
        if (strcmp(key, "points") == 0 && strcmp(x->name, "choice_losses") == 0) continue;
        assert_true(y && x->rank == y->rank);
        for (size_t d = 0; d < x->rank; d++) n *= x->shape[d];
        assert_memory_equal(x->data, y->data, n * sizeof(float));
    }
}

static bool same_identity(const struct config_point *a, const struct config_point *b) {
    struct text x = {0}, y = {0};
    config_point_identity(&x, a);
    config_point_identity(&y, b);
    const bool same = strcmp(text_str(&x), text_str(&y)) == 0;
    text_release(&x);
    text_release(&y);
    return same;
}

static size_t check_method(const struct two_labs *t, const struct method *m, size_t first) {
    const struct config_point *usual = point_of(&t->folded, first + N_SETTINGS);
    struct host_twin *h = fit_of(t, point_of(&t->whole.lab, first + N_SETTINGS));
    size_t unread = 0;
    for (size_t k = 0; k < N_SETTINGS; k++) {
        const bool read = fit_keys_read_by(m->name, "functions", SETTINGS[k].key);
        const bool same = same_identity(usual, point_of(&t->folded, first + k));
        if (same == read) fail_msg("%s of %s: read %d", SETTINGS[k].key, m->name, read);
        assert_false(same_identity(point_of(&t->whole.lab, first + N_SETTINGS),
                                   point_of(&t->whole.lab, first + k)));
        if (read) continue;
        struct host_twin *other = fit_of(t, point_of(&t->whole.lab, first + k));
        same_fit(h, other, SETTINGS[k].key);
        host_twin_destroy(other);
        unread++;
    }
    host_twin_destroy(h);
    return unread;
}

static void what_is_not_read_changes_no_bit_and_what_is_read_the_identity(void **state) {
    (void)state;
    struct two_labs t;
    size_t first = 0, unread = 0;
    two_labs_open(&t);
    for (size_t i = 0; i < method_count(); i++) {
        if (!fits_numbers(method_at(i))) continue;
        unread += check_method(&t, method_at(i), first);
        first += N_SETTINGS + 1;
    }
    assert_true(unread > 0);
    two_labs_close(&t);
}

/* A key of a method, "fv.heads". */
static bool is_of_method(const char *key) {
    char name[64];
    (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(key, "."), key);
    return strchr(key, '.') && method_find(name);
}

/* A key that is added to `fit` gets a line in SETTINGS. */
static void every_key_of_a_fit_is_tried(void **state) {
    (void)state;
    struct config_schema s = {0};
    struct err err;
    SUCCEEDS(stage_schema(&s, stage_find("fit"), &err));
    for (size_t i = 0; i < s.n; i++) {
        const char *key = s.rows[i]->name, *when = s.rows[i]->when;
        bool known = strncmp(key, "source.", 7) == 0 || is_of_method(key);
        if (when && (strncmp(when, "source.", 7) == 0 || strncmp(when, "text_loss=", 10) == 0))
            known = true; /* of text */
        for (size_t k = 0; k < N_SETTINGS; k++) known |= strcmp(SETTINGS[k].key, key) == 0;
        for (size_t k = 0; k < sizeof APART / sizeof *APART; k++)
            known |= strcmp(APART[k], key) == 0;
        if (!known) fail_msg("no setting of %s", key);
    }
    config_schema_release(&s);
}

/* The loss of a method that reads no `points` is that of prompts of T0 points, 6 here. */
static void a_fit_without_points_has_the_loss_at_its_basis(void **state) {
    (void)state;
    static const char TEXT[] = FIT_WORLD(
        2) "{ stage = \"fit\"; of = \"pretrain\"; method = [\"fv\", \"icv\"]; points = [6, 9];"
           " prompts = 40; batch = 12; } );\n";
    struct two_labs t;
    struct err err;
    const struct lab_job pretrain = {.kind = "pretrain", .memory = SIZE_MAX};
    SUCCEEDS(lab_try_as(&t.whole.lab, TEXT, true, &err));
    t.whole.model = lab_make(&t.whole.lab, &pretrain, "model.safetensors", t.whole.path);
    t.folded = lab_open(TEXT);
    assert_int_equal(config_stage_points(t.whole.lab.config, 1), 4);
    assert_int_equal(config_stage_points(t.folded.config, 1), 2);
    assert_int_equal(config_stage_spanned(t.folded.config, 1), 4);
    for (size_t i = 0; i < 2; i++) {
        struct host_twin *at_basis = fit_of(&t, config_stage_point(t.whole.lab.config, 1, i)),
                         *folded = fit_of(&t, config_stage_point(t.folded.config, 1, i));
        const struct fit_row was = read_fit_row(at_basis, 0), is = read_fit_row(folded, 0);
        same_fit(at_basis, folded, "");
        assert_true(was.points == 6 && is.points == JOB_NO_INT && is.basis_points == 6);
        assert_true(was.validation_loss == is.validation_loss);
        host_twin_destroy(at_basis);
        host_twin_destroy(folded);
    }
    two_labs_close(&t);
}

/* Text is asked in prompts of their own, whose shots decide the validation loss of every method. */
static void points_are_read_on_text(void **state) {
    (void)state;
    assert_false(fit_keys_read_by("fv", "functions", "points"));
    assert_true(fit_keys_read_by("fv", "text", "points"));
    assert_false(fit_keys_read_by("fv", "text", "choice_points"));
    assert_false(fit_keys_read_by("fv", "text", "epochs"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_are_read_on_text),
        cmocka_unit_test(what_is_not_read_changes_no_bit_and_what_is_read_the_identity),
        cmocka_unit_test(every_key_of_a_fit_is_tried),
        cmocka_unit_test(a_fit_without_points_has_the_loss_at_its_basis),
    };
    blas_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
