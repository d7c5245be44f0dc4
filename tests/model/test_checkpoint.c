#include "model/checkpoint.h"

#include <math.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/text.h"
#include "model/tiny.h"
#include "twins/scratch_group.h"

static const struct model_dims WIDE = {
    .L = 3, .H = 2, .E = 16, .inputs = 3, .positions = 14, .epsilon = 1e-5f};
static struct err err;

/* How a file differs from a valid one; all zero: a valid file. */
struct damage {
    const char *leave_out, *extra, *reshape; /* names of tensors */
    const char *no_note, *note, *value; /* a note that is omitted; one whose value is changed */
};

static void add_notes(struct tensor_writer *w, const struct params *p, const struct damage *how) {
    struct model_note notes[MODEL_NOTES];
    const size_t n = model_describe(notes, &p->dims, 6);
    for (size_t i = 0; i < n; i++) {
        const char *key = notes[i].key;
        if (how->no_note && strcmp(key, how->no_note) == 0) continue;
        const bool other = how->note && strcmp(key, how->note) == 0;
        SUCCEEDS(tensor_writer_note(w, key, other ? how->value : notes[i].value, &err));
    }
}

static void save(char path[SCRATCH_PATH], const struct params *p, const struct damage *how) {
    struct tensor_writer *w = NULL;
    const float zeros[4] = {0};
    SUCCEEDS(tensor_writer_create(&w, &err));
    add_notes(w, p, how);
    for (size_t i = 0; i < params_tensors(&p->dims); i++) {
        struct param_info t;
        params_at(&t, p, i);
        if (how->leave_out && strcmp(t.name, how->leave_out) == 0) continue;
        if (how->reshape && strcmp(t.name, how->reshape) == 0) t.shape[0]--;
        SUCCEEDS(tensor_writer_add(w, t.name, t.rank, t.shape, t.data, &err));
    }
    if (how->extra) SUCCEEDS(tensor_writer_add(w, how->extra, 1, (size_t[]){4}, zeros, &err));
    scratch_path(path, &scratch, "model.safetensors");
    SUCCEEDS(tensor_writer_save(w, path, &err));
    tensor_writer_destroy(w);
}

static void same_params(const struct params *got, const struct params *want) {
    assert_int_equal(params_tensors(&got->dims), params_tensors(&want->dims));
    for (size_t i = 0; i < params_tensors(&want->dims); i++) {
        struct param_info a, b;
        params_at(&a, got, i);
        params_at(&b, want, i);
        assert_string_equal(a.name, b.name);
        assert_memory_equal(a.data, b.data, tensor_size(&b) * sizeof(float));
    }
}

static void same_dims(const struct model_dims *d) {
    assert_int_equal(d->L, WIDE.L);
    assert_int_equal(d->H, WIDE.H);
    assert_int_equal(d->E, WIDE.E);
    assert_int_equal(d->inputs, WIDE.inputs);
    assert_int_equal(d->positions, WIDE.positions);
    assert_true(d->epsilon == WIDE.epsilon);
}

static void a_written_model_is_read_in_place(void **state) {
    (void)state;
    char path[SCRATCH_PATH];
    struct params p = tiny_params(&WIDE);
    struct model m;
    struct model_dims dims;
    size_t points = 0;
    save(path, &p, &(struct damage){0});
    SUCCEEDS(model_open(&m, path, &err));
    same_dims(&m.params.dims);
    same_params(&m.params, &p);
    assert_int_equal(m.trained_points, 6);
    assert_null(m.params.block);
    assert_ptr_equal(m.params.wpe, tensorfile_find(m.file, "_backbone.wpe.weight")->data);
    SUCCEEDS(model_read_dims(&dims, &points, path, &err));
    same_dims(&dims);
    assert_int_equal(points, 6);
    model_close(&m);
    model_close(&m);
    params_destroy(&p);
}

/* A file of another program: unaligned data, no note but n_head, tensors that are not weights. */
static void an_unaligned_file_is_copied(void **state) {
    (void)state;
    char path[SCRATCH_PATH];
    struct params p = tiny_params(&WIDE);
    struct text header = {0}, data = {0}, all = {0};
    text_add(&header, "{\"__metadata__\":{\"n_head\":\"2\"}");
    for (size_t i = 0; i < params_tensors(&WIDE); i++) {
        struct param_info t;
        params_at(&t, &p, i);
        text_add(&header, ",\"%s\":{\"dtype\":\"F32\",\"shape\":[%zu", t.name, t.shape[0]);
        if (t.rank == 2) text_add(&header, ",%zu", t.shape[1]);
        text_add(&header, "],\"data_offsets\":[%zu", data.size);
        text_bytes(&data, t.data, tensor_size(&t) * sizeof(float));
        text_add(&header, ",%zu]}", data.size);
    }
    text_add(&header, "}");
    while (header.size % 64 != 60) text_add(&header, " ");
    const uint64_t size = header.size;
    text_bytes(&all, &size, sizeof size);
    text_bytes(&all, header.data, header.size);
    text_bytes(&all, data.data, data.size);
    SUCCEEDS(text_check(&all, &err));
    scratch_write(path, &scratch, "foreign.safetensors", all.data, all.size);
    struct model m;
    SUCCEEDS(model_open(&m, path, &err));
    same_dims(&m.params.dims); /* epsilon by default */
    same_params(&m.params, &p);
    assert_non_null(m.params.block);
    assert_int_equal(m.trained_points, 0);
    model_close(&m);
    params_destroy(&p);
    text_release(&header), text_release(&data), text_release(&all);
}

static void extras_of_published_files_are_ignored(void **state) {
    (void)state;
    const char *const names[] = {"_backbone.wte.weight", "_backbone.h.0.attn.bias",
                                 "_backbone.h.2.attn.masked_bias"};
    struct params p = tiny_params(&WIDE);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[SCRATCH_PATH];
        struct model m;
        save(path, &p, &(struct damage){.extra = names[i]});
        SUCCEEDS(model_open(&m, path, &err));
        same_params(&m.params, &p);
        model_close(&m);
    }
    params_destroy(&p);
}

static void refused(const struct params *p, struct damage how, const char *words) {
    char path[SCRATCH_PATH];
    struct model m = {0};
    save(path, p, &how);
    ERROR_SAYS(model_open(&m, path, &err), ERR_DATA, words);
    ERROR_SAYS(model_open(&m, path, &err), ERR_DATA, "model.safetensors: ");
    assert_null(m.file);
}

static void unknown_missing_and_misshapen_tensors_are_refused(void **state) {
    (void)state;
    struct params p = tiny_params(&WIDE);
    const char *fc = "_backbone.h.1.mlp.c_fc.weight";
    refused(&p, (struct damage){.leave_out = fc},
            "no tensor named \"_backbone.h.1.mlp.c_fc.weight");
    refused(&p, (struct damage){.leave_out = "_read_in.weight"}, "\"_read_in.weight\"");
    refused(&p, (struct damage){.leave_out = "_backbone.h.0.ln_1.weight"}, "no layers");
    refused(&p, (struct damage){.leave_out = "_backbone.h.1.ln_1.weight"},
            "does not belong to a regression GPT-2 of 1 layers");
    refused(&p, (struct damage){.reshape = fc}, "shape [15, 64], expected [16, 64]");
    refused(&p, (struct damage){.reshape = "_read_in.weight"}, "expected [16, 3]");
    refused(&p, (struct damage){.reshape = "_read_out.bias"}, "_read_out.bias");
    refused(&p, (struct damage){.extra = "lm_head.weight"}, "\"lm_head.weight\" does not belong");
    params_destroy(&p);
}

static void invalid_notes_are_refused(void **state) {
    (void)state;
    struct params p = tiny_params(&WIDE);
    refused(&p, (struct damage){.no_note = "n_head"}, "lacks n_head");
    refused(&p, (struct damage){.no_note = "n_head"}, "add it to __metadata__");
    refused(&p, (struct damage){.note = "n_head", .value = "3"}, "does not divide the width 16");
    refused(&p, (struct damage){.note = "n_head", .value = "0"}, "n_head is 0");
    refused(&p, (struct damage){.note = "n_head", .value = "-2"}, "n_head is \"-2\", expected");
    refused(&p, (struct damage){.note = "n_head", .value = "2 heads"}, "expected a whole number");
    refused(&p, (struct damage){.note = "n_head", .value = ""}, "n_head is \"\"");
    refused(&p, (struct damage){.note = "n_head", .value = "99999999999999999999"}, "n_head");
    const char *const epsilons[] = {"", "0", "-1e-5", "inf", "nan", "1e-5x"};
    for (size_t i = 0; i < sizeof epsilons / sizeof *epsilons; i++)
        refused(&p, (struct damage){.note = "layer_norm_epsilon", .value = epsilons[i]},
                "expected a number above 0");
    refused(&p, (struct damage){.note = "trained_points", .value = "8"},
            "trained_points is 8, but 14 positions hold 7 points");
    refused(&p, (struct damage){.note = "trained_points", .value = "six"}, "trained_points");
    params_destroy(&p);
}

static void files_of_other_kinds_are_refused(void **state) {
    (void)state;
    char path[SCRATCH_PATH];
    struct params p = tiny_params(&WIDE);
    struct text whole = {0};
    struct model m = {0};
    struct model_dims dims;
    size_t points;
    save(path, &p, &(struct damage){0});
    SUCCEEDS(file_read(&whole, path, 1 << 20, &err));
    scratch_write(path, &scratch, "half.safetensors", whole.data, whole.size / 2);
    ERROR_SAYS(model_open(&m, path, &err), ERR_DATA, "half.safetensors");
    ERROR_SAYS(model_read_dims(&dims, &points, path, &err), ERR_DATA, "half.safetensors");
    scratch_path(path, &scratch, "absent.safetensors");
    ERROR_SAYS(model_open(&m, path, &err), ERR_DATA, "absent.safetensors");
    text_release(&whole);
    params_destroy(&p);
}

/* Rows 0 .. 3, which two trained points reach, stay; the others are normal draws that depend on
 * seed and row. */
static void untrained_positions_are_redrawn(void **state) {
    (void)state;
    char path[SCRATCH_PATH];
    struct params p = tiny_params(&WIDE);
    struct model m, other;
    const size_t E = WIDE.E, all = WIDE.positions * E * sizeof(float), kept = 4 * E;
    save(path, &p, &(struct damage){.note = "trained_points", .value = "2"});
    SUCCEEDS(model_open(&m, path, &err));
    SUCCEEDS(model_open(&other, path, &err));
    SUCCEEDS(model_redraw_positions(&m, 5, &err));
    SUCCEEDS(model_redraw_positions(&other, 6, &err));
    assert_memory_equal(m.params.wpe, p.wpe, kept * sizeof(float));
    double square = 0;
    const size_t n = WIDE.positions * E - kept;
    for (size_t i = kept; i < kept + n; i++) {
        assert_true(m.params.wpe[i] != p.wpe[i] && m.params.wpe[i] != other.params.wpe[i]);
        square += (double)m.params.wpe[i] * (double)m.params.wpe[i];
    }
    /* n squares of N(0, .02^2): within 5 standard deviations, sqrt(2 / n) each */
    assert_true(fabs(square / ((double)n * 4e-4) - 1) < 5 * sqrt(2 / (double)n));
    SUCCEEDS(model_redraw_positions(&other, 5, &err)); /* again, from the same stream */
    assert_memory_equal(m.params.wpe, other.params.wpe, all);
    model_close(&m);
    model_close(&other);
    params_destroy(&p);
}

static void an_epsilon_is_written_so_that_it_reads_back(void **state) {
    (void)state;
    struct model_note notes[MODEL_NOTES];
    struct model_dims dims = WIDE;
    model_describe(notes, &dims, 6);
    assert_string_equal(notes[0].key, "n_head");
    assert_string_equal(notes[0].value, "2");
    assert_string_equal(notes[1].key, "layer_norm_epsilon");
    assert_string_equal(notes[1].value, "1e-05");
    assert_string_equal(notes[2].key, "trained_points");
    assert_string_equal(notes[2].value, "6");
    dims.epsilon = 1.2345678e-6f;
    model_describe(notes, &dims, 6);
    assert_true(strtof(notes[1].value, NULL) == dims.epsilon);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_written_model_is_read_in_place),
        cmocka_unit_test(an_unaligned_file_is_copied),
        cmocka_unit_test(extras_of_published_files_are_ignored),
        cmocka_unit_test(unknown_missing_and_misshapen_tensors_are_refused),
        cmocka_unit_test(invalid_notes_are_refused),
        cmocka_unit_test(files_of_other_kinds_are_refused),
        cmocka_unit_test(untrained_positions_are_redrawn),
        cmocka_unit_test(an_epsilon_is_written_so_that_it_reads_back),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
