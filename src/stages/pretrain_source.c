#include "stages/pretrain_source.h"

#include "passes/train_step.h"
#include "sources/source_registry.h"

enum err_code pretrain_source_open(struct source **out, const struct pretrain_keys *k,
                                   const struct config_point *point, uint64_t seed,
                                   const char *split, size_t n, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct source_options o = {.seed = seed,
                                     .split = split,
                                     .asked = SOURCE_ALL,
                                     .next = true,
                                     .most_tokens = k->dims.positions};
    TRY(source_open(out, point, &o, err));
    TRY(source_reserve(*out, n, k->points, err));
cleanup:
    return rc;
}

enum err_code pretrain_source_status(const struct source *source, const struct pretrain_keys *k,
                                     struct err *err) {
    enum err_code rc = ERR_OK;
    const struct source_answers *text = source_info(source)->answers;
    TRY(source_status(source, err));
    CHECK(!text || text->drop || text->left_out == 0, ERR_DATA,
          "a prompt of %zu shots is longer than the model's %zu positions: raise model.positions, "
          "lower points, or set source.too_long = \"drop\"",
          k->points - 1, k->dims.positions);
cleanup:
    return rc;
}

enum err_code pretrain_source_draw(struct prompt_view *out, struct source *source,
                                   const struct pretrain_keys *k, int64_t step, struct err *err) {
    enum err_code rc = ERR_OK;
    const uint64_t first = (uint64_t)(step - 1) * k->batch;
    if (source_info(source)->functions) {
        *out = source_draw_active(source, first, k->batch, pretrain_active_points(k, step),
                                  pretrain_active_dims(k, step));
        return ERR_OK;
    }
    *out = source_draw(source, first, k->batch);
    TRY(pretrain_source_status(source, k, err));
    CHECK(out->n > 0, ERR_DATA,
          "step %lld: all %zu prompts are longer than the model's %zu positions: raise "
          "model.positions",
          (long long)step, k->batch, k->dims.positions);
cleanup:
    return rc;
}

enum err_code pretrain_source_measure(struct pretrain_prompt *out, struct source *source,
                                      const struct pretrain_keys *k, size_t n, struct err *err) {
    enum err_code rc = ERR_OK;
    *out = (struct pretrain_prompt){2 * (double)k->points, (double)k->points};
    if (source_info(source)->functions) return ERR_OK;
    const struct prompt_view v = source_draw(source, 0, n);
    TRY(pretrain_source_status(source, k, err));
    CHECK(v.n > 0, ERR_DATA,
          "all of %zu prompts are longer than the model's %zu positions: raise "
          "model.positions",
          n, k->dims.positions);
    out->tokens = (double)v.text.first[v.n] / (double)v.n;
    out->answers = (double)train_step_answers(&v) / (double)v.n;
cleanup:
    return rc;
}
