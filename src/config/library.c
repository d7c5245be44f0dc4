#include <libconfig.h>

#include "config/config.h"

void config_library(struct text *out) {
    text_add(out, "libconfig %d.%d.%d", LIBCONFIG_VER_MAJOR, LIBCONFIG_VER_MINOR,
             LIBCONFIG_VER_REVISION);
}
