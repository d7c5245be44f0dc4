#!/usr/bin/env python3
"""Draw curves from the results of taskvec runs, given as folders or as their results.h5.

  --curve error     the error against the number of examples seen: a line for each method, for each fit that differs
                    in a key, and for each estimator; a panel for each run and each setting, such as a shift (default)
  --curve answers   the accuracy of evaluations on text (their default): a panel for each task and for the mean over tasks, a
                    line for each method, a mark for each kind of prompts
  --curve fit       the validation loss of every fit against the epoch
  --curve pretrain  the loss of every pretraining against the step: of its batches, and dashed on held-out prompts where
                    it has validation.every"""

import argparse
import sys
import warnings
import zlib

from figure_answers import draw_answers
from figure_data import (HIDDEN, LINE, SETTING, USUAL, Run, answer_rows, choose_methods, choose_where, error_panels, fail,
                         import_libraries, lines_of, loss_curves, value_by)

DASHES = (0, (6, 1.5, 1, 1.5))  # of all estimators
# One look for each method and estimator, whatever else is drawn; no two are the same.
LOOKS = {
    "plain": ("black", "-"),
    "zero": ("0.55", (0, (1, 1.5))),
    "window": ("#009E73", "--"),
    "oracle": ("#56B4E9", ":"),
    "random": ("0.45", "-."),
    "mismatched": ("#CC6677", "--"),
    "ltv": ("#0072B2", "-"),
    "constant": ("#D55E00", "-"),
    "bias_only": ("#CC79A7", "-."),
    "fv": ("#8C8C00", "-"),
    "icv": ("#7B5EA7", (0, (3, 1.5))),
    "task_vector": ("#E69F00", "-"),
    "state_vector": ("#882255", "-"),
    "linear_vector": ("#117733", "-"),
    "learned_vector": ("#44AA99", "-"),
    "site": ("#AA4499", "-"),
    "loreft": ("#332288", "-"),
    "least_squares": ("#8C510A", DASHES),
    "ridge": ("#BF812D", DASHES),
    "lasso": ("#01665E", DASHES),
    "knn": ("#35978F", DASHES),
    "averaging": ("#6A3D9A", DASHES),
    "two_layer_net": ("#B15928", DASHES),
    "cart": ("#5AAE61", DASHES),
    "xgboost": ("#E7298A", DASHES),
}
OTHER_COLOURS = ["#1F78B4", "#B2DF8A", "#FB9A99", "#FDBF6F", "#CAB2D6", "#A6761D", "#666666", "#E41A1C"]
OTHER_STYLES = [(0, (8, 2)), (0, (2, 1)), (0, (5, 1, 1, 1, 1, 1))]
MARKERS = [("", "full")] + [(shape, fill) for fill in ("full", "none") for shape in "os^DvPX*<>p"]
NAMES = {"plain": "plain model", "ltv": "LTV", "fv": "FV", "icv": "ICV", "bias_only": "bias only",
         "least_squares": "least squares", "knn": "nearest examples", "two_layer_net": "two-layer net", "cart": "tree"}
ORDER = ["plain", "ltv", "constant", "bias_only", "window", "oracle", "least_squares"]
CONTROLS = ["constant", "bias_only", "random", "mismatched"]  # the lowest lines of a panel of text


# ---- labels and looks


def number_text(value):
    return f"{value:g}" if isinstance(value, float) else str(value)


def short_name(column, columns):
    """The shortest ending of a column name that no other column shares: "lr" for fit_optimiser_lr."""
    words = column.split("_")
    for n in range(1, len(words)):
        end = "_".join(words[-n:])
        if sum(other == end or other.endswith("_" + end) for other in columns) == 1:
            return end
    return column


def labels_of(lines):
    """What tells the lines apart: the variant of a method, and the keys in which its lines differ."""
    columns = list(dict.fromkeys(c for line in lines for c, _ in line[3]))
    labels = {}
    for line in lines:
        same = [other for other in lines if other[0] == line[0]]
        label = NAMES.get(line[0], line[0])
        if line[1] and line[1] != "-" and (line[0] == "ltv" or len({other[1] for other in same}) > 1):
            label += f", {line[1]}"
        if line[2] and len({other[2] for other in lines if other[2]}) > 1:
            label += f" (fit at {line[2]})"
        for column, value in line[3]:
            if len({dict(other[3]).get(column) for other in same}) > 1:
                label += f", {short_name(column, columns)} = {number_text(value)}"
        labels[line] = label
    return labels


def title_of(setting, panels, rows, fits):
    """What tells the panel from others; of a single panel its source, shift and number of functions."""
    differ = [c for c in ("run", "table") if len({p[c] for p, _ in panels}) > 1]
    words = [str(setting[c]) for c in differ]
    words.append(f"{str(setting['source']).replace('_', ' ')} functions")
    words += [str(setting["shift"]).replace("_", " ")] if setting["shift"] != "none" else []
    words += [f"{c} {setting[c]}" for c in ("dummies", "wpe_seed") if setting[c] != USUAL[c]]
    words += [f"{c} = {number_text(v)}" for c, v in setting.items() if c not in SETTING]
    if len(panels) == 1:
        words[-1] += f", {max(row['functions'] for row in rows)} per k"
        words += [f"fits at {fits.pop()} points"] if len(fits) == 1 else []
    return ", ".join(words)


def look_of(method):
    """Colour and line style. A method that LOOKS lacks gets one that is in none of its lines."""
    if method in LOOKS:
        return LOOKS[method]
    number = zlib.crc32(method.encode())
    return OTHER_COLOURS[number % len(OTHER_COLOURS)], OTHER_STYLES[number // 8 % len(OTHER_STYLES)]


def marker_of(number):
    shape, fill = MARKERS[number % len(MARKERS)]
    return dict(marker=shape, fillstyle=fill)


def without(line, by):
    """The line without its value of --by (and without the job of a pretraining): such lines have one marker."""
    return (*line[:2], None if by == "fit_points" else line[2], tuple(p for p in line[3] if p[0] not in (by, "job")))


def looks_of(lines, by, values):
    """Colour and style of a method; lines of one method differ in markers.

    With --by the colours are those of the key's values, and all lines of one value differ in markers."""
    import matplotlib
    looks = {}
    others = list(dict.fromkeys(without(line, by) for line in lines if by and value_by(line, by) is not None))
    for line in lines:
        colour, style = look_of(line[0])
        same = [other for other in lines if other[0] == line[0]]
        marker = marker_of(same.index(line))
        value = value_by(line, by) if by else None
        if value is not None:
            colour = matplotlib.colormaps["viridis"](0.9 * values.index(value) / max(1, len(values) - 1))
            marker = marker_of(others.index(without(line, by)))
        looks[line] = dict(color=colour, linestyle=style, **marker, markersize=4, markevery=0.1,
                           linewidth=2.0 if line[0] == "plain" else 1.6)
    different = len({repr([look[c] for c in ("color", "linestyle", "marker", "fillstyle")]) for look in looks.values()})
    if different < len(looks):
        print(f"figure.py: {len(looks)} lines have {different} looks, so that some look alike; choose with --where",
              file=sys.stderr)
    return looks


def values_of(lines, by, key):
    """The values of the column of --by (`key`, as it was given), in order."""
    values = sorted({value_by(line, by) for line in lines} - {None}) if by else []
    if by and not values:
        fail(f"--by {key}: no line has it; lines differ in {', '.join(LINE)} and in keys of fits")
    return values


def sort_key(line):
    return ORDER.index(line[0]) if line[0] in ORDER else len(ORDER)


# ---- drawing


def new_figure(n, one_size):
    import matplotlib.pyplot as plt
    plt.rcParams.update({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False})
    columns = 1 if n == 1 else min(3, n)
    rows = -(-n // columns)
    size = one_size if n == 1 else (4.0 * columns + 2.4, 3.1 * rows)
    figure, axes = plt.subplots(rows, columns, figsize=size, layout="constrained", squeeze=False)
    for spare in axes.flat[n:]:
        spare.axis("off")
    return figure, list(axes.flat)[:n]


def mark_trained(axes, trained, last):
    axes.axvline(trained - 1, color="0.35", linewidth=0.9, linestyle=(0, (4, 3)), zorder=0)
    axes.axvspan(trained - 1, last, color="0.5", alpha=0.06, linewidth=0, zorder=0)
    left = trained - 1 > 0.6 * last
    axes.annotate("longest training prompt", (trained - 1, 1), xycoords=("data", "axes fraction"), fontsize=8.5,
                  xytext=(-4 if left else 4, -2), textcoords="offset points", va="top", ha="right" if left else "left",
                  color="0.35")


def draw_errors(axes, curves, looks, labels, estimators, trained, relative):
    """Estimators may leave the frame at the bottom: without noise least squares ends at rounding errors."""
    import numpy as np
    from matplotlib.ticker import MaxNLocator
    last, lowest, ends = max(max(curve) for curve in curves.values()), np.inf, []
    for depth, (line, curve) in enumerate(curves.items()):
        k = np.array(list(curve))
        mse, low, high, over = np.array(list(curve.values())).T
        scale = over / np.where(mse > 0, mse, 1) if relative else np.ones_like(mse)
        if line[0] not in estimators:
            lowest = min(lowest, np.min((mse * scale)[mse > 0], initial=np.inf))
        drawn, = axes.plot(k, mse * scale, label=labels[line], zorder=10 - 0.1 * depth, **looks[line])
        floor = np.maximum(low, mse * 1e-2) * scale  # a logarithmic axis has no place for a bound below 0
        axes.fill_between(k, floor, high * scale, color=drawn.get_color(), alpha=0.13, linewidth=0, zorder=1)
        ends.append((float(mse[-1]), drawn))
    axes.set_yscale("log")
    axes.set_xlim(0, last)
    if np.isfinite(lowest):
        axes.set_ylim(bottom=lowest * 0.6)
    if trained is not None and trained <= last:
        mark_trained(axes, trained, last)
    axes.set_xlabel("examples in the prompt, k")
    axes.set_ylabel("squared error / E[y²]" if relative else "mean squared error")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(True, which="major", axis="y", color="0.9", linewidth=0.7)
    return [drawn for _, drawn in sorted(ends, key=lambda end: -end[0])]  # from top to bottom at the last point


def add_legend(figure, axes, handles, title=None):
    """One for all panels, where a label has the same look: right of the first row, or below if taller than it."""
    handles = list({handle.get_label(): handle for handle in handles}.values())
    look = dict(handles=handles, frameon=False, fontsize=9, handlelength=2.8, title=title, title_fontsize=9)
    width, height = figure.get_size_inches()
    if 0.2 * len(handles) < height / axes[0].get_gridspec().nrows:
        axes[min(3, len(axes)) - 1].legend(loc="upper left", bbox_to_anchor=(1.01, 1), **look)
        return
    for columns in range(6, 0, -1):
        legend = figure.legend(loc="lower left", ncol=columns, **look)
        size = legend.get_window_extent(figure.canvas.get_renderer()).size / figure.dpi
        if size[0] <= width or columns == 1:
            break
        legend.remove()
    figure.set_size_inches(max(width, size[0]), height + size[1])
    share = size[1] / (height + size[1])
    figure.get_layout_engine().set(rect=(0, share, 1, 1 - share))


def curve_of_errors(runs, args):
    panels, by = error_panels(runs, args)
    curves = [lines_of(chosen) for _, chosen in panels]
    lines = sorted(dict.fromkeys(line for lines in curves for line in lines), key=sort_key)
    labels = labels_of(lines)
    values = values_of(lines, by, args.by)
    looks = looks_of(lines, by, values)
    figure, axes = new_figure(len(panels), (7.2, 4.3))
    handles = []
    for at, (setting, chosen), curve in zip(axes, panels, curves):
        estimators = set() if not chosen[0]["fit_points"] and all(r["fit_points"] == 0 for r in chosen) else \
            {row["method"] for row in chosen if row["joined"]}
        run = next(run for run in runs if run.path == chosen[0]["run_path"])
        ordered = {line: curve[line] for line in lines if line in curve}
        handles += draw_errors(at, ordered, looks, labels, estimators, args.trained or run.trained_points(),
                               not args.absolute)
        fits = {line[2] for line in curve if line[2]}
        title = args.title if args.title and len(panels) == 1 else title_of(setting, panels, chosen, fits)
        at.set_title(title, loc="left", fontsize=10.5 if len(panels) == 1 else 9.5)
    if args.title and len(panels) > 1:
        figure.suptitle(args.title)
    lengths = {line[2] for line in lines if line[2]}
    several = len(panels) > 1 and len(lengths) == 1  # the title of a single panel says it
    add_legend(figure, axes, handles, f"fits at {lengths.pop()} points" if several else None)
    return figure


def curve_of_answers(runs, args):
    """Accuracy on text: panels of tasks, lines of methods; the plain model at the top and controls at the bottom."""
    rows = choose_where(answer_rows(runs, args.table), args.where, runs)
    rows = choose_methods(rows, args.methods.split(",") if args.methods else
                          [m for m in dict.fromkeys(row["method"] for row in rows) if m not in HIDDEN])
    if not rows:
        fail("nothing is left to draw")
    lines = sorted(dict.fromkeys(row["line"] for row in rows),
                   key=lambda line: (line[0] != "plain", line[0] in CONTROLS))
    labels = labels_of(lines)
    return draw_answers(rows, [row["task"] for row in rows], {line: labels[line] for line in lines}, args.title)


def draw_figure(runs, args):
    text = all("answers" in map(run.kind, run.tables) for run in runs)
    curve = args.curve or ("answers" if text else "error")
    if curve == "answers":
        return curve_of_answers(runs, args)
    return curve_of_errors(runs, args) if curve == "error" else curve_of_losses(runs, args)


def curve_of_losses(runs, args):
    """Loss against epochs or steps, one panel."""
    curves, by = loss_curves(runs, args)
    fits = args.curve == "fit"
    lines = sorted(curves, key=sort_key)
    values = values_of(lines, by, args.by)
    labels, looks = labels_of(lines), looks_of(lines, by, values)
    jobs = list(dict.fromkeys(line[3] for line in lines))
    for line in lines if not fits else ():  # no methods: a colour for each job
        if not by:
            looks[line].update(color=list(LOOKS.values())[6 + jobs.index(line[3]) % 11][0], marker="")
        held = line[0] == "validation"
        looks[line].update({"linestyle": "--", "marker": "o", "fillstyle": "full", "markevery": 1} if held else
                           {"linestyle": "-"})
    from matplotlib.ticker import MaxNLocator
    figure, (axes,) = new_figure(1, (7.2, 4.3))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    handles = []
    for line in lines:
        for number, (x, y) in enumerate(curves[line]):
            drawn, = axes.plot(x, y, label=labels[line] if number == 0 else None, **looks[line])
            handles += [drawn] if number == 0 else []
    axes.set_yscale("log")
    axes.set_xlabel("epoch" if fits else "step")
    axes.set_ylabel("validation loss" if fits else "loss" if args.absolute else "loss / E[y²]")
    axes.grid(True, which="major", axis="y", color="0.9", linewidth=0.7)
    held = any(line[0] == "validation" for line in lines)
    title = "fits: loss on validation prompts" if fits else "pretraining: loss of the step"
    axes.set_title(args.title or title + (", and on held-out prompts" if held else ""), loc="left", fontsize=10.5)
    add_legend(figure, [axes], handles)
    return figure


# ---- command line


def read_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="KEY is a column of the table, such as shift, fit_points or fit_optimiser_lr, as in the config\n"
        "(fit.optimiser.lr), or its end (lr). Bands are the table's 95% intervals over functions; repeats of a fit are\n"
        "averaged. Where fits have several lengths, the longest is drawn. zero equals plain and is left out.")
    parser.add_argument("results", nargs="+", help="folder of a run, or its results.h5; several runs are panels")
    parser.add_argument("-o", "--out", default="figure.png", help="image file to write (default figure.png)")
    parser.add_argument("--curve", choices=("error", "answers", "fit", "pretrain"), help="what to draw (above)")
    parser.add_argument("--where", action="append", default=[], metavar="KEY=VALUE",
                        help="only rows with this value, or one of VALUE,VALUE; rows that lack the key stay; repeatable")
    parser.add_argument("--by", metavar="KEY", help="colour lines by the values of KEY instead of by method")
    parser.add_argument("--table", help="draw /tables/NAME (default: every table of the kind)")
    for name, what in (("source", "source"), ("shift", "shift, as skewed or scale_y=2"), ("dummies", "dummy pairs"),
                       ("wpe-seed", "redrawn position embeddings")):
        parser.add_argument(f"--{name}", help=f"only this {what}: the same as --where {name.replace('-', '_')}=VALUE")
    parser.add_argument("--methods", help="only these methods, as plain,ltv,constant")
    parser.add_argument("--trained", type=int, metavar="POINTS",
                        help="points of the longest training prompt (default: those of the basis, where all fits agree)")
    parser.add_argument("--absolute", action="store_true", help="mean squared error, not divided by E[y^2]")
    parser.add_argument("--fit-points", type=int, metavar="N", help="draw the fits at this length (default: the longest)")
    parser.add_argument("--all", action="store_true", help="draw fits of every length")
    parser.add_argument("--title", help="default: the source and the number of functions")
    parser.add_argument("--dpi", type=int, default=160)
    args = parser.parse_args()
    for name in ("source", "shift", "dummies", "wpe_seed"):
        if getattr(args, name):
            args.where.append(f"{name}={getattr(args, name)}")
    return args


def main():
    args = read_arguments()
    import_libraries()
    runs = [Run(path) for path in args.results]
    figure = draw_figure(runs, args)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message="constrained_layout not applied")
            figure.savefig(args.out, dpi=args.dpi)
    except UserWarning:
        fail("the panels have no room beside their labels; choose lines with --where or --methods")
    except (OSError, ValueError) as e:
        fail(f"{args.out}: cannot be written ({getattr(e, 'strerror', None) or e})")
    print(args.out)


if __name__ == "__main__":
    main()
