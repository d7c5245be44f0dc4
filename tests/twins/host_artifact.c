/* A file of its own, so that tests of folders below tensorfile can link the rest of host_twin. */
#include "tensorfile/tensorfile.h"
#include "twins/host_twin.h"

static enum err_code add_all(struct tensor_writer *w, const struct host_twin *h, struct err *err) {
    enum err_code rc = ERR_OK;
    for (size_t i = 0; i < host_twin_tensors(h); i++) {
        const struct job_tensor *t = host_twin_tensor_at(h, i);
        TRY(tensor_writer_add(w, t->name, t->rank, t->shape, t->data, err));
    }
    for (size_t i = 0; i < host_twin_notes(h); i++) {
        const char *key, *value;
        host_twin_note_at(h, i, &key, &value);
        TRY(tensor_writer_note(w, key, value, err));
    }
cleanup:
    return rc;
}

enum err_code host_twin_save(const struct host_twin *h, const char *path, struct err *err) {
    enum err_code rc = ERR_OK;
    struct tensor_writer *w = NULL;
    TRY(tensor_writer_create(&w, err));
    TRY(add_all(w, h, err));
    TRY(tensor_writer_save(w, path, err));
cleanup:
    tensor_writer_destroy(w);
    return rc;
}
