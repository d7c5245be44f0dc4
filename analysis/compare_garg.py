#!/usr/bin/env python3
"""Compare the estimators of a run with the published metrics of Garg et al. 2022, by a two-sample test.

The prompts are different draws of the same distributions, so means are compared by z = difference / its standard error. A
metrics file passes when |z| <= 3 at 98% of all its compared points. Differences below 1e-6 count as rounding, and least
squares is not compared at |k - dims| <= 3, where the variance of its error is not finite. A published distribution is a
shift of taskvec, or without one a stage of that name. Rows of models, and of anything that the run lacks, are skipped.
"""

import argparse
import json
import os
import re
import sys

PROMPTS = 1280  # behind every published mean: 20 batches of 64
SHARE, LIMIT, ROUNDING, NEAR_DIMS = 0.98, 3.0, 1e-6, 3
SHIFTS = {"skewed": "skewed", "half_subspace": "half_subspace", "random_quadrants": "random_quadrants",
          "orthogonal": "orthogonal_train_test", "overlapping": "overlapping_train_test"}
FILES = {"linear": "linear_regression", "noisy_linear": "linear_regression", "sparse_linear": "sparse_linear_regression"}


def fail(message):
    sys.exit(f"compare_garg.py: {message}")


def read_json(path):
    try:
        with open(path) as f:
            return json.load(f)
    except (OSError, ValueError) as e:
        fail(f"{path}: {e}")


def published_name(method, reading):
    """The name of an estimator in the published files; None: they do not have it."""
    keys = dict(word.split("=", 1) for word in reading.split() if "=" in word)
    if method == "least_squares":
        return "OLS_driver=None"
    if method == "knn" and keys["neighbours"] == "3":
        return "NN_n=3_uniform"
    if method == "averaging":
        return "averaging"
    if method == "lasso" and keys["stop"] == "as_published":
        return f"lasso_alpha={float(keys['alpha']):g}_max_iter=100000"
    return None


def published_alphas(published):
    """Published names by the name with alpha written as %g, so that 0.0001 and 1e-4 are equal."""
    names = {}
    for name in published:
        alpha = re.fullmatch(r"lasso_alpha=([^_]*)_max_iter=100000", name)
        names[f"lasso_alpha={float(alpha[1]):g}_max_iter=100000" if alpha else name] = name
    return names


def published_distribution(table, shift, level):
    if shift in SHIFTS:
        return SHIFTS[shift]
    if shift in ("scale_x", "scale_y"):
        return f"{shift.replace('_', '-')}={level:g}"
    return table if shift == "none" else None


def quantile(degrees, z=1.959963984540054):
    """Student's 97.5% point: two terms of the expansion in 1 / degrees; its error is below 1e-5 beyond 50."""
    return z + (z**3 + z) / (4 * degrees) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * degrees**2)


def read_curves(path):
    """{(source, distribution, method, reading): {k: (mean, standard error)}} of every estimate."""
    try:
        import h5py
    except ImportError:
        fail(f"{sys.executable} has no module h5py; on Debian: apt-get install python3-h5py, then /usr/bin/python3")
    curves = {}
    try:
        with h5py.File(path, "r") as f:
            tables = {name: table[()] for name, table in f["tables"].items() if "shift_level" in (table.dtype.names or ())}
    except (OSError, KeyError) as e:
        fail(f"{path}: not the results.h5 of a run ({e})")
    for table, rows in tables.items():
        for row in rows:
            n = int(row["functions"])
            error = (float(row["mse_high"]) - float(row["mse_low"])) / 2 / quantile(n - 1)
            distribution = published_distribution(table, row["shift"].decode(), float(row["shift_level"]))
            key = (row["source"].decode(), distribution, row["method"].decode(), row["reading"].decode())
            curves.setdefault(key, {})[int(row["k"])] = (float(row["mse"]), error)
    return curves


def compare(curve, theirs, skip):
    """[(k, z)]; z is 0 for differences that count as rounding."""
    points = []
    for k, (mean, error) in sorted(curve.items()):
        if k >= len(theirs["mean"]) or skip(k):
            continue
        difference = mean - theirs["mean"][k]
        spread = (error**2 + theirs["std"][k] ** 2 / PROMPTS) ** 0.5
        if abs(difference) < ROUNDING:
            points.append((k, 0.0))
        else:
            points.append((k, difference / spread if spread > 0 else float("inf")))
    return points


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", help="results.h5 of experiments/estimators/garg_*.cfg")
    parser.add_argument("--reference", required=True, metavar="DIR", help="folder of *.metrics.json and *.config.yaml")
    parser.add_argument("--dims", type=int, default=20, help="coordinates of x (default 20)")
    args = parser.parse_args()
    found, metrics = {}, {}
    for (source, distribution, method, reading), curve in read_curves(args.results).items():
        file = FILES.get(source)
        name = published_name(method, reading)
        if file is None or name is None or distribution is None:
            continue
        if file not in metrics:
            metrics[file] = read_json(os.path.join(args.reference, f"{file}.metrics.json"))
        published = metrics[file].get(distribution)
        if published is None:
            fail(f"{file}: no distribution '{distribution}'; there are: {', '.join(metrics[file])}")
        name = published_alphas(published).get(name)
        if name is None:
            continue
        near = method == "least_squares"
        points = compare(curve, published[name], lambda k: near and abs(k - args.dims) <= NEAR_DIMS)
        good = sum(abs(z) <= LIMIT for _, z in points)
        k, worst = max(points, key=lambda point: abs(point[1]))
        print(f"{file:26} {distribution:22} {name:34} {good:3} of {len(points):3} within {LIMIT:g}, worst {worst:+.2f} at k {k}")
        total = found.setdefault(file, [0, 0])
        total[0] += good
        total[1] += len(points)
    if not found:
        fail(f"{args.results}: no estimator of this run is in the published metrics")
    for file, (good, n) in found.items():
        print(f"{file}: {good} of {n}, {good / n:.2%}; at least {SHARE:.0%} are required")
    sys.exit(any(good < SHARE * n for good, n in found.values()))


if __name__ == "__main__":
    main()
