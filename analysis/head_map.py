#!/usr/bin/env python3
"""Draw which heads matter, from the results of taskvec runs, given as folders or as their results.h5.

  --draw maps      a row of panels for each task (or problem): for each fit the weights of heads minus those it began from, then the
                   average indirect effects, attributions and induction scores; layers from top to bottom (default)
  --draw ablation  a panel for each task: loss, or with --accuracy the accuracy, against the share of heads that is ablated, a line
                   for each order of heads

Maps and lines of several repeats are their mean. Reads the tables of head_weights, effects, importance and ablation."""

import argparse
import csv

import figure_data
from figure_data import Run, fail, import_libraries

MEASURES = ("patching", "gradient", "induction")
TITLES = {"patching": "indirect effect", "gradient": "attribution", "induction": "induction score"}
OF_A_TASK = ("source", "task", "form", "repeat")  # ends of key columns that rows and means are made of
COLOURS = {"patching": "#0072B2", "gradient": "#56B4E9", "induction": "#009E73", "weights": "#E69F00", "change": "#D55E00",
           "random": "0.55"}


# ---- maps: {row: {title: {(layer, head): [values]}}}


def keys_of(row, rows):
    """The keys in which the jobs of a table differ, but for task and repeat: they follow the column `job`."""
    names = list(row)
    varying = names[names.index("job") + 1:] if "job" in names else []
    return ", ".join(f"{name.split('_')[-1]} {row[name]}" for name in varying
                     if row[name] is not None and name.split("_")[-1] not in OF_A_TASK + ("measure", "reading", "method")
                     and len({other[name] for other in rows}) > 1)


def place(maps, task, title, row, value):
    if row[value] is not None:
        maps.setdefault(task, {}).setdefault(title, {}).setdefault((row["layer"], row["head"]), []).append(row[value])


def add_table(maps, rows, prefix, value):
    for row in rows:
        keys = keys_of(row, rows)
        if "change" in row:
            variant = f", {row['reading']}" if row["reading"] not in (None, "", "-") else ""
            name = "weight" if value == "weight" else "change of weight"
            place(maps, prefix + row["source"], f"{row['method']}{variant}: {name}" + (f"\n{keys}" if keys else ""), row, value)
        if "effect" in row:
            measure = row.get("measure") or "patching"
            place(maps, prefix + row["source"], TITLES[measure] + (f"\n{keys}" if keys else ""), row, "effect")


def read_maps(runs, value):
    maps = {}
    for run in runs:
        for name, columns in run.columns.items():
            whole = "used" not in columns  # unlike the table of `universal`, which has the first heads alone
            if whole and {"layer", "head"} <= set(columns) and {"change", "effect"} & set(columns):
                add_table(maps, run.tables[name], f"{run.name}: " if len(runs) > 1 else "", value)
    return maps


def matrix_of(cells):
    layers, heads = (1 + max(at[i] for at in cells) for i in (0, 1))
    matrix = np.full((layers, heads), np.nan)
    for at, values in cells.items():
        matrix[at] = np.mean(values)
    return matrix, max(len(values) for values in cells.values())


def draw_map(figure, axes, title, cells):
    matrix, n = matrix_of(cells)
    most = np.nanmax(np.abs(matrix)) or 1
    image = axes.imshow(matrix, cmap="RdBu_r", vmin=-most, vmax=most, aspect="auto", interpolation="nearest")
    axes.set_title(title + (f" (mean of {n})" if n > 1 else ""), fontsize=8, loc="left")
    axes.set_xlabel("head", fontsize=7)
    axes.set_ylabel("layer", fontsize=7)
    axes.tick_params(labelsize=6)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(pyplot.MaxNLocator(8, integer=True))
    figure.colorbar(image, ax=axes).ax.tick_params(labelsize=6)


def order_of(title):
    """Fits first, then measures in their order."""
    known = [name for name in MEASURES if title.startswith(TITLES[name])]
    return (1, MEASURES.index(known[0])) if known else (0, title)


def figure_of_maps(maps):
    width = max(len(panels) for panels in maps.values())
    figure, grid = pyplot.subplots(len(maps), width, figsize=(3 * width, 0.6 + 2.2 * len(maps)), squeeze=False,
                                   layout="constrained")
    for axes_of_row, (task, panels) in zip(grid, maps.items()):
        for axes in axes_of_row[len(panels):]:
            axes.set_axis_off()
        for axes, title in zip(axes_of_row, sorted(panels, key=order_of)):
            draw_map(figure, axes, title, panels[title])
        axes_of_row[0].set_ylabel(f"{task}\nlayer", fontsize=8)
    return figure


# ---- ablation: {task: {line: {share: [values]}}}


def read_curves(runs, value):
    curves = {}
    for run in runs:
        for rows in (rows for name, rows in run.tables.items() if {"share", "excluded", "ranking"} <= set(run.columns[name])):
            for row in rows:
                if row[value] is None or (row["excluded"] or "none") != "none":
                    continue
                task = (f"{run.name}: " if len(runs) > 1 else "") + row["source"]
                line = (row["ranking"], row["fit"] or "")
                curves.setdefault(task, {}).setdefault(line, {}).setdefault(row["share"], []).append(row[value])
    return curves


def figure_of_curves(curves, label):
    columns = min(3, len(curves))
    lines = -(-len(curves) // columns)
    figure, grid = pyplot.subplots(lines, columns, figsize=(4 * columns, 0.4 + 2.8 * lines), squeeze=False, layout="constrained")
    for axes in grid.flat[len(curves):]:
        axes.set_axis_off()
    for axes, (task, of) in zip(grid.flat, curves.items()):
        start = [np.mean(values) for (ranking, _), points in of.items() if ranking == "none" for values in points.values()]
        fits = sorted({fit for _, fit in of if fit})
        for (ranking, fit), points in of.items():
            if ranking == "none":
                continue
            shares = sorted(points)
            axes.plot([0] * len(start) + shares, start + [np.mean(points[s]) for s in shares], marker="o", markersize=3,
                      color=COLOURS.get(ranking), linestyle=("-", "--", ":", "-.")[fits.index(fit) % 4] if fit else "-",
                      label=f"{ranking}, {fit}" if fit else ranking)
        axes.set_title(task, fontsize=9, loc="left")
        axes.set_xlabel("share of heads ablated", fontsize=8)
        axes.set_ylabel(label, fontsize=8)
        axes.legend(fontsize=6)
    return figure


# ---- the command


def write_data(path, data):
    """The numbers of the figure: of maps task, panel, layer, head; of lines task, ranking and fit, share; then the mean."""
    with open(path, "w", newline="", encoding="utf-8") as f:
        out = csv.writer(f)
        for task, panels in data.items():
            for title, cells in panels.items():
                for at, values in cells.items():
                    where = at if isinstance(at, tuple) else (at,)
                    name = title if isinstance(title, tuple) else (title.replace("\n", ", "),)
                    out.writerow([task, *name, *where, repr(float(np.mean(values)))])


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="+", help="folder of a run, or its results.h5")
    parser.add_argument("-o", "--out", default="head_map.png", help="image file to write (default head_map.png)")
    parser.add_argument("--draw", choices=("maps", "ablation"), default="maps", help="what to draw (above)")
    parser.add_argument("--value", choices=("change", "weight"), default="change", help="of fits: weights minus those they began "
                        "from, or the weights themselves (default change)")
    parser.add_argument("--accuracy", action="store_true", help="with --draw ablation on text: accuracy of the first token of the answer")
    parser.add_argument("--sources", help="only these tasks or problems, as antonym,present_past")
    parser.add_argument("--data", metavar="FILE", help="also write the numbers that are drawn, as CSV")
    parser.add_argument("--dpi", type=int, default=160)
    return parser.parse_args()


def chosen(data, sources):
    if not sources:
        return data
    wanted = sources.split(",")
    missing = [name for name in wanted if not any(task.split(": ")[-1] == name for task in data)]
    if missing:
        fail(f"no maps of {', '.join(missing)}; there are: {', '.join(data)} (--sources)")
    return {task: panels for task, panels in data.items() if task.split(": ")[-1] in wanted}


def draw(args):
    runs = [Run(path) for path in args.results]
    maps = args.draw == "maps"
    column = "first_accuracy" if args.accuracy else "loss"
    data = read_maps(runs, args.value) if maps else read_curves(runs, column)
    if not data:
        fail(f"{args.results[0]}: no maps of heads: add a stage head_weights or effects, and let the run end" if maps else
             f"{args.results[0]}: no rows of ablation with {column}: add a stage ablation, and let the run end")
    data = chosen(data, args.sources)
    if args.data:
        write_data(args.data, data)
    return figure_of_maps(data) if maps else figure_of_curves(data, column.replace("_", " "))


def import_all():
    global np, pyplot
    import_libraries()
    import matplotlib.pyplot as pyplot
    np = figure_data.np


def main():
    args = read_arguments()
    import_all()
    figure = draw(args)
    try:
        figure.savefig(args.out, dpi=args.dpi)
    except (OSError, ValueError) as e:
        fail(f"{args.out}: cannot be written ({getattr(e, 'strerror', None) or e})")
    print(args.out)


if __name__ == "__main__":
    main()
