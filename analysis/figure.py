#!/usr/bin/env python3
"""Draw the error against the number of examples seen, one line for each method or estimator, from the results.h5 of a
run with a stage evaluate or estimate."""

import argparse
import sys

# Colour-blind safe (Okabe and Ito); the plain model is the black reference line.
LOOKS = {
    "plain": dict(color="black", linewidth=2.0),
    "zero": dict(color="0.55", linestyle=(0, (1, 1.5))),
    "window": dict(color="#009E73", linestyle="--"),
    "oracle": dict(color="#56B4E9", linestyle=":", linewidth=2.2),
    "constant": dict(color="#D55E00", linewidth=1.8),
    "bias_only": dict(color="#CC79A7", linewidth=1.5, linestyle="-."),
    "fv": dict(color="#8C8C00", linewidth=1.4),
    "icv": dict(color="0.5", linewidth=1.4, linestyle=(0, (3, 1.5))),
    "least_squares": dict(color="#8C510A", linewidth=1.4, linestyle=(0, (6, 1.5, 1, 1.5))),
}
LTV_COLOURS = ["#0072B2", "#E69F00", "#7B5EA7", "#8C6D31"]
NAMES = {"plain": "plain model", "ltv": "LTV", "fv": "FV", "icv": "ICV", "bias_only": "bias only", "least_squares": "least squares", "knn": "nearest examples",
         "two_layer_net": "two-layer net", "cart": "tree"}
HIDDEN = ("zero",)  # equals plain bit for bit
COLUMNS = ("method", "reading", "fit_points", "repeat", "source", "k", "functions", "mse", "mse_low", "mse_high",
           "mse_over_variance")
NO_FIT = ("fit_points", "repeat")  # columns that estimators lack; 0 there
LATER = {"shift": "none", "shift_level": 0.0, "dummies": "none", "wpe_seed": 0}  # columns that some tables lack
ESTIMATES = "estimate"


def fail(message):
    sys.exit(f"figure.py: {message}")


def import_libraries():
    """Imports late, so that --help works, and a missing module has a clear message, with any python3."""
    global h5py, np
    try:
        import h5py
        import matplotlib
        import numpy as np
    except ImportError as e:
        fail(f"{sys.executable} has no module {e.name}; on Debian: "
             "apt-get install python3-h5py python3-numpy python3-matplotlib, then /usr/bin/python3 analysis/figure.py")
    matplotlib.use("Agg")


def read_table(path, name):
    try:
        with h5py.File(path, "r") as f:
            tables = f.get("tables")
            if tables is None:
                fail(f"{path}: no group /tables; expected the results.h5 of a taskvec run")
            if name not in tables:
                fail(f"{path}: no /tables/{name}; there are: {', '.join(sorted(tables)) or 'none'} (--table NAME)")
            rows = tables[name][()]
    except FileNotFoundError:
        fail(f"{path}: no such file; taskvec run writes results.h5 into its folder when it ends")
    except OSError as e:
        fail(f"{path}: cannot be read as HDF5 ({e})")
    missing = [c for c in COLUMNS if c not in (rows.dtype.names or ()) and c not in NO_FIT]
    if missing:
        fail(f"{path}: /tables/{name} has no column {', '.join(missing)}; name an evaluate stage with --table")
    if not len(rows):
        fail(f"{path}: /tables/{name} is empty; taskvec status shows which jobs are not done")
    return [{c: row[c] if c in rows.dtype.names else LATER.get(c, 0) for c in (*COLUMNS, *LATER)} for row in rows]


def read_rows(path, name):
    """Name and rows of the table, for an evaluation with those of the estimators; and which methods are estimators."""
    found = {}
    if h5py.is_hdf5(path):
        with h5py.File(path, "r") as f:
            found = {n: len(t) > 0 for n, t in f["tables"].items()} if "tables" in f else {}
    if name is None:
        name = "evaluate" if "evaluate" in found or ESTIMATES not in found else ESTIMATES
    rows = read_table(path, name)
    estimates = read_table(path, ESTIMATES) if name == "evaluate" and found.get(ESTIMATES) else []
    alone = name == ESTIMATES
    return name, rows + estimates, set() if alone else {text(row["method"]) for row in estimates}


def read_trained_points(path, given):
    """Points of the longest training prompt: --trained, or the basis of the run's fits; None: unknown."""
    if given is not None:
        return given
    found = set()
    with h5py.File(path, "r") as f:
        for table in f["tables"].values():
            names = table.dtype.names or ()
            if "trained_points" in table.attrs:
                return int(np.ravel(table.attrs["trained_points"])[0])
            if "basis_points" in names:
                found.update(int(n) for n in np.unique(table["basis_points"]) if n > 0)
            elif "loss_over_variance" in names and len(table):
                found.add(int(table["points"][-1]))
    return found.pop() if len(found) == 1 else None


def text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def collect(rows, path):
    """{(method, reading, fit_points): {k: (mse, low, high, mse over variance)}}, repeats averaged.

    With repeats, the band spans the mean of the lower and of the upper bounds: it shows the
    uncertainty over functions, not over repeats. Fits that differ in other keys than repeat are refused,
    because the table does not have those keys."""
    groups, seen = {}, set()
    for row in rows:
        key = (text(row["method"]), text(row["reading"]), int(row["fit_points"]))
        once = (*key, int(row["repeat"]), int(row["k"]))
        if once in seen:
            fail(f"{path}: several fits of {key[0]} at {key[2]} points differ in other keys than repeat; "
                 "give each kind its own stage and choose one with --table")
        seen.add(once)
        groups.setdefault(key, {}).setdefault(int(row["k"]), []).append(
            [float(row[c]) for c in ("mse", "mse_low", "mse_high", "mse_over_variance")])
    return {key: {k: np.mean(v, axis=0) for k, v in sorted(points.items())} for key, points in groups.items()}


def choose(curves, points):
    """The fits of each method and variant at length `points`; None: at the longest length; 0: all.

    The best fit is never chosen, because errors are those of the test functions."""
    shown = [key for key in curves if key[0] not in HIDDEN]
    if points == 0:
        return shown
    longest = {}
    for key in shown:
        longest[key[:2]] = max(longest.get(key[:2], 0), key[2])
    return [key for key in shown if key[2] in (0, longest[key[:2]] if points is None else points)]


def shift_of(row):
    """"none", "skewed", "scale_y=2"."""
    level = float(row["shift_level"])
    return text(row["shift"]) + (f"={level:g}" if level else "")


def pick(rows, what, of, wanted, path):
    """The rows whose of(row) is `wanted`, by default that of the first row; and the value."""
    there = list(dict.fromkeys(of(row) for row in rows))
    chosen = wanted or there[0]
    if chosen not in there:
        fail(f"{path}: no {what} '{chosen}' in the table; there are: {', '.join(there)}")
    return [row for row in rows if of(row) == chosen], chosen


def pick_beside(rows, what, of, usual, wanted, path, estimators):
    """As pick(), by default the usual value where some row has it; rows of estimators are always kept."""
    ours = [row for row in rows if text(row["method"]) not in estimators]
    theirs = [row for row in rows if text(row["method"]) in estimators]
    there = any(of(row) == usual for row in ours)
    ours, chosen = pick(ours, what, of, wanted or (usual if there else None), path)
    return ours + theirs, "" if chosen == usual else f", {what} {chosen.replace('_', ' ')}"


def label(key, several, several_readings):
    method, reading, points = key
    name = NAMES.get(method, method)
    if reading and reading != "-" and (method == "ltv" or several_readings):
        name += f", {reading}"
    if points > 0 and several:
        name += f" (fit at {points})"
    return name


def draw(curves, keys, estimators, trained, relative, title, out, dpi):
    """Estimators may leave the frame at the bottom: without noise least squares ends at rounding errors."""
    import matplotlib.pyplot as plt
    from matplotlib.ticker import MaxNLocator

    order = ["plain", "ltv", "constant", "bias_only", "window", "oracle", "least_squares"]
    keys = sorted(keys, key=lambda key: (order.index(key[0]) if key[0] in order else 9, key[1], key[2]))
    plt.rcParams.update({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False})
    figure, axes = plt.subplots(figsize=(7.2, 4.3), layout="constrained")
    readings = sorted({key[1] for key in keys if key[0] == "ltv"})
    lengths = sorted({key[2] for key in keys if key[2] > 0})
    last = max(max(curves[key]) for key in keys)
    lowest = np.inf
    for depth, key in enumerate(keys):
        curve = curves[key]
        k = np.array(list(curve))
        mse, low, high, over = np.array(list(curve.values())).T
        scale = over / np.where(mse > 0, mse, 1) if relative else np.ones_like(mse)
        look = dict(linewidth=1.6)
        if key[0] == "ltv":
            look["color"] = LTV_COLOURS[readings.index(key[1]) % len(LTV_COLOURS)]
        look.update(LOOKS.get(key[0], {}))
        if len({q[2] for q in keys if q[:2] == key[:2]}) > 1 and len(lengths) > 1:
            look["alpha"] = 0.45 + 0.55 * lengths.index(key[2]) / (len(lengths) - 1)
        if key[0] not in estimators:
            lowest = min(lowest, np.min((mse * scale)[mse > 0], initial=np.inf))
        several = len({q[1] for q in keys if q[0] == key[0]}) > 1
        line, = axes.plot(k, mse * scale, label=label(key, len(lengths) > 1, several), zorder=10 - 0.1 * depth, **look)
        floor = np.maximum(low, mse * 1e-2) * scale  # a logarithmic axis has no place for a bound below 0
        axes.fill_between(k, floor, high * scale, color=line.get_color(), alpha=0.13, linewidth=0, zorder=1)
    axes.set_yscale("log")
    axes.set_xlim(0, last)
    if np.isfinite(lowest):
        axes.set_ylim(bottom=lowest * 0.6)
    if trained is not None and trained <= last:
        axes.axvline(trained - 1, color="0.35", linewidth=0.9, linestyle=(0, (4, 3)), zorder=0)
        axes.axvspan(trained - 1, last, color="0.5", alpha=0.06, linewidth=0, zorder=0)
        axes.annotate("longest training prompt", (trained - 1, 1), xycoords=("data", "axes fraction"), fontsize=8.5,
                      xytext=(4, -2), textcoords="offset points", va="top", color="0.35")
    axes.set_xlabel("examples in the prompt, k")
    axes.set_ylabel("squared error / E[y²]" if relative else "mean squared error")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(True, which="major", axis="y", color="0.9", linewidth=0.7)
    axes.set_title(title, loc="left", fontsize=10.5)
    ends = sorted(zip((list(curves[key].values())[-1][0] for key in keys), axes.get_lines()), key=lambda e: -e[0])
    axes.legend(handles=[line for _, line in ends], loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False,
                fontsize=9, handlelength=2.4)  # from top to bottom, in the order of the lines' last points
    figure.savefig(out, dpi=dpi)


def main():
    parser = argparse.ArgumentParser(description=__doc__, epilog="Bands are the table's 95% intervals over functions. "
                                     "Where fits have several lengths, the longest is drawn; --fit-points chooses "
                                     "another, --all draws all. The method zero equals plain and is left out.")
    parser.add_argument("results", help="results.h5 of a run")
    parser.add_argument("-o", "--out", default="figure.png", help="image file to write (default figure.png)")
    parser.add_argument("--table", help="draw /tables/NAME (default: evaluate, with the estimators)")
    parser.add_argument("--source", help="source to draw, where the table has several (default: the first)")
    parser.add_argument("--shift", help="shift to draw, such as skewed or scale_y=2 (default: none, or the first)")
    parser.add_argument("--dummies", help="rule of dummy pairs to draw (default: none, or the first)")
    parser.add_argument("--wpe-seed", help="seed of redrawn position embeddings to draw (default: 0, or the first)")
    parser.add_argument("--methods", help="only these methods, such as plain,ltv,constant")
    parser.add_argument("--trained", type=int, metavar="POINTS",
                        help="points of the longest training prompt (default: those of the basis, where all fits agree)")
    parser.add_argument("--absolute", action="store_true", help="mean squared error, not divided by E[y^2]")
    parser.add_argument("--fit-points", type=int, metavar="N", help="draw the fits at this length (default: the longest)")
    parser.add_argument("--all", action="store_true", help="draw fits of every length")
    parser.add_argument("--title", help="default: the source and the number of functions")
    parser.add_argument("--dpi", type=int, default=160)
    args = parser.parse_args()
    import_libraries()

    args.table, rows, estimators = read_rows(args.results, args.table)
    rows, source = pick(rows, "source", lambda row: text(row["source"]), args.source, args.results)
    plain = "none" if any(shift_of(row) == "none" for row in rows) else None
    rows, shift = pick(rows, "shift", shift_of, args.shift or plain, args.results)
    rows, dummies = pick_beside(rows, "dummies", lambda row: text(row["dummies"]), "none", args.dummies, args.results,
                                estimators)
    rows, positions = pick_beside(rows, "wpe_seed", lambda row: str(int(row["wpe_seed"])), "0", args.wpe_seed,
                                  args.results, estimators)
    trained = read_trained_points(args.results, args.trained)
    curves = collect(rows, args.results)
    if args.methods:
        wanted = args.methods.split(",")
        known = sorted({key[0] for key in curves})
        for name in wanted:
            if name not in known:
                fail(f"{args.results}: no method '{name}' in /tables/{args.table}; there are: {', '.join(known)}")
        curves = {key: curve for key, curve in curves.items() if key[0] in wanted}
    keys = choose(curves, 0 if args.all else args.fit_points)
    if args.fit_points and not any(key[2] == args.fit_points for key in keys):
        fail(f"{args.results}: no fit at {args.fit_points} points; there are: "
             f"{', '.join(str(n) for n in sorted({key[2] for key in curves if key[2]}))}")
    shifted = "" if shift == "none" else f", {shift.replace('_', ' ')}"
    drawn = f"{source.replace('_', ' ')} functions{shifted}{dummies}{positions}"
    fitted = {key[2] for key in keys if key[2] > 0}
    fits = f", fits at {fitted.pop()} points" if len(fitted) == 1 else ""
    title = args.title or f"{drawn}, {max(int(row['functions']) for row in rows)} per k{fits}"
    try:
        draw(curves, keys, estimators, trained, not args.absolute, title, args.out, args.dpi)
    except OSError as e:
        fail(f"{args.out}: cannot be written ({e.strerror or e})")
    print(args.out)


if __name__ == "__main__":
    main()
