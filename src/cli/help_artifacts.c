#include "cli/help_artifacts.h"

#include "methods/method.h"
#include "stages/stage_tensors.h"

void help_artifacts(struct text *out) {
    text_add(out, "| stage | tensor | shape | content |\n|---|---|---|---|\n");
    for (size_t i = 0; i < stage_tensor_count(); i++) {
        const struct stage_tensor *t = stage_tensor_at(i);
        text_add(out, "| `%s` | `%s` | %s | %s |\n", t->stage, t->name, t->shape, t->meaning);
    }
    text_add(out, "\n| method | `weights` | vector | edits |\n|---|---|---|---|\n");
    for (size_t i = 0; i < method_count(); i++) {
        const struct method_docs *docs = &method_at(i)->docs;
        struct text vector = {0};
        for (const char *c = docs->vector; *c; c++) text_add(&vector, *c == '|' ? "\\|" : "%c", *c);
        if (vector.failed) out->failed = true;
        text_add(out, "| `%s` | %s | %s | %s |\n", method_at(i)->name, docs->weights,
                 text_str(&vector), docs->place);
        text_release(&vector);
    }
}
