#include "par/message.h"

const char *failure_text(enum failure f) {
    static const char *const TEXT[] = {"error", "nan",  "oom",    "segv", "abort",
                                       "kill",  "exit", "signal", "hang", "lost"};
    return TEXT[f];
}
