#include "par/launcher.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COMMAND_MOST = 1 << 16 }; /* bytes of a launcher's command */

static FILE *open_parent(const char *file) {
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%ld/%s", (long)getppid(), file);
    return fopen(path, "re");
}

static const char *base_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The words of the parent's command, each ended by a zero byte, and their size; 0 if it is no
 * launcher. */
static size_t read_command(char words[COMMAND_MOST]) {
    static const char *const LAUNCHERS[] = {"mpirun", "mpiexec", "orterun", "prterun"};
    FILE *file = open_parent("cmdline");
    if (!file) return 0;
    const size_t size = fread(words, 1, COMMAND_MOST - 1, file);
    (void)fclose(file);
    words[size] = '\0';
    for (size_t i = 0; i < sizeof LAUNCHERS / sizeof *LAUNCHERS; i++)
        if (strcmp(base_of(words), LAUNCHERS[i]) == 0) return size;
    return 0;
}

int launcher_terminal(void) {
    char words[COMMAND_MOST], path[64];
    struct stat own;
    if (fstat(STDERR_FILENO, &own) != 0 || !S_ISFIFO(own.st_mode)) return -1;
    if (read_command(words) == 0) return -1;
    (void)snprintf(path, sizeof path, "/proc/%ld/fd/%d", (long)getppid(), STDERR_FILENO);
    /* Not blocking: a pipe or FIFO of the launcher must not be waited for. */
    const int fd = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0 && !isatty(fd)) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static void add_word(struct text *out, const char *word) {
    static const char PLAIN[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_./=:,@%+-";
    if (out->size > 0) text_add(out, " ");
    if (*word && word[strspn(word, PLAIN)] == '\0') {
        text_add(out, "%s", word);
        return;
    }
    text_add(out, "'");
    for (; *word; word++) {
        if (*word == '\'')
            text_add(out, "'\\''");
        else
            text_add(out, "%c", *word);
    }
    text_add(out, "'");
}

void launcher_command(struct text *out, char *const *argv, int ranks) {
    char words[COMMAND_MOST];
    struct text command = {0};
    const size_t size = read_command(words);
    for (size_t i = 0; i < size; i += strlen(words + i) + 1) add_word(&command, words + i);
    for (size_t i = 0; size == 0 && argv[i]; i++) add_word(&command, argv[i]);
    text_add(out, "%s", text_str(&command));
    if (size == 0 && ranks > 1) text_add(out, " (on %d ranks)", ranks);
    text_release(&command);
}
