#include "tensorfile/mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct file_stamp mapping_stamp(const struct stat *info) {
    return (struct file_stamp){.device = (uint64_t)info->st_dev,
                               .inode = (uint64_t)info->st_ino,
                               .size = (uint64_t)info->st_size,
                               .written = (int64_t)info->st_mtim.tv_sec * 1000000000 +
                                          info->st_mtim.tv_nsec};
}

enum err_code mapping_open(struct mapping *m, const char *path, struct err *err) {
    enum err_code rc = ERR_OK;
    struct stat info;
    /* NONBLOCK: open() of a pipe given by mistake must not block; it is refused below. */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    CHECK(fd >= 0, ERR_DATA, "%s: cannot open: %s (check the path)", path, strerror(errno));
    CHECK(fstat(fd, &info) == 0, ERR_DATA, "%s: cannot read its properties: %s", path,
          strerror(errno));
    CHECK(S_ISREG(info.st_mode), ERR_DATA, "%s: not a regular file", path);
    CHECK(info.st_size > 0, ERR_DATA, "%s: the file is empty", path);
    m->size = (size_t)info.st_size;
    void *data = mmap(NULL, m->size, PROT_READ, MAP_SHARED, fd, 0);
    CHECK(data != MAP_FAILED, ERR_SYSTEM, "%s: cannot map %zu bytes: %s", path, m->size,
          strerror(errno));
    m->data = data;
    m->stamp = mapping_stamp(&info);
cleanup:
    if (fd >= 0) close(fd);
    return rc;
}

void mapping_close(struct mapping *m) {
    union {
        const unsigned char *in;
        void *out; /* munmap takes a pointer without const */
    } data = {m->data};
    if (m->data) (void)munmap(data.out, m->size);
    *m = (struct mapping){0};
}
