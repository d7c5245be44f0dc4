/*
 * memory_budget.h - how many bytes a rank may use, by the limits of the node. The memory that a job
 * is predicted to need is computed elsewhere, by plan() of its stage (struct job_cost).
 */
#ifndef MACHINE_MEMORY_BUDGET_H
#define MACHINE_MEMORY_BUDGET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

struct memory_limits { /* bytes for the whole node; 0: not known */
    double available;  /* MemAvailable of /proc/meminfo */
    double cgroup;     /* memory_budget_cgroup() of this process */
    double slurm;      /* SLURM_MEM_PER_NODE, or SLURM_MEM_PER_CPU times the CPUs of the node */
    int ranks;         /* of this run on this node, at least 1 */
};

/* The least limit, less what is used, of the memory control group of a process and of the groups
 * above it, version 1 and 2; 0: none. groups: its /proc/PID/cgroup; root: where control groups are
 * mounted, /sys/fs/cgroup. */
double memory_budget_cgroup(const char *groups, const char *root);

/* Reads the limits that hold now. */
void memory_budget_look(struct memory_limits *out);

/* 80% of the least known limit, divided by the ranks of the node; 1 GiB when none is known. */
size_t memory_budget_bytes(const struct memory_limits *m);

void memory_budget_text(struct text *out, double bytes); /* "3.2 GiB" */

#endif
