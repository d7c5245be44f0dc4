#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "journal/event.h"
#include "store/artifact.h"
#include "twins/scratch_group.h"

static const char A[] = "ab00000000000000000000000000000000000000000000000000000000000001";
static const char B[] = "cd00000000000000000000000000000000000000000000000000000000000002";
static const float VALUES[] = {1.0f, -2.5f, 3.25f, 0.1f, 5.0f, 6.0f};
static const struct job_tensor TENSORS[] = {
    {.name = "weights", .rank = 2, .shape = {2, 3}, .data = VALUES},
    {.name = "bias", .rank = 1, .shape = {3}, .data = VALUES + 2},
};

static void seal(struct artifact_seal *out, const char *dir, const char *identity) {
    struct err err = {0};
    const struct artifact_note note = {"config", "stage = \"fit\";\n"};
    if (artifact_write(out, dir, identity, TENSORS, 2, &note, 1, &err) != ERR_OK)
        fail_msg("%s", err.msg);
}

static void test_artifact(void **state) {
    struct artifact_seal a, b;
    struct err err;
    char path[FILE_PATH_MAX], hex[HASH_HEX];
    seal(&a, *state, A);
    seal(&b, *state, B);
    assert_string_equal(a.sha256, b.sha256); /* the bytes depend on the contents alone */
    assert_int_equal(artifact_path(path, *state, A, &err), ERR_OK);
    assert_non_null(strstr(path, "/artifacts/ab/ab0000"));
    assert_int_equal(hash_file(hex, path, &err), ERR_OK);
    assert_string_equal(hex, a.sha256);
}

static void test_checkpoint(void **state) {
    struct checkpoint c = {.state = "step 12",
                           .rows = "line one\n\tline \"two\"\n",
                           .n_rows = 2,
                           .done = 0.1,
                           .total = 10.0,
                           .tensors = TENSORS,
                           .n_tensors = 2};
    struct checkpoint back;
    struct checkpoint_hold *hold;
    struct err err;
    assert_int_equal(checkpoint_read(&back, &hold, *state, A, &err), ERR_OK);
    assert_null(back.state);
    assert_int_equal(checkpoint_write(*state, A, &c, &err), ERR_OK);
    assert_int_equal(checkpoint_read(&back, &hold, *state, A, &err), ERR_OK);
    assert_string_equal(back.state, c.state);
    assert_string_equal(back.rows, c.rows);
    assert_int_equal(back.n_rows, 2);
    assert_true(back.done == 0.1 && back.total == 10.0);
    assert_int_equal(back.n_tensors, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct job_tensor *t = job_find_tensor(back.tensors, 2, TENSORS[i].name);
        assert_non_null(t);
        assert_int_equal(t->rank, TENSORS[i].rank);
        assert_memory_equal(t->data, TENSORS[i].data, TENSORS[i].shape[0] * sizeof(float));
    }
    checkpoint_close(hold);
    checkpoint_remove(*state, A);
    assert_int_equal(checkpoint_read(&back, &hold, *state, A, &err), ERR_OK);
    assert_null(back.state);
    checkpoint_close(hold);
}

/* An artifact is no checkpoint. */
static void test_foreign_checkpoint(void **state) {
    struct artifact_seal s;
    struct checkpoint back;
    struct checkpoint_hold *hold;
    struct err err;
    char from[FILE_PATH_MAX], to[FILE_PATH_MAX];
    const struct checkpoint c = {.state = "", .rows = ""};
    seal(&s, *state, A);
    assert_int_equal(checkpoint_write(*state, A, &c, &err), ERR_OK);
    assert_int_equal(artifact_path(from, *state, A, &err), ERR_OK);
    assert_int_equal(checkpoint_path(to, *state, A, &err), ERR_OK);
    assert_int_equal(rename(from, to), 0);
    assert_int_equal(checkpoint_read(&back, &hold, *state, A, &err), ERR_DATA);
    assert_non_null(strstr(err.msg, "not a checkpoint"));
    assert_null(hold);
}

/* One changed byte in the name of the sum hides it: that is damage too. */
static void test_checkpoint_without_sum(void **state) {
    struct checkpoint back;
    struct checkpoint_hold *hold;
    struct err err;
    struct text data = {0};
    char path[FILE_PATH_MAX];
    const struct checkpoint c = {.state = "", .rows = ""};
    assert_int_equal(checkpoint_write(*state, A, &c, &err), ERR_OK);
    assert_int_equal(checkpoint_path(path, *state, A, &err), ERR_OK);
    assert_int_equal(file_read(&data, path, 1 << 20, &err), ERR_OK);
    char *name = memmem(data.data, data.size, "\"sum\"", 5);
    assert_non_null(name);
    name[3] = 'n';
    assert_int_equal(file_replace(path, data.data, data.size, &err), ERR_OK);
    assert_int_equal(checkpoint_read(&back, &hold, *state, A, &err), ERR_DATA);
    assert_non_null(strstr(err.msg, "damaged: its content differs from its checksum"));
    assert_null(hold);
    text_release(&data);
}

static void touch(const char *dir, const char *name) {
    char path[FILE_PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fclose(f);
}

/* name: of the file in dir/folder that has A for the digits of its SHA-256. */
static void touch_kept(char name[256], const char *dir, const char *folder, const char *ending) {
    char path[FILE_PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/%s", dir, folder);
    assert_int_equal(file_make_folder(path, NULL), ERR_OK);
    (void)snprintf(name, 256, "%s/%s%s", folder, A, ending);
    touch(dir, name);
}

static bool is_there(const char *dir, const char *name) {
    char path[FILE_PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    return file_exists(path);
}

/* A is DONE, B is not: B's artifact, A's checkpoint and all temporaries go, nothing else does. */
static void test_clean(void **state) {
    struct artifact_seal s;
    struct err err;
    struct text line = {0};
    struct history h = {0};
    char temporary[256];
    size_t removed;
    char config[256], config_tmp[256], change_tmp[256];
    const struct checkpoint c = {.state = "", .rows = ""};
    seal(&s, *state, A);
    seal(&s, *state, B);
    assert_int_equal(checkpoint_write(*state, A, &c, &err), ERR_OK);
    assert_int_equal(checkpoint_write(*state, B, &c, &err), ERR_OK);
    (void)snprintf(temporary, sizeof temporary, "artifacts/ab/%s.safetensors.tmp.host.77", A);
    touch(*state, temporary);
    touch(*state, "artifacts/ab/notes of mine.txt");
    touch(*state, "results.h5.tmp.host.77");
    touch(*state, "config.cfg.tmp.host.77");
    touch_kept(config, *state, "configs", ".cfg");
    touch_kept(config_tmp, *state, "configs", ".cfg.tmp.host.77");
    touch_kept(change_tmp, *state, "changes", ".diff.tmp.host.77");
    touch(*state, "lock.tmp.host.78"); /* of one who asks for the lock just now */
    event_begin(&line, EVENT_DONE);
    event_text(&line, "job", A);
    event_integer(&line, "artifact", 1);
    event_integer(&line, "bytes", (int64_t)s.bytes);
    event_end(&line);
    assert_int_equal(history_replay(&h, line.data, line.size, &err), ERR_OK);
    assert_true(artifact_present(*state, &h.jobs[0]));
    assert_int_equal(artifact_clean(&removed, *state, &h, &err), ERR_OK);
    assert_int_equal(removed, 7);
    assert_true(is_there(*state, config));
    assert_false(is_there(*state, config_tmp));
    assert_false(is_there(*state, change_tmp));
    assert_true(artifact_present(*state, &h.jobs[0]));
    assert_false(is_there(*state, temporary));
    assert_false(is_there(*state, "results.h5.tmp.host.77"));
    assert_false(is_there(*state, "config.cfg.tmp.host.77"));
    assert_true(is_there(*state, "lock.tmp.host.78"));
    assert_true(is_there(*state, "artifacts/ab/notes of mine.txt"));
    h.jobs[0].bytes++;
    assert_false(artifact_present(*state, &h.jobs[0]));
    assert_int_equal(artifact_clean(&removed, *state, &h, &err), ERR_OK);
    assert_int_equal(removed, 0);
    history_release(&h);
    text_release(&line);
}

static void test_unwritable(void **state) {
    struct artifact_seal s;
    struct err err;
    touch(*state, "artifacts"); /* a file where the folder should be */
    assert_int_equal(artifact_write(&s, *state, A, TENSORS, 2, NULL, 0, &err), ERR_IO);
    assert_non_null(strstr(err.msg, "artifacts"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_artifact, scratch_begin, scratch_end),
        cmocka_unit_test_setup_teardown(test_checkpoint, scratch_begin, scratch_end),
        cmocka_unit_test_setup_teardown(test_checkpoint_without_sum, scratch_begin, scratch_end),
        cmocka_unit_test_setup_teardown(test_foreign_checkpoint, scratch_begin, scratch_end),
        cmocka_unit_test_setup_teardown(test_clean, scratch_begin, scratch_end),
        cmocka_unit_test_setup_teardown(test_unwritable, scratch_begin, scratch_end),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
