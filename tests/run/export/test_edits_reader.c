/* Files of edits that a model can take, and one message for each that it cannot. */
#include "model/family.h"
#include "run/export/edits_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "tensorfile/tensorfile.h"
#include "twins/error_says.h"

#define PATH "edits.safetensors"
#define HEAD "\"format\":1,\"method\":\"ltv\",\"prompt\":\"whole\",\"wpe_seed\":0,"
#define GIVEN HEAD "\"vector\":\"given\",\"values\":20,"
#define ADD                                                                                        \
    "{\"kind\":\"add\",\"site\":\"block\",\"layer\":1,\"scope\":\"all\",\"from\":0,\"n\":4,"       \
    "\"values\":4,\"scale\":0.5}"

enum { VALUES = 20 };

static struct err err;
/* Head outputs have H D = 6 numbers. */
static const struct model_dims DIMS = {
    .L = 2, .H = 2, .E = 4, .D = 3, .vocabulary = 9, .positions = 8, .family = &family_qwen3};

/* `note` NULL: none. number: the first of the vector. */
static void write_file(const char *note, float number) {
    static float vector[VALUES];
    const size_t n = VALUES;
    struct tensor_writer *w;
    for (size_t i = 0; i < n; i++) vector[i] = number + (float)i;
    SUCCEEDS(tensor_writer_create(&w, &err));
    SUCCEEDS(tensor_writer_add(w, "vector", 1, &n, vector, &err));
    if (note) SUCCEEDS(tensor_writer_note(w, "taskvec_edits", note, &err));
    SUCCEEDS(tensor_writer_save(w, PATH, &err));
    tensor_writer_destroy(w);
}

static void edits_have_their_numbers(void **state) {
    (void)state;
    struct read_edits r;
    write_file(
        "{" GIVEN "\"edits\":[" ADD ",{\"kind\":\"replace\",\"site\":\"heads\",\"layer\":0,"
        "\"scope\":\"query\",\"from\":3,\"n\":3,\"values\":17,\"scale\":1},"
        "{\"kind\":\"affine\",\"site\":\"attention\",\"layer\":1,\"scope\":\"query\",\"from\":0,"
        "\"n\":4,\"rank\":2,\"A\":0,\"B\":8,\"c\":null}]}",
        0);
    SUCCEEDS(edits_reader_open(&r, PATH, &DIMS, &err));
    assert_int_equal(r.edits.n, 3);
    const struct edit *e = r.edits.items;
    assert_true(e[0].operation == EDIT_ADD && e[0].site == EDIT_BLOCK && e[0].scope == EDIT_ALL);
    assert_true(e[0].layer == 1 && e[0].from == 0 && e[0].n == 4 && e[0].scale == .5f);
    assert_true(e[0].values[0] == 4 && e[0].values[3] == 7 && e[0].row_stride == 0);
    assert_true(e[1].operation == EDIT_REPLACE && e[1].site == EDIT_HEADS);
    assert_true(e[1].scope == EDIT_QUERY && e[1].from == 3 && e[1].values[2] == 19);
    assert_true(e[2].operation == EDIT_MAP && e[2].map.rank == 2 && e[2].map.A[0] == 0);
    assert_true(e[2].map.B[7] == 15 && !e[2].map.c && e[2].map.A_stride == 0);
    edits_reader_close(&r);
    write_file("{" HEAD "\"vector\":\"none\",\"edits\":[]}", 0);
    SUCCEEDS(edits_reader_open(&r, PATH, &DIMS, &err));
    assert_int_equal(r.edits.n, 0);
    edits_reader_close(&r);
    edits_reader_close(&r);
}

/* A file with the given metadata is refused with these words. */
static const struct {
    const char *note, *words;
} REFUSED[] = {
    {NULL, "holds no edits"},
    {"{", PATH},
    {"[]", "format: expected"},
    {"{\"format\":2}", "format 2, but 1 is read"},
    {"{\"format\":1,\"wpe_seed\":5}", "redrawn (wpe_seed 5)"},
    {"{" HEAD "\"vector\":\"prompt\"}", "ltv makes a vector of each prompt"},
    {"{\"format\":1,\"wpe_seed\":0,\"method\":\"window\",\"vector\":\"none\",\"prompt\":"
     "\"window\"}",
     "window changes which part of a prompt"},
    {"{" HEAD "\"vector\":\"other\"}", "vector: 'other' is not known"},
    {"{" HEAD "\"vector\":\"given\",\"values\":19}", "\"vector\""},
    {"{" GIVEN "\"edits\":{}}", "edits: expected an array"},
    {"{" GIVEN "\"edits\":[" ADD ",3]}", "expected an object, received 3"},
};

static void other_files_are_refused(void **state) {
    (void)state;
    struct read_edits r;
    for (size_t i = 0; i < sizeof REFUSED / sizeof *REFUSED; i++) {
        write_file(REFUSED[i].note, 0);
        ERROR_SAYS(edits_reader_open(&r, PATH, &DIMS, &err), ERR_DATA, REFUSED[i].words);
        assert_non_null(strstr(err.msg, PATH));
    }
    write_file("{" GIVEN "\"edits\":[" ADD "]}", (float)(1 / (double)0.0f));
    ERROR_SAYS(edits_reader_open(&r, PATH, &DIMS, &err), ERR_DATA, PATH);
    ERROR_SAYS(edits_reader_open(&r, "none.safetensors", &DIMS, &err), ERR_DATA,
               "none.safetensors");
}

/* One edit, and the words that refuse it. */
#define EDIT(kind, site, layer, scope, from, n, rest)                                              \
    "{" GIVEN "\"edits\":[{\"kind\":\"" kind "\",\"site\":\"" site "\",\"layer\":" layer           \
    ",\"scope\":\"" scope "\",\"from\":" from ",\"n\":" n "," rest "}]}"
#define V0 "\"values\":0,\"scale\":1"
static const struct {
    const char *note, *words;
} MISFITS[] = {
    {EDIT("add", "block", "2", "all", "0", "4", V0), "edits[0].layer: 2, but the model has 2"},
    {EDIT("add", "block", "0", "all", "0", "6", V0),
     "edits[0].n: 6 numbers from 0 on of block, but those of the model have 4"},
    {EDIT("add", "block", "0", "all", "1", "3", V0), "edits[0].n: 3 numbers from 1 on"},
    {EDIT("mix", "heads", "0", "query", "2", "3", V0), "edits[0].n: 3 numbers from 2 on of heads"},
    {EDIT("mix", "heads", "0", "query", "6", "3", V0), "have 6 (heads of 3)"},
    {EDIT("mix", "heads", "0", "all", "0", "6", V0),
     "outputs of blocks, attention and MLP, not at heads"},
    {EDIT("add", "embedding", "1", "query", "0", "4", V0), "the embedding is at layer 0"},
    {EDIT("add", "other", "0", "query", "0", "4", V0), "edits[0].site: 'other' is not known"},
    {EDIT("add", "block", "-1", "query", "0", "4", V0), "edits[0].layer: expected 0 to"},
    {EDIT("add", "block", "0", "query", "0", "4", "\"values\":17,\"scale\":1"),
     "edits[0].values: numbers 17 to 21 of a vector of 20"},
    {EDIT("add", "block", "0", "query", "0", "4", "\"values\":0,\"scale\":1e300"), "too large"},
    {EDIT("add", "block", "0", "query", "0", "4", "\"values\":0"), "edits[0].scale: expected"},
    {EDIT("affine", "block", "0", "query", "0", "4", "\"rank\":5"), "edits[0].rank: 5, but 4"},
    {EDIT("affine", "block", "0", "query", "0", "4", "\"rank\":0"), "edits[0].rank: 0, but 4"},
    {EDIT("affine", "block", "0", "query", "0", "4", "\"rank\":2,\"A\":0,\"B\":null,\"c\":null"),
     "edits[0].B: null, but rank 2 is not 4"},
    {EDIT("affine", "block", "0", "query", "0", "4", "\"rank\":2,\"A\":null"),
     "edits[0].A: expected"},
};

static void edits_of_other_models_are_refused(void **state) {
    (void)state;
    struct read_edits r;
    for (size_t i = 0; i < sizeof MISFITS / sizeof *MISFITS; i++) {
        write_file(MISFITS[i].note, 0);
        ERROR_SAYS(edits_reader_open(&r, PATH, &DIMS, &err), ERR_DATA, MISFITS[i].words);
        assert_non_null(strstr(err.msg, PATH));
    }
}

static int enter_folder(void **state) {
    static char folder[] = "/tmp/edits_reader.XXXXXX";
    *state = mkdtemp(folder);
    return *state ? chdir(folder) : -1;
}

static int leave_folder(void **state) {
    return unlink(PATH) != 0 || chdir("/") != 0 || rmdir(*state) != 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edits_have_their_numbers),
        cmocka_unit_test(other_files_are_refused),
        cmocka_unit_test(edits_of_other_models_are_refused),
    };
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
