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

/* Of two limits, either of which may be 0 for none. */
static double lesser(double a, double b) {
    if (a <= 0.0 || b <= 0.0) return a > b ? a : b;
    return a < b ? a : b;
}

struct hierarchy { /* of control groups, as it is mounted */
    const char *folder, *limit, *used;
};

static const struct hierarchy VERSION_1 = {"/memory", "memory.limit_in_bytes",
                                           "memory.usage_in_bytes"};
static const struct hierarchy VERSION_2 = {"", "memory.max", "memory.current"};

/* The least room of the group `path` and of the groups above it. A container may not see its own
 * path, but then the top of what it sees is its own group. */
static double room_along(const char *root, const struct hierarchy *h, const char *path,
                         size_t size) {
    char limit[FILE_PATH_MAX], used[FILE_PATH_MAX];
    double least = 0.0;
    for (;;) {
        while (size > 0 && path[size - 1] == '/') size--;
        const int n = snprintf(limit, sizeof limit, "%s%s%.*s/%s", root, h->folder, (int)size, path,
                               h->limit);
        (void)snprintf(used, sizeof used, "%s%s%.*s/%s", root, h->folder, (int)size, path, h->used);
        const double left = n > 0 && (size_t)n < sizeof limit ? room(limit, used) : 0.0;
        least = lesser(least, left);
        if (size == 0) return least;
        while (size > 0 && path[size - 1] != '/') size--;
    }
}

/* Whether a list "cpu,memory" of a line of /proc/self/cgroup has the controller memory. */
static bool has_memory(const char *list, size_t size) {
    static const char name[] = "memory";
    for (const char *end = list + size; list < end;) {
        const size_t n = strcspn(list, ",:");
        if (n == sizeof name - 1 && strncmp(list, name, n) == 0) return true;
        list += n + 1;
    }
    return false;
}

/* The room that one line "NUMBER:CONTROLLERS:PATH" of size bytes leads to; version 2 names no
 * controllers. */
static double room_of_line(const char *root, const char *line, size_t size) {
    const char *end = line + size, *list = memchr(line, ':', size);
    const char *path = list ? memchr(list + 1, ':', (size_t)(end - list - 1)) : NULL;
    if (!path) return 0.0;
    const size_t names = (size_t)(path - list - 1), rest = (size_t)(end - path - 1);
    if (names == 0) return room_along(root, &VERSION_2, path + 1, rest);
    return has_memory(list + 1, names) ? room_along(root, &VERSION_1, path + 1, rest) : 0.0;
}

double memory_budget_cgroup(const char *groups, const char *root) {
    struct text lines = {0};
    struct err ignored = {0};
    double least = 0.0;
    if (file_read(&lines, groups, 1 << 20, &ignored) != ERR_OK) text_clear(&lines);
    for (const char *line = text_str(&lines); *line;) {
        const size_t size = strcspn(line, "\n");
        least = lesser(least, room_of_line(root, line, size));
        line += size + (line[size] == '\n');
    }
    text_release(&lines);
    return least;
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
    *out = (struct memory_limits){meminfo(),
                                  memory_budget_cgroup("/proc/self/cgroup", "/sys/fs/cgroup"),
                                  slurm(), ranks_here()};
}

size_t memory_budget_bytes(const struct memory_limits *m) {
    double least = lesser(m->available, lesser(m->cgroup, m->slurm));
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
