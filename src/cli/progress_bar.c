#include "cli/progress_bar.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

static const double LOG_EVERY = 30.0; /* seconds */
enum { BAR_WIDTH = 24 };

void progress_bar_init(struct progress_bar *b, bool quiet) {
    *b = (struct progress_bar){
        .quiet = quiet, .terminal = isatty(STDERR_FILENO) != 0, .last_line = clock_now()};
}

void progress_bar_text(struct text *out, const struct farm_progress *p, int width) {
    const double share = p->fraction < 0.0 ? 0.0 : p->fraction > 1.0 ? 1.0 : p->fraction;
    if (width > 0) {
        text_add(out, "[");
        for (int i = 0; i < width; i++)
            text_add(out, "%c", i < (int)(share * (double)width) ? '#' : ' ');
        text_add(out, "] ");
    }
    text_add(out, "%.0f%%, %zu of %zu jobs done", 100.0 * share, p->done, p->jobs);
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
    (void)!write(STDERR_FILENO, text_str(&whole), whole.size);
    text_release(&whole);
    b->drawn = true;
}

void progress_bar_show(const struct farm_progress *p, void *bar) {
    struct progress_bar *b = bar;
    struct text line = {0};
    if (b->quiet) return;
    if (b->terminal) {
        progress_bar_text(&line, p, BAR_WIDTH);
        draw(b, &line);
    } else if (clock_now() - b->last_line >= LOG_EVERY) {
        progress_bar_text(&line, p, 0);
        (void)fprintf(stderr, "taskvec: %s\n", text_str(&line));
        b->last_line = clock_now();
    }
    text_release(&line);
}

void progress_bar_clear(struct progress_bar *b) {
    static const char clear[] = "\r\033[K";
    if (b->drawn) (void)!write(STDERR_FILENO, clear, sizeof clear - 1);
    b->drawn = false;
}
