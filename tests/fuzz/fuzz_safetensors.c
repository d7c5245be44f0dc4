/* A safetensors file: as any file of tensors, as a checkpoint of a job, and as a model. It is read
 * from the heap instead of a mapping (--wrap=mmap), so that ASan sees the first byte beyond it. */
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "model/checkpoint.h"
#include "store/artifact.h"
#include "tensorfile/tensorfile.h"

#define IDENTITY "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
enum { MOST = 1 << 16 }; /* numbers copied out of one tensor */

void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
int __wrap_munmap(void *at, size_t size);

void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset) {
    (void)at, (void)protection, (void)flags;
    unsigned char *copy = malloc(size);
    MUST(copy && pread(fd, copy, size, offset) == (ssize_t)size);
    return copy;
}

int __wrap_munmap(void *at, size_t size) {
    (void)size;
    free(at);
    return 0;
}

static unsigned sum_of(const void *data, size_t size) {
    const unsigned char *bytes = data;
    unsigned sum = 0;
    for (size_t i = 0; i < size; i++) sum += bytes[i];
    return sum;
}

static void read_tensor(const struct tensorfile *f, const struct tensor_info *t) {
    static float numbers[MOST];
    volatile unsigned sum = sum_of(t->data, t->elements * tensor_type_size(t->type));
    (void)sum;
    MUST(tensorfile_find(f, t->name));
    if (t->elements <= MOST) (void)tensorfile_floats(numbers, f, t->name, t->rank, t->shape, NULL);
}

static void read_file(const char *path) {
    struct tensorfile *f = NULL;
    const char *key, *value;
    struct err err = {.msg = ""};
    if (tensorfile_open(&f, path, &err) != ERR_OK) {
        MUST(strncmp(err.msg, path, strlen(path)) == 0 && !strchr(err.msg, '\n'));
        return;
    }
    for (size_t i = 0; i < tensorfile_count(f); i++) read_tensor(f, tensorfile_at(f, i));
    for (size_t i = 0; i < tensorfile_note_count(f); i++) {
        tensorfile_note_at(f, i, &key, &value);
        MUST(tensorfile_note(f, key));
        (void)strlen(value);
    }
    tensorfile_close(f);
}

static void read_checkpoint(void) {
    struct checkpoint c;
    struct checkpoint_hold *hold;
    if (checkpoint_read(&c, &hold, fuzz_folder(), IDENTITY, NULL) != ERR_OK) return;
    MUST(c.state && c.rows);
    checkpoint_close(hold);
}

static void read_model(const char *path) {
    struct model m = {0};
    if (model_open(&m, path, NULL) == ERR_OK) model_close(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char folder[FILE_PATH_MAX];
    (void)snprintf(folder, sizeof folder, "%s/checkpoints", fuzz_folder());
    MUST(file_make_folder(folder, NULL) == ERR_OK);
    const char *path = fuzz_file("checkpoints/" IDENTITY ".safetensors", data, size);
    read_file(path);
    read_checkpoint();
    read_model(path);
    return 0;
}
