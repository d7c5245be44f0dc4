/* The config.json of a Hugging Face folder: whatever is accepted has sizes that can be laid out. */
#include <math.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "model/hf/hf_config.h"

static void check_dims(const struct model_dims *d) {
    MUST(d->L > 0 && d->E > 0 && d->vocabulary > 0 && d->positions > 0);
    MUST(d->H > 0 && d->KV > 0 && d->H % d->KV == 0);
    MUST(d->D > 0 && d->F > 0 && d->epsilon > 0);
    MUST(d->rotary.dims <= d->D && d->rotary.dims % 2 == 0);
    if (d->rotary.dims == 0) return;
    MUST(isfinite(d->rotary.base) && d->rotary.base > 1);
    if (d->rotary.scaling != ROTARY_PLAIN) MUST(d->rotary.factor >= 1);
    if (d->rotary.scaling == ROTARY_LLAMA3)
        MUST(d->rotary.low < d->rotary.high && d->rotary.original > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct hf_config c;
    struct err err = {.msg = ""};
    if (hf_config_parse(&c, (const char *)data, size, "config.json", &err) != ERR_OK) {
        MUST(strncmp(err.msg, "config.json: ", 13) == 0 && !strchr(err.msg, '\n'));
        return 0;
    }
    check_dims(&c.dims);
    hf_config_release(&c);
    return 0;
}
