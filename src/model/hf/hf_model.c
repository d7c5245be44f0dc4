#include "model/hf/hf_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/family.h"
#include "model/hf/hf_folder.h"
#include "model/hf/hf_names.h"
#include "tensorfile/finite.h"
#include "tensorfile/mapping.h"
#include "tensorfile/tensor_name.h"

static bool is_float(const struct tensor_info *t) {
    return t->type == TENSOR_F32 || t->type == TENSOR_F16 || t->type == TENSOR_BF16;
}

static size_t bytes_of(const struct tensor_info *t) {
    return t->elements * tensor_type_size(t->type);
}

/* ---- tied output */

static bool are_equal(const struct tensor_info *a, const struct tensor_info *b) {
    return a->type == b->type && a->rank == b->rank && a->elements == b->elements &&
           memcmp(a->shape, b->shape, a->rank * sizeof *a->shape) == 0 &&
           memcmp(a->data, b->data, bytes_of(a)) == 0;
}

/* Whether the output matrix is the embedding: what config.json says must be what the file holds. */
static enum err_code decide_tie(struct hf_model *m, struct err *err) {
    struct hf_config *c = &m->config;
    const struct tensor_info *output = hf_names_output(m->set);
    const struct tensor_info *embedding = hf_names_find(m->set, family_of(&c->dims)->names.wte);
    const char *path = tensor_set_path(m->set);
    c->dims.tied = c->tie == HF_TIE_YES || (c->tie == HF_TIE_NOT_SAID && c->family->tied);
    if (c->dims.tied && output && embedding && !are_equal(output, embedding))
        return ERR(err, ERR_DATA,
                   "%s: tie_word_embeddings is %s, but tensor \"%s\" differs from \"%s\": correct "
                   "the flag or remove the tensor",
                   path, c->tie == HF_TIE_YES ? "true" : "true by default", output->name,
                   embedding->name);
    if (!c->dims.tied && !output)
        return ERR(err, ERR_DATA,
                   "%s: tie_word_embeddings is %s, but there is no tensor \"lm_head.weight\" (nor "
                   "\"embed_out.weight\"): correct the flag or use the complete model",
                   path, c->tie == HF_TIE_NO ? "false" : "false by default");
    return ERR_OK;
}

/* ---- tensors */

static void show_dimensions(char out[128], size_t rank, const size_t *shape) {
    size_t at = (size_t)snprintf(out, 128, "[");
    for (size_t i = 0; i < rank && at < 100; i++)
        at += (size_t)snprintf(out + at, 128 - at, "%s%zu", i > 0 ? ", " : "", shape[i]);
    (void)snprintf(out + at, 128 - at, "]");
}

static enum err_code check_tensor(const struct hf_model *m, const struct tensor_info *found,
                                  const struct param_info *t, struct err *err) {
    enum err_code rc = ERR_OK;
    char has[128], wanted[128];
    const char *path = tensor_set_path(m->set);
    CHECK(found, ERR_DATA, "%s: no tensor \"%s\", which a %s of %zu layers has", path, t->name,
          m->config.family->model_type, m->config.dims.L);
    CHECK(is_float(found), ERR_DATA, "%s: tensor \"%s\": dtype %s, expected F32, F16 or BF16", path,
          found->name, tensor_type_name(found->type));
    show_dimensions(has, found->rank, found->shape);
    show_dimensions(wanted, t->rank, t->shape);
    CHECK(found->rank == t->rank && memcmp(found->shape, t->shape, t->rank * sizeof *t->shape) == 0,
          ERR_DATA, "%s: tensor \"%s\": shape %s, but config.json makes it %s", path, found->name,
          has, wanted);
cleanup:
    return rc;
}

static enum err_code find_tensors(struct hf_model *m, struct err *err) {
    enum err_code rc = ERR_OK;
    struct params params = {0};
    const struct model_dims *d = &m->config.dims;
    const size_t n = params_tensors(d);
    TRY(params_borrow(&params, d, err));
    m->tensors = calloc(n, sizeof *m->tensors);
    CHECK(m->tensors, ERR_MEMORY, "no memory for %zu tensors", n);
    for (size_t i = 0; i < n; i++) {
        struct param_info t;
        params_at(&t, &params, i);
        m->tensors[i] = hf_names_find(m->set, t.name);
        TRY(check_tensor(m, m->tensors[i], &t, err));
    }
cleanup:
    params_destroy(&params);
    return rc;
}

static bool is_used(const struct hf_model *m, const struct tensor_info *t) {
    const size_t n = params_tensors(&m->config.dims);
    for (size_t i = 0; i < n; i++)
        if (m->tensors[i] == t) return true;
    return m->config.dims.tied && t == hf_names_output(m->set);
}

enum err_code hf_model_open(struct hf_model *out, const char *folder, struct err *err) {
    enum err_code rc = ERR_OK;
    struct hf_model made = {0};
    TRY(hf_folder_check(folder, err));
    TRY(hf_config_read(&made.config, folder, err));
    TRY(tensor_set_open(&made.set, folder, err));
    TRY(decide_tie(&made, err));
    TRY(find_tensors(&made, err));
    CHECK(made.config.dims.tied || is_used(&made, hf_names_output(made.set)), ERR_DATA,
          "%s: tie_word_embeddings is false, but a %s is computed with its embedding as output "
          "alone",
          folder, made.config.family->model_type);
    *out = made;
    made = (struct hf_model){0};
cleanup:
    hf_model_close(&made);
    return rc;
}

void hf_model_close(struct hf_model *m) {
    hf_config_release(&m->config);
    tensor_set_close(m->set);
    free(m->tensors);
    *m = (struct hf_model){0};
}

/* ---- finite weights */

enum { CHECKED = 4 };

/* The tensors of a model that were found finite in this process, by the hash of their files' stamps
 * and their names: the jobs of a compute child read one model again and again. The oldest entry is
 * replaced. */
static char checked[CHECKED][HASH_HEX];
static size_t next_checked;

static void identify(char hex[HASH_HEX], const struct hf_model *m) {
    struct hash h;
    hash_begin(&h);
    for (size_t i = 0; i < tensor_set_files(m->set); i++) {
        const struct mapping *map = tensorfile_mapping(tensor_set_file(m->set, i));
        hash_bytes(&h, &map->stamp, sizeof map->stamp);
    }
    for (size_t i = 0; i < params_tensors(&m->config.dims); i++) hash_text(&h, m->tensors[i]->name);
    hash_end(hex, &h);
}

static bool is_checked(const char *hex) {
    for (size_t i = 0; i < CHECKED; i++)
        if (strcmp(checked[i], hex) == 0) return true;
    return false;
}

enum err_code hf_model_check_finite(const struct hf_model *m, struct err *err) {
    enum err_code rc = ERR_OK;
    char hex[HASH_HEX];
    identify(hex, m);
    if (is_checked(hex)) return ERR_OK;
    for (size_t i = 0; i < params_tensors(&m->config.dims); i++)
        TRY(finite_check_tensor(m->tensors[i], tensor_set_path(m->set), err));
    memcpy(checked[next_checked++ % CHECKED], hex, HASH_HEX);
cleanup:
    return rc;
}

/* ---- reports */

size_t hf_model_unused(struct text *out, const struct hf_model *m, size_t most) {
    size_t unused = 0;
    char shown[NAME_SHOWN];
    for (size_t i = 0; i < tensor_set_count(m->set); i++) {
        const struct tensor_info *t = tensor_set_at(m->set, i);
        if (hf_names_is_buffer(t->name) || is_used(m, t)) continue;
        tensor_name_show(shown, t->name);
        if (unused++ < most) text_add(out, "%s%s", unused > 1 ? ", " : "", shown);
    }
    return unused;
}

void hf_model_types(struct text *out, const struct hf_model *m) {
    static const enum tensor_type TYPES[] = {TENSOR_BF16, TENSOR_F16, TENSOR_F32};
    const size_t n = params_tensors(&m->config.dims);
    for (size_t k = 0; k < sizeof TYPES / sizeof *TYPES; k++)
        for (size_t i = 0; i < n; i++) {
            if (m->tensors[i]->type != TYPES[k]) continue;
            text_add(out, "%s%s", out->size > 0 ? " and " : "", tensor_type_name(TYPES[k]));
            break;
        }
}

size_t hf_model_bytes(const struct hf_model *m) {
    size_t bytes = 0;
    const size_t n = params_tensors(&m->config.dims);
    for (size_t i = 0; i < n; i++) bytes += bytes_of(m->tensors[i]);
    return bytes;
}
