#include "model/hf/hf_folder.h"

#include <stdbool.h>
#include <stdio.h>

#include "base/file.h"
#include "tensorfile/tensor_set.h"

static bool holds(const char *folder, const char *name) {
    char path[FILE_PATH_MAX];
    (void)snprintf(path, sizeof path, "%.3800s/%.200s", folder, name);
    return file_exists(path);
}

static enum err_code check_weights(const char *folder, struct err *err) {
    static const char *const PICKLED[] = {"pytorch_model.bin", "pytorch_model.bin.index.json"};
    if (holds(folder, TENSOR_SET_SINGLE) || holds(folder, TENSOR_SET_INDEX)) return ERR_OK;
    for (size_t i = 0; i < sizeof PICKLED / sizeof *PICKLED; i++)
        if (holds(folder, PICKLED[i]))
            return ERR(err, ERR_DATA,
                       "%.300s: holds %s, which is not read: convert it by python3 "
                       "analysis/to_safetensors.py %.300s",
                       folder, PICKLED[i], folder);
    return ERR(err, ERR_DATA,
               "%s: holds neither " TENSOR_SET_SINGLE " nor " TENSOR_SET_INDEX
               ": a model is a folder with one of them and config.json",
               folder);
}

static enum err_code check_tokenizer(const char *folder, struct err *err) {
    if (!holds(folder, "tokenizer.model") || holds(folder, "tokenizer.json") ||
        holds(folder, "vocab.json"))
        return ERR_OK;
    return ERR(err, ERR_DATA,
               "%.300s: holds tokenizer.model alone, which is not read: write tokenizer.json by "
               "python3 analysis/to_safetensors.py --tokenizer %.300s",
               folder, folder);
}

enum err_code hf_folder_check(const char *folder, struct err *err) {
    enum err_code rc = ERR_OK;
    CHECK(file_is_folder(folder), ERR_DATA,
          "%s: not a folder: a model is a folder with config.json and " TENSOR_SET_SINGLE, folder);
    TRY(check_weights(folder, err));
    TRY(check_tokenizer(folder, err));
cleanup:
    return rc;
}
