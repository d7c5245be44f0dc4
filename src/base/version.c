#include "base/version.h"

#include "build_diff.h"
#include "build_info.h"

const char *version_number(void) { return BUILD_VERSION; }

const char *version_revision(void) { return BUILD_REVISION; }

bool version_is_dirty(void) { return BUILD_DIRTY; }

const char *version_diff_sum(void) { return BUILD_DIFF_SUM; }

const void *version_diff(size_t *size) {
    *size = sizeof BUILD_DIFF - 1;
    return BUILD_DIFF;
}

const char *version_compiler(void) { return BUILD_COMPILER; }

const char *version_flags(void) { return BUILD_FLAGS; }
