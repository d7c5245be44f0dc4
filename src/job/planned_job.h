/*
 * planned_job.h - one job of a plan: the struct that plan, scheduler, farm and tables share.
 *
 * The plan (run/plan) makes the jobs and owns them, in an array in which parents come first; all
 * others hold pointers into that array.  What a journal records of a job is struct history_job
 * (journal/history.h), its state now is struct run_state_job (run/rundir/run_state.h).
 */
#ifndef JOB_PLANNED_JOB_H
#define JOB_PLANNED_JOB_H

#include <stdbool.h>
#include <stddef.h>

#include "base/hash.h"

struct config_point;

enum { JOB_PARENTS = 64, JOB_LABEL = 96 };

/* The work of one job by kinds, each of which a machine does at a speed of its own; calibration.h
 * turns it into seconds. */
struct job_load {
    double contexts;  /* operations that make contexts, before anything reads them */
    double queries;   /* operations of queries on contexts, forward and backward */
    double read;      /* bytes of contexts that queries read from memory */
    double training;  /* operations of updates of a whole model */
    double estimates; /* operations of estimators */
    double width;     /* E of the model: narrow models reach less of a machine's speed; 0: none */
};

/* What one job takes, as predicted by its stage before it runs. */
struct job_cost {
    double flops; /* useful arithmetic: job_load_flops(); orders the jobs */
    struct job_load load;
    double memory;       /* bytes at its peak when everything fits the budget */
    double memory_least; /* bytes below which the job cannot run at all */
    double mapped;       /* bytes of a language model's files, which the ranks of a node share */
    double shared; /* operations, part of load.contexts: contexts that jobs of one key share */
    double context_bytes; /* of these contexts */
    bool keeps_contexts;  /* it needs all of them at once: they are part of `memory` */
    char context_of[48];  /* what its contexts depend on besides model, seed and the stage's
                             context_keys; "": none are shared */
    int group;            /* ranks it wants; it gets fewer when there are fewer */
    bool checkpoints;     /* it writes them while it runs, and when it is asked to stop */
    size_t prompts, left_out, crossed; /* of text: how many it draws, how many of them are too long
                                          for the model, and how many have an answer with other
                                          tokens alone than after its query; 0: not counted */
    double work;                       /* all it does, in `unit`: for rates */
    const char *unit;                  /* "tokens", "prompts": static */
    char summary[96];                  /* "6000 prompts x 41 points, contexts 1.5 GB": for people */
};

/* All operations together, whatever their kind. */
static inline double job_load_flops(const struct job_load *l) {
    return l->contexts + l->queries + l->training + l->estimates;
}

struct planned_job {
    char identity[HASH_HEX];          /* hash of all that its result depends on */
    char contexts[HASH_HEX];          /* hash of all that its contexts depend on: jobs of one key
                                         share them; "": it shares none */
    char label[JOB_LABEL];            /* its stage's name and its number there: "fit[3]" */
    size_t stage;                     /* index of the stage in the config */
    const struct config_point *point; /* its resolved keys; the config owns them */
    const char *control;              /* evaluate: the method of `also` it is for, or NULL */
    size_t parents[JOB_PARENTS]; /* jobs it reads: the one of `of`, then the model that one read;
                                    of a choice, all its candidates */
    size_t n_parents;
    struct job_cost cost;
};

#endif
