#include "passes/function_basis.h"

enum err_code function_basis_create(struct function_basis *b,
                                    const struct function_basis_options *o, struct err *err) {
    enum err_code rc = ERR_OK;
    *b = (struct function_basis){.o = *o};
    if (!o->prompts) return ERR_OK;
    const struct model_dims *d = &o->setup->params->dims;
    TRY(source_reserve(o->prompts, o->chunk, o->T0, err));
    TRY(basis_set_create(&b->set, d, method_basis(o->setup), o->chunk, err));
    TRY(method_collector_create(&b->collector, o->setup, o->w, &(struct basis_size){.T0 = o->T0},
                                o->chunk, o->contexts, err));
    basis_collector_share(b->collector, o->share);
cleanup:
    return rc;
}

size_t function_basis_bytes(const struct method_setup *setup, const struct source *prompts,
                            size_t T0, size_t chunk, enum context_precision contexts) {
    return source_bytes(prompts, chunk, T0) +
           basis_set_bytes(&setup->params->dims, method_basis(setup), chunk) +
           method_collector_bytes(setup, &(struct basis_size){.T0 = T0}, chunk, contexts);
}

void function_basis_destroy(struct function_basis *b) {
    basis_set_destroy(&b->set);
    basis_collector_destroy(b->collector);
    source_close(b->o.prompts);
    *b = (struct function_basis){0};
}

struct basis function_basis_find(struct function_basis *b, struct prompt_view *prompts,
                                 size_t first, size_t n) {
    if (prompts) *prompts = (struct prompt_view){0};
    if (b->o.mean) return basis_set_view(b->o.mean, 0, 1);
    if (!b->collector) return (struct basis){0};
    const size_t from = method_basis_of(b->o.control, first, b->o.functions),
                 last = method_basis_of(b->o.control, first + n - 1, b->o.functions);
    const struct prompt_view view = source_draw(b->o.prompts, from, n);
    if (last < from) source_redraw(b->o.prompts, n - 1, last);
    basis_collector_run(&b->set, b->collector, b->o.setup->params, &view);
    if (prompts) *prompts = view;
    return basis_set_view(&b->set, 0, n);
}
