#include "cli/progress_bar.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "par/launcher.h"

/* Seconds: the first line in a log, and the longest time between two. */
static const double FIRST_LINE = 1.0, LINE_RAREST = 300.0;
enum { BAR_WIDTH = 24 };

enum err_code progress_form_read(enum progress_form *form, const char *word, bool quiet,
                                 struct err *err) {
    static const char *const WORDS[] = {"auto", "bar", "lines", "none"}; /* enum progress_form */
    *form = quiet ? PROGRESS_NONE : PROGRESS_AUTO;
    if (!word) return ERR_OK;
    for (int i = 0; i < 4; i++)
        if (strcmp(word, WORDS[i]) == 0) {
            *form = (enum progress_form)i;
            return ERR_OK;
        }
    return ERR(err, ERR_USAGE, "--progress %s: expected auto, bar, lines or none", word);
}

void progress_bar_init(struct progress_bar *b, enum progress_form form, double began) {
    *b = (struct progress_bar){
        .form = form, .fd = STDERR_FILENO, .began = began, .next_line = began + FIRST_LINE};
    if (form != PROGRESS_AUTO && form != PROGRESS_BAR) return;
    bool terminal = isatty(STDERR_FILENO) != 0;
    const int launcher = terminal ? -1 : launcher_terminal();
    if (launcher >= 0) {
        b->fd = launcher;
        terminal = true;
        /* A process in the background of a terminal with `stty tostop` would be stopped. */
        (void)signal(SIGTTOU, SIG_IGN);
    }
    if (form == PROGRESS_AUTO) b->form = terminal ? PROGRESS_BAR : PROGRESS_LINES;
}

void progress_bar_release(struct progress_bar *b) {
    if (b->fd > STDERR_FILENO) (void)close(b->fd);
    b->fd = STDERR_FILENO;
}

double progress_next_line(double seconds) {
    const double wait = seconds < FIRST_LINE ? FIRST_LINE : seconds;
    return seconds + (wait < LINE_RAREST ? wait : LINE_RAREST);
}

void progress_bar_text(struct text *out, const struct farm_progress *p, int width) {
    const double share = p->fraction < 0.0 ? 0.0 : p->fraction > 1.0 ? 1.0 : p->fraction;
    if (width > 0) {
        text_add(out, "[");
        for (int i = 0; i < width; i++)
            text_add(out, "%c", i < (int)(share * (double)width) ? '#' : ' ');
        text_add(out, "] ");
    }
    text_add(out, "%.0f%%, %zu of %zu job%s done", 100.0 * share, p->done, p->jobs,
             text_plural(p->jobs));
    if (p->running) text_add(out, ", %zu running", p->running);
    if (p->failed) text_add(out, ", %zu failed", p->failed);
    if (p->blocked) text_add(out, ", %zu blocked", p->blocked);
    if (p->eta >= 0.0) {
        char span[32];
        clock_span(span, p->eta);
        text_add(out, ", %s to go", span);
    }
}

static void draw(struct progress_bar *b, const struct text *line) {
    struct text whole = {0};
    text_add(&whole, "\r%s\033[K", text_str(line));
    (void)!write(b->fd, text_str(&whole), whole.size);
    text_release(&whole);
    b->drawn = true;
}

void progress_bar_show(const struct farm_progress *p, void *bar) {
    struct progress_bar *b = bar;
    struct text line = {0};
    const double now = clock_now();
    if (b->form == PROGRESS_BAR) {
        progress_bar_text(&line, p, BAR_WIDTH);
        draw(b, &line);
    } else if (b->form == PROGRESS_LINES && now >= b->next_line) {
        progress_bar_text(&line, p, 0);
        (void)fprintf(stderr, "taskvec: %s\n", text_str(&line));
        b->next_line = b->began + progress_next_line(now - b->began);
    }
    text_release(&line);
}

void progress_bar_clear(struct progress_bar *b) {
    static const char clear[] = "\r\033[K";
    if (b->drawn) (void)!write(b->fd, clear, sizeof clear - 1);
    b->drawn = false;
}
