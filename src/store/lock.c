#include "store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

static const double BEAT_EVERY = 5.0, LOOK_EVERY = 0.25; /* seconds */
enum { TAKE_TRIES = 3, CONTENT_MAX = 1024 };

static enum err_code path_in(char out[FILE_PATH_MAX], const char *dir, struct err *err) {
    const int n = snprintf(out, FILE_PATH_MAX, "%s/lock", dir);
    if (n < 0 || n >= FILE_PATH_MAX) return ERR(err, ERR_IO, "%.200s...: path too long", dir);
    return ERR_OK;
}

static void host_name(char out[128]) {
    memset(out, 0, 128);
    if (gethostname(out, 127) != 0) (void)snprintf(out, 128, "unknown");
}

/* When a process started, in ticks since boot, so that a reused pid is not mistaken for it; 0 if it
 * is dead or a zombie (Z). It is field 22 of /proc/PID/stat, 20 fields after the parenthesis that
 * ends the name; the state is the first of these. */
static unsigned long long born(long pid) {
    char path[64], stat[1024] = "";
    unsigned long long ticks = 0;
    (void)snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    const ssize_t n = read(fd, stat, sizeof stat - 1);
    close(fd);
    const char *at = n > 0 ? strrchr(stat, ')') : NULL;
    if (at && strncmp(at, ") Z", 3) == 0) return 0;
    for (int field = 0; at && field < 20; field++) at = strchr(at + 1, ' ');
    if (at) ticks = strtoull(at, NULL, 10);
    return ticks;
}

static void describe_process(char out[CONTENT_MAX]) {
    char host[128], utc[32];
    const char *slurm = getenv("SLURM_JOB_ID");
    host_name(host);
    clock_utc(utc);
    (void)snprintf(out, CONTENT_MAX, "host %s\npid %ld\nborn %llu\nslurm %.60s\nstarted %s\n", host,
                   (long)getpid(), born(getpid()), slurm ? slurm : "-", utc);
}

/* False: unreadable, as while it is written. Opening it first makes NFS refresh its times. */
static bool read_holder(struct lock_holder *out, const char *path) {
    char content[CONTENT_MAX] = "";
    struct stat info;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    out->there = fd >= 0 ? fstat(fd, &info) == 0 : stat(path, &info) == 0;
    if (out->there) out->beat = info.st_mtim;
    if (fd < 0) return false;
    const ssize_t n = read(fd, content, sizeof content - 1);
    close(fd);
    return n > 0 && sscanf(content, "host %127s\npid %ld\nborn %llu\nslurm %63s\nstarted %31s",
                           out->host, &out->pid, &out->born, out->slurm, out->started) == 5;
}

static double seconds_of(struct timespec t) { return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec; }

static void look_at(struct lock_holder *out, const char *path) {
    char host[128];
    *out = (struct lock_holder){0};
    const bool readable = read_holder(out, path);
    if (!out->there) return;
    host_name(host);
    out->silent = clock_wall() - seconds_of(out->beat);
    out->elsewhere = !readable || strcmp(host, out->host) != 0;
    out->unreadable = !readable;
    if (out->unreadable) return;
    out->alive = out->elsewhere ? fabs(out->silent) < LOCK_STALE
                                : out->born != 0 && born(out->pid) == out->born;
}

/* False after a change of holder or a new heartbeat. */
static bool is_same_look(const struct lock_holder *a, const struct lock_holder *b) {
    return a->there == b->there && a->pid == b->pid && a->born == b->born &&
           strcmp(a->host, b->host) == 0 && a->beat.tv_sec == b->beat.tv_sec &&
           a->beat.tv_nsec == b->beat.tv_nsec;
}

void lock_look(struct lock_holder *out, const char *dir) {
    char path[FILE_PATH_MAX];
    *out = (struct lock_holder){0};
    if (path_in(path, dir, NULL) == ERR_OK) look_at(out, path);
}

void lock_look_again(struct lock_holder *out, struct lock_watch *watch, const char *dir) {
    lock_look(out, dir);
    if (watch->before.there && !is_same_look(&watch->before, out)) watch->moved = clock_now();
    watch->before = *out;
    if (!out->there || !out->elsewhere || out->unreadable || watch->moved == 0.0) return;
    out->silent = clock_now() - watch->moved;
    out->alive = out->silent < LOCK_STALE;
}

/* For file systems without hard links: the lock exists for a moment without its content. */
static bool create_new(const char *path, const char *content) {
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) return false;
    const ssize_t n = write(fd, content, strlen(content));
    return close(fd) == 0 && n == (ssize_t)strlen(content);
}

/* The lock appears with its content in one step: link() of a finished file fails if it exists. */
static enum err_code try_take(bool *taken, const char *path, struct err *err) {
    enum err_code rc = ERR_OK;
    char content[CONTENT_MAX], mine[FILE_PATH_MAX];
    describe_process(content);
    *taken = false;
    TRY(file_temporary(mine, path, err));
    TRY(file_replace(mine, content, strlen(content), err));
    *taken = link(mine, path) == 0;
    int why = errno;
    if (!*taken && why != EEXIST) *taken = create_new(path, content), why = errno;
    file_discard(mine);
    CHECK(*taken || why == EEXIST, ERR_IO, "%s: cannot take the lock: %s", path, strerror(why));
cleanup:
    return rc;
}

/* Moves a stale lock aside. Of several processes one moves it; what it moved may be a new lock. */
static void remove_stale(const char *path, const struct lock_holder *stale) {
    char aside[FILE_PATH_MAX];
    struct lock_holder moved;
    if (file_temporary(aside, path, NULL) != ERR_OK || rename(path, aside) != 0) return;
    look_at(&moved, aside);
    if (!is_same_look(&moved, stale)) (void)link(aside, path); /* not the stale one: put it back */
    (void)unlink(aside);
}

/* Whether the holder is alive. On this host its process is looked up. On another host its heartbeat
 * is watched until it changes or `grace` seconds are over by the local clock: the clocks of two
 * nodes, and of a file server, may be hours apart. */
static bool is_holder_alive(struct lock_holder *h, const char *path, double grace) {
    const double began = clock_now();
    struct lock_holder now = *h;
    if (!h->elsewhere) return h->alive;
    while (clock_now() - began < grace) {
        clock_sleep(LOOK_EVERY);
        look_at(&now, path);
        if (!is_same_look(h, &now)) break;
    }
    const bool moved = !is_same_look(h, &now);
    *h = now;
    return moved && now.there;
}

/* True if the lock file is the one that we created. errno is 0 when it is another one. */
static bool is_ours(const struct lock *l) {
    struct stat info;
    errno = 0;
    return stat(l->path, &info) == 0 && (unsigned long long)info.st_dev == l->disk &&
           (unsigned long long)info.st_ino == l->file;
}

static enum err_code remember_file(struct lock *l, struct err *err) {
    struct stat info;
    if (stat(l->path, &info) != 0)
        return ERR(err, ERR_IO, "%s: cannot read its status: %s", l->path, strerror(errno));
    l->disk = (unsigned long long)info.st_dev;
    l->file = (unsigned long long)info.st_ino;
    return ERR_OK;
}

enum err_code lock_take(struct lock *l, const char *dir, double grace, struct err *err) {
    enum err_code rc = ERR_OK;
    struct lock_holder holder = {0};
    *l = (struct lock){.last_beat = clock_now()};
    TRY(path_in(l->path, dir, err));
    for (int i = 0; i < TAKE_TRIES && !l->held; i++) {
        TRY(try_take(&l->held, l->path, err));
        if (l->held) break;
        look_at(&holder, l->path);
        CHECK(!holder.there || !is_holder_alive(&holder, l->path, grace), ERR_CONFIG,
              "%s: in use by process %ld on %s (Slurm job %s, since %s): wait for it, or end it "
              "first",
              dir, holder.pid, holder.host, holder.slurm, holder.started);
        if (holder.there) remove_stale(l->path, &holder);
    }
    CHECK(l->held, ERR_CONFIG, "%s: another run is just starting here: try again in a minute", dir);
    TRY(remember_file(l, err));
cleanup:
    return rc;
}

enum err_code lock_beat(struct lock *l, struct err *err) {
    if (!l->held || clock_now() - l->last_beat < BEAT_EVERY) return ERR_OK;
    l->last_beat = clock_now();
    if (is_ours(l) && utimensat(AT_FDCWD, l->path, NULL, 0) == 0) return ERR_OK;
    l->held = false;
    return ERR(err, ERR_IO, "%s: the lock of this run is gone (%s): somebody else removed it",
               l->path, errno ? strerror(errno) : "another run has taken its place");
}

void lock_release(struct lock *l) {
    if (l->held && is_ours(l)) (void)unlink(l->path);
    l->held = false;
}
