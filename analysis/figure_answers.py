"""Draws evaluations on text for figure.py: the accuracy of each method on each task, with intervals.

A panel is a task, and the last one the mean over tasks; a line in it a method; a mark in the line a kind of prompts."""

import math

LOOKS = {"shots": ("#0072B2", "o"), "shuffled": ("#D55E00", "s"), "zero-shot": ("#009E73", "D")}


# ---- kinds of prompts


def prompt_kind(row):
    """(shots, whether labels are shuffled); without shots no label is shown."""
    return row["k"], row["k"] > 0 and row["shift"] != "none"


def sort_kinds(kinds):
    """The most shots first, true labels before shuffled ones, zero-shot prompts last."""
    return sorted(kinds, key=lambda kind: (kind[0] == 0, kind[1], -kind[0]))


def name_of_kind(kind):
    return f"{kind[0]}-shot{', shuffled labels' if kind[1] else ''}" if kind[0] else "zero-shot"


def look_of_kind(kind):
    return LOOKS["zero-shot" if kind[0] == 0 else "shuffled" if kind[1] else "shots"]


# ---- numbers


def accuracy_of(rows, tasks):
    """{(task, line, kind): (accuracy, low, high)}: repeats averaged, as the ends of their intervals over items."""
    groups = {}
    for row, task in zip(rows, tasks):
        groups.setdefault((task, row["line"], prompt_kind(row)), []).append(
            [row[column] for column in ("accuracy", "accuracy_low", "accuracy_high")])
    return {key: [sum(column) / len(values) for column in zip(*values)] for key, values in groups.items()}


def central_share(t, freedom):
    """P(|T| < t) of Student's T with integer degrees of freedom (Abramowitz and Stegun 26.7.3, 26.7.4)."""
    angle = math.atan(t / math.sqrt(freedom))
    odd = freedom % 2
    term, total = math.cos(angle) if odd else 1.0, 0.0
    for n in range(2 + odd, freedom + 1 + odd, 2):
        total += term
        term *= (n - 1) / n * math.cos(angle) ** 2
    return 2 / math.pi * (angle + math.sin(angle) * total) if odd else math.sin(angle) * total


def student_quantile(freedom, confidence=0.95):
    low, high = 0.0, 1e3
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if central_share(middle, freedom) < confidence else (low, middle)
    return low


def mean_over_tasks(accuracy):
    """{(line, kind): (mean, low, high)} of those that all tasks have, with Student's t over tasks."""
    tasks = {task for task, _, _ in accuracy}
    means = {}
    for line, kind in dict.fromkeys((line, kind) for _, line, kind in accuracy):
        values = [accuracy[task, line, kind][0] for task in tasks if (task, line, kind) in accuracy]
        n, mean = len(values), sum(values) / len(values)
        if n < max(2, len(tasks)):
            continue
        half = student_quantile(n - 1) * math.sqrt(sum((x - mean) ** 2 for x in values) / (n - 1) / n)
        means[line, kind] = mean, mean - half, mean + half
    return means


# ---- drawing


def draw_panel(axes, values, lines, kinds, title):
    """values: {(line, kind): (accuracy, low, high)}; lines from top to bottom."""
    handles = []
    for depth, kind in enumerate(kinds):
        colour, marker = look_of_kind(kind)
        shift = 0.22 * (depth - (len(kinds) - 1) / 2)
        found = [(at, values[line, kind]) for at, line in enumerate(lines) if (line, kind) in values]
        if not found:
            continue
        place = [at + shift for at, _ in found]
        mean = [value[0] for _, value in found]
        ends = [[max(0, value[0] - value[1]) for _, value in found], [max(0, value[2] - value[0]) for _, value in found]]
        handles.append(axes.errorbar(mean, place, xerr=ends, color=colour, marker=marker, markersize=3.5, linestyle="none",
                                     elinewidth=1.1, label=name_of_kind(kind)))
    for kind in kinds:  # what the plain model reaches
        for line in lines:
            if line[0] == "plain" and (line, kind) in values:
                axes.axvline(values[line, kind][0], color=look_of_kind(kind)[0], linewidth=0.8, alpha=0.5, zorder=0)
    axes.set_xlim(-0.03, 1.03)
    axes.set_ylim(len(lines) - 0.4, -0.6)
    axes.set_title(title, loc="left", fontsize=9.5)
    axes.grid(True, axis="x", color="0.9", linewidth=0.7)
    return handles


def draw_answers(rows, tasks, labels, title=None):
    """A figure of rows with the keys line, k, shift, accuracy and its interval; tasks[i]: the panel of row i; labels:
    {line: text}, from top to bottom."""
    import matplotlib.pyplot as plt
    accuracy = accuracy_of(rows, tasks)
    panels = [(task, {key[1:]: value for key, value in accuracy.items() if key[0] == task}) for task in dict.fromkeys(tasks)]
    if len(panels) > 1:
        panels.append((f"mean over {len(panels)} tasks", mean_over_tasks(accuracy)))
    lines, kinds = list(labels), sort_kinds({kind for _, _, kind in accuracy})
    columns = min(5, len(panels))
    height = -(-len(panels) // columns)
    plt.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False})
    figure, axes = plt.subplots(height, columns, squeeze=False, sharex=True, sharey=True, layout="constrained",
                                figsize=(2.3 * columns + 1.8, (0.24 * len(lines) + 0.45) * height + 0.7))
    handles = {}
    for at, (name, values) in zip(axes.flat, panels):
        for handle in draw_panel(at, values, lines, kinds, name):
            handles.setdefault(handle.get_label(), handle)
    for spare in list(axes.flat)[len(panels):]:
        spare.axis("off")
    for row in axes:
        row[0].set_yticks(range(len(lines)), [labels[line] for line in lines])
    if title:
        figure.suptitle(title)
    below = 0.35 / figure.get_figheight()  # a line below the panels
    figure.get_layout_engine().set(rect=(0, below, 1, 1 - below))
    figure.text(0.01, 0.3 * below, "accuracy: share of test items whose whole answer is the most likely", fontsize=9)
    figure.legend(handles=list(handles.values()), loc="lower right", ncol=len(handles), frameon=False, fontsize=9)
    return figure
