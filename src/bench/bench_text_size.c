#include "bench/bench_text_size.h"

#include <string.h>
#include <strings.h>

#include "bench/bench_weights.h"
#include "model/family.h"

enum { MIB = 1 << 20 };

/* Prompts and queries of the sizes that are not for tests. 9 x 2 x 40 are the rows of a pass. */
#define FULL_SIZE                                                                                  \
    .trained_points = 40, .pretrain_prompts = 9, .batch = 64, .few = 32, .tokens = 100,            \
    .map_prompts = 16, .read_bytes = (size_t)1024 * MIB, .sgemm = 1024, .sgemm_flops = 1e10

#define ROTARY(width, theta) .D = (width), .rotary = {.dims = (width), .base = (theta)}

static const struct bench_size SIZES[] = {
    {
        .name = "tiny",
        .dims = {.L = 2,
                 .H = 4,
                 .KV = 2,
                 .E = 32,
                 .F = 48,
                 ROTARY(8, 1e4),
                 .vocabulary = 60,
                 .positions = 64,
                 .epsilon = 1e-5F,
                 .activation = ACTIVATION_SILU,
                 .family = &family_llama,
                 .tied = true},
        .trained_points = 10,
        .pretrain_prompts = 4,
        .batch = 16,
        .few = 4,
        .tokens = 12,
        .map_prompts = 2,
        .read_bytes = (size_t)64 * MIB,
        .sgemm = 256,
        .sgemm_flops = 2e8,
    },
    {
        .name = "gpt2-small",
        .dims = {.L = 12,
                 .H = 12,
                 .E = 768,
                 .vocabulary = 50257,
                 .positions = 1024,
                 .epsilon = 1e-5F,
                 .family = &family_gpt2,
                 .tied = true},
        FULL_SIZE,
    },
    {
        .name = "smollm2-135m",
        .dims = {.L = 30,
                 .H = 9,
                 .KV = 3,
                 .E = 576,
                 .F = 1536,
                 ROTARY(64, 1e5),
                 .vocabulary = 49152,
                 .positions = 8192,
                 .epsilon = 1e-5F,
                 .activation = ACTIVATION_SILU,
                 .family = &family_llama,
                 .tied = true},
        FULL_SIZE,
    },
    {
        .name = "llama-3-8b",
        .dims = {.L = 2,
                 .H = 32,
                 .KV = 8,
                 .E = 4096,
                 .F = 14336,
                 ROTARY(128, 5e5),
                 .vocabulary = 128256,
                 .positions = 8192,
                 .epsilon = 1e-5F,
                 .activation = ACTIVATION_SILU,
                 .family = &family_llama,
                 .tied = true},
        .whole_layers = 32,
        FULL_SIZE,
    },
};
enum { SIZE_COUNT = sizeof SIZES / sizeof *SIZES };

static const struct bench_size *find(const char *word) {
    for (size_t i = 0; i < SIZE_COUNT; i++)
        if (strcmp(SIZES[i].name, word) == 0) return &SIZES[i];
    return NULL;
}

static enum err_code read_type(enum weight_type *out, const char *word, struct err *err) {
    static const enum weight_type TYPES[] = {WEIGHT_F32, WEIGHT_F16, WEIGHT_BF16};
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++)
        if (strcasecmp(word, bench_weights_type(TYPES[i])) == 0) {
            *out = TYPES[i];
            return ERR_OK;
        }
    return ERR(err, ERR_USAGE, "--dtype: expected f32, f16 or bf16, got \"%s\"", word);
}

/* The prompts of the other sizes, which must fit the positions of the model. */
static enum err_code from_folder(struct bench_size *out, const char *folder, struct err *err) {
    enum err_code rc = ERR_OK;
    struct hf_model m = {0};
    *out = (struct bench_size){.name = folder, .folder = folder, FULL_SIZE};
    TRY(hf_model_open(&m, folder, err));
    out->dims = m.config.dims;
    if (out->tokens + 1 >= out->dims.positions) out->tokens = out->dims.positions / 2;
    CHECK(out->tokens > 0, ERR_DATA, "%s: %zu positions are too few for a prompt and its query",
          folder, out->dims.positions);
cleanup:
    hf_model_close(&m);
    return rc;
}

static void take_layers(struct bench_size *z, size_t layers) {
    if (z->whole_layers == 0) z->whole_layers = z->dims.L;
    z->dims.L = layers;
}

enum err_code bench_text_size_read(struct bench_size *out, const struct bench_text_request *r,
                                   struct err *err) {
    enum err_code rc = ERR_OK;
    const char *word = r->size ? r->size : "smollm2-135m";
    if (r->folder) {
        CHECK(
            !r->size && !r->type && r->layers == 0, ERR_USAGE,
            "bench model %s: --size, --dtype and --layers are of random weights, without a folder",
            r->folder);
        return from_folder(out, r->folder, err);
    }
    const struct bench_size *named = find(word);
    CHECK(named, ERR_USAGE,
          "--size: expected tiny, gpt2-small, smollm2-135m or llama-3-8b, got \"%s\"", word);
    *out = *named;
    if (r->type) TRY(read_type(&out->type, r->type, err));
    if (r->layers > 0) take_layers(out, r->layers);
cleanup:
    return rc;
}
