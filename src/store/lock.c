#include "store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

static const double BEAT_EVERY = 5.0; /* seconds */
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

/* When a process started, in ticks since boot, so that a pid used again is not taken for it; 0 if
 * it is dead. It stands in field 22 of its stat, 20 after the parenthesis that ends its name. */
static unsigned long long born(long pid) {
    char path[64], stat[1024] = "";
    unsigned long long ticks = 0;
    (void)snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    const ssize_t n = read(fd, stat, sizeof stat - 1);
    close(fd);
    const char *at = n > 0 ? strrchr(stat, ')') : NULL;
    for (int field = 0; at && field < 20; field++) at = strchr(at + 1, ' ');
    if (at) ticks = strtoull(at, NULL, 10);
    return ticks;
}

static void describe(char out[CONTENT_MAX]) {
    char host[128], utc[32];
    const char *slurm = getenv("SLURM_JOB_ID");
    host_name(host);
    clock_utc(utc);
    (void)snprintf(out, CONTENT_MAX, "host %s\npid %ld\nborn %llu\nslurm %.60s\nstarted %s\n", host,
                   (long)getpid(), born(getpid()), slurm ? slurm : "-", utc);
}

static bool read_holder(struct lock_holder *out, unsigned long long *ticks, const char *path) {
    char content[CONTENT_MAX] = "";
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    const ssize_t n = read(fd, content, sizeof content - 1);
    close(fd);
    return n > 0 && sscanf(content, "host %127s\npid %ld\nborn %llu\nslurm %63s\nstarted %31s",
                           out->host, &out->pid, ticks, out->slurm, out->started) == 5;
}

/* Seconds since the heartbeat by the clock of the file system: a file touched beside it would be
 * exact, our own clock is near enough for a minute. */
static double silence(const char *path) {
    struct stat info;
    struct timespec now;
    if (stat(path, &info) != 0) return 0.0;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (double)(now.tv_sec - info.st_mtim.tv_sec) +
           1e-9 * (double)(now.tv_nsec - info.st_mtim.tv_nsec);
}

static bool holder_lives(const struct lock_holder *h, unsigned long long ticks) {
    char host[128];
    host_name(host);
    if (strcmp(host, h->host) == 0) return ticks != 0 && born(h->pid) == ticks;
    return h->silent < LOCK_STALE;
}

static void look_at(struct lock_holder *out, const char *path) {
    unsigned long long ticks = 0;
    *out = (struct lock_holder){0};
    if (!file_exists(path)) return;
    out->silent = silence(path);
    /* An unreadable lock is one being written: it counts as alive while it is young. */
    out->alive =
        read_holder(out, &ticks, path) ? holder_lives(out, ticks) : out->silent < LOCK_STALE;
}

void lock_look(struct lock_holder *out, const char *dir) {
    char path[FILE_PATH_MAX];
    *out = (struct lock_holder){0};
    if (path_in(path, dir, NULL) == ERR_OK) look_at(out, path);
}

/* File systems without hard links: the lock is there a moment before its content. */
static bool create_new(const char *path, const char *content) {
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) return false;
    const ssize_t n = write(fd, content, strlen(content));
    return close(fd) == 0 && n == (ssize_t)strlen(content);
}

/* The lock appears with its content, in one step: link() of a finished file fails if it exists. */
static enum err_code try_take(bool *taken, const char *path, struct err *err) {
    enum err_code rc = ERR_OK;
    char content[CONTENT_MAX], mine[FILE_PATH_MAX];
    describe(content);
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

/* Moves a stale lock aside; whoever moves it wins, and looks again at what was moved. */
static void remove_stale(const char *path) {
    char aside[FILE_PATH_MAX];
    struct lock_holder holder;
    if (file_temporary(aside, path, NULL) != ERR_OK || rename(path, aside) != 0) return;
    look_at(&holder, aside);
    if (holder.alive) (void)link(aside, path); /* it was not the stale one: put it back */
    (void)unlink(aside);
}

/* Is the file of this name the one we took? errno is 0 when it is another. */
static bool is_ours(const struct lock *l) {
    struct stat info;
    errno = 0;
    return stat(l->path, &info) == 0 && (unsigned long long)info.st_dev == l->disk &&
           (unsigned long long)info.st_ino == l->file;
}

static enum err_code know_ours(struct lock *l, struct err *err) {
    struct stat info;
    if (stat(l->path, &info) != 0)
        return ERR(err, ERR_IO, "%s: cannot look at it: %s", l->path, strerror(errno));
    l->disk = (unsigned long long)info.st_dev;
    l->file = (unsigned long long)info.st_ino;
    return ERR_OK;
}

enum err_code lock_take(struct lock *l, const char *dir, struct err *err) {
    enum err_code rc = ERR_OK;
    struct lock_holder holder = {0};
    *l = (struct lock){.last_beat = clock_now()};
    TRY(path_in(l->path, dir, err));
    for (int i = 0; i < TAKE_TRIES && !l->held; i++) {
        TRY(try_take(&l->held, l->path, err));
        if (l->held) break;
        look_at(&holder, l->path);
        CHECK(!holder.alive, ERR_CONFIG,
              "%s: in use by process %ld on %s (Slurm job %s, since %s): wait for it, or end it "
              "first",
              dir, holder.pid, holder.host, holder.slurm, holder.started);
        remove_stale(l->path);
    }
    CHECK(l->held, ERR_CONFIG, "%s: another run is just starting here", dir);
    TRY(know_ours(l, err));
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
