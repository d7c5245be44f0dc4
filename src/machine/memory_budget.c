#include "machine/memory_budget.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

static const double KIB = 1024.0, MIB = 1024.0 * 1024.0, GIB = 1024.0 * 1024.0 * 1024.0;

static double environment(const char *name) {
    const char *text = getenv(name);
    const double value = text ? strtod(text, NULL) : 0.0;
    return value > 0.0 ? value : 0.0;
}

static double meminfo(void) {
    struct text info = {0};
    struct err ignored = {0};
    double bytes = 0.0;
    if (file_read(&info, "/proc/meminfo", 1 << 20, &ignored) == ERR_OK) {
        const char *line = strstr(text_str(&info), "MemAvailable:");
        if (line) bytes = KIB * strtod(line + strlen("MemAvailable:"), NULL);
    }
    text_release(&info);
    return bytes;
}

/* A number in a file; 0 for "max", other text or no file. */
static double number_in(const char *path) {
    struct text content = {0};
    struct err ignored = {0};
    double value = 0.0;
    if (file_read(&content, path, 4096, &ignored) == ERR_OK)
        value = strtod(text_str(&content), NULL);
    text_release(&content);
    return value > 0.0 ? value : 0.0;
}

static double room(const char *limit, const char *used) {
    const double most = number_in(limit);
    if (most <= 0.0 || most > 1e15) return 0.0; /* "no limit" of cgroup v1 is a huge number */
    const double left = most - number_in(used);
    return left > MIB ? left : MIB;
}

/* The group of the process itself, as a container shows it: cgroup version 2, else version 1. */
static double cgroup(void) {
    const double v2 = room("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current");
    if (v2 > 0.0) return v2;
    return room("/sys/fs/cgroup/memory/memory.limit_in_bytes",
                "/sys/fs/cgroup/memory/memory.usage_in_bytes");
}

static double slurm(void) {
    const double per_node = environment("SLURM_MEM_PER_NODE"); /* MiB, both */
    if (per_node > 0.0) return per_node * MIB;
    const double cpus = environment("SLURM_CPUS_ON_NODE");
    return environment("SLURM_MEM_PER_CPU") * MIB * (cpus > 0.0 ? cpus : 1.0);
}

static int ranks_here(void) {
    double n = environment("OMPI_COMM_WORLD_LOCAL_SIZE");
    if (n < 1.0) n = environment("SLURM_TASKS_PER_NODE"); /* "4(x2)": the first number */
    return n >= 1.0 ? (int)n : 1;
}

void memory_budget_look(struct memory_limits *out) {
    *out = (struct memory_limits){meminfo(), cgroup(), slurm(), ranks_here()};
}

size_t memory_budget_bytes(const struct memory_limits *m) {
    const double limits[] = {m->available, m->cgroup, m->slurm};
    double least = 0.0;
    for (size_t i = 0; i < 3; i++)
        if (limits[i] > 0.0 && (least <= 0.0 || limits[i] < least)) least = limits[i];
    if (least <= 0.0) least = GIB;
    return (size_t)(0.8 * least / (double)(m->ranks > 0 ? m->ranks : 1));
}

void memory_budget_text(struct text *out, double bytes) {
    if (bytes >= GIB)
        text_add(out, "%.1f GiB", bytes / GIB);
    else if (bytes >= MIB)
        text_add(out, "%.0f MiB", bytes / MIB);
    else
        text_add(out, "%.0f KiB", bytes / KIB);
}
