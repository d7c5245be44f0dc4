#include "base/version.h"

#include "build_info.h"

const char *version_number(void) { return BUILD_VERSION; }

const char *version_revision(void) { return BUILD_REVISION; }

bool version_is_dirty(void) { return BUILD_DIRTY; }

const char *version_compiler(void) { return BUILD_COMPILER; }

const char *version_flags(void) { return BUILD_FLAGS; }
