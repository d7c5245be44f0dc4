#include "stages/capture_prompts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sources/prompt_span.h"

static struct capture_prompts sizes_of(const struct source_info *info,
                                       const struct source_lengths *lengths, size_t points,
                                       enum capture_tokens which) {
    struct capture_prompts p = {.points = points,
                                .dims = info->inputs,
                                .which = which,
                                .each = capture_tokens_most(which, points, lengths->prompt)};
    if (info->functions) p.parameters = info->functions->parameters;
    if (info->answers) p.longest = lengths->prompt, p.answer = lengths->answer;
    return p;
}

size_t capture_prompts_numbers(const struct source_info *info, const struct source_lengths *lengths,
                               size_t points, enum capture_tokens which) {
    const struct capture_prompts p = sizes_of(info, lengths, points, which);
    if (info->answers) return p.longest + p.answer + p.each;
    return points * (p.dims + 1) + p.parameters + p.each;
}

static bool create_text(struct capture_prompts *p, size_t n) {
    p->ids = calloc(n * p->longest, sizeof *p->ids);
    p->answers = calloc(n * p->answer, sizeof *p->answers);
    p->writer = json_writer_begin(&p->questions);
    json_write_array(&p->writer);
    return p->ids && p->answers;
}

static bool create_numbers(struct capture_prompts *p, size_t n) {
    p->x = calloc(n * p->points * p->dims, sizeof *p->x);
    p->y = calloc(n * p->points, sizeof *p->y);
    p->functions = p->parameters > 0 ? calloc(n * p->parameters, sizeof *p->functions) : NULL;
    return p->x && p->y && (p->functions || p->parameters == 0);
}

enum err_code capture_prompts_create(struct capture_prompts *p, const struct source_info *info,
                                     const struct source_lengths *lengths, size_t n, size_t points,
                                     enum capture_tokens which, struct err *err) {
    *p = sizes_of(info, lengths, points, which);
    p->position = calloc(n * p->each, sizeof *p->position);
    if ((info->answers ? create_text(p, n) : create_numbers(p, n)) && p->position) return ERR_OK;
    return ERR(err, ERR_MEMORY, "no memory for %zu prompts", n);
}

void capture_prompts_destroy(struct capture_prompts *p) {
    free(p->x);
    free(p->y);
    free(p->functions);
    free(p->position);
    free(p->ids);
    free(p->answers);
    text_release(&p->questions);
    *p = (struct capture_prompts){0};
}

/* Token ids are below 2^24, so that floats are exact. */
static void put_ids(float *to, const uint32_t *ids, size_t n, size_t width) {
    for (size_t t = 0; t < width; t++) to[t] = t < n ? (float)ids[t] : -1;
}

static void put_positions(struct capture_prompts *p, size_t row, const struct prompt_view *v,
                          size_t i) {
    const size_t length = prompt_view_length(v, i);
    float *to = p->position + row * p->each;
    size_t n = 0;
    for (size_t t = 0; t < length; t++)
        if (capture_tokens_have(p->which, v, i, t)) to[n++] = (float)t;
    for (; n < p->each; n++) to[n] = -1;
}

static void write_question(struct json_writer *w, const struct source_question *q) {
    json_write_array(w);
    json_write_int(w, (int64_t)q->sample);
    json_write_text(w, q->x);
    json_write_text(w, q->y);
    json_write_close(w);
}

static void take_text(struct capture_prompts *p, size_t first, const struct source *source,
                      const struct prompt_view *v) {
    for (size_t i = 0; i < v->n; i++) {
        const struct source_question question = source_question(source, i);
        const size_t row = first + i, n = prompt_view_length(v, i);
        put_ids(p->ids + row * p->longest, prompt_view_ids(v, i), n, p->longest);
        put_ids(p->answers + row * p->answer, prompt_view_answer(v, i),
                prompt_view_answer_length(v, i), p->answer);
        put_positions(p, row, v, i);
        write_question(&p->writer, &question);
    }
}

static void take_numbers(struct capture_prompts *p, size_t first, const struct source *source,
                         const struct prompt_view *v) {
    const size_t all = v->n * p->points;
    memcpy(p->x + first * p->points * p->dims, v->x, all * p->dims * sizeof *p->x);
    memcpy(p->y + first * p->points, v->y, all * sizeof *p->y);
    if (p->functions)
        memcpy(p->functions + first * p->parameters, source_parameters(source),
               v->n * p->parameters * sizeof *p->functions);
    for (size_t i = 0; i < v->n; i++)
        p->position[first + i] =
            (float)prompt_span_tokens((struct prompt_span){.pairs = p->points - 1});
}

enum err_code capture_prompts_take(struct capture_prompts *p, size_t first,
                                   const struct source *source, const struct prompt_view *drawn,
                                   struct err *err) {
    if (p->ids)
        take_text(p, first, source, drawn);
    else
        take_numbers(p, first, source, drawn);
    return text_check(&p->questions, err);
}

static enum err_code write_notes(struct capture_prompts *p, struct job_ctx *ctx,
                                 const struct source_answers *of, struct err *err) {
    enum err_code rc = ERR_OK;
    char left_out[24], crossed[24];
    (void)snprintf(left_out, sizeof left_out, "%zu", of->left_out);
    (void)snprintf(crossed, sizeof crossed, "%zu", of->crossed);
    json_write_close(&p->writer);
    TRY(json_writer_end(&p->writer, err));
    TRY(job_note(ctx, "questions", text_str(&p->questions), err));
    TRY(job_note(ctx, "bos", of->bos, err));
    TRY(job_note(ctx, "prompts_left_out", left_out, err));
    TRY(job_note(ctx, "answers_crossed", crossed, err));
cleanup:
    return rc;
}

enum err_code capture_prompts_write(struct capture_prompts *p, struct job_ctx *ctx, size_t n,
                                    const struct source_info *info, struct err *err) {
    enum err_code rc = ERR_OK;
    const bool several = p->which != CAPTURE_QUERY;
    const struct job_tensor all[] = {{"x", 3, {n, p->points, p->dims}, p->x},
                                     {"y", 2, {n, p->points}, p->y},
                                     {"prompt_ids", 2, {n, p->longest}, p->ids},
                                     {"answer_ids", 2, {n, p->answer}, p->answers},
                                     {"position", several ? 2 : 1, {n, p->each}, p->position},
                                     {"function", 2, {n, p->parameters}, p->functions}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].data) TRY(job_tensor(ctx, &all[i], err));
    if (info->answers) TRY(write_notes(p, ctx, info->answers, err));
cleanup:
    return rc;
}
