"""check_measures.py RUN - compares the tables `compare`, `probe` and `agreement` of a run with NumPy, SciPy and scikit-learn."""

import json
import sys

import h5py
import numpy as np
from scipy.linalg import sqrtm, subspace_angles
from scipy.stats import ks_2samp, spearmanr, ttest_rel, wasserstein_distance
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score

TOLERANCE = 1e-5


def tensors(path):
    """The arrays of a safetensors file of F32."""
    data = open(path, "rb").read()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    found = {}
    for name, about in header.items():
        if name == "__metadata__":
            continue
        first, last = (8 + size + at for at in about["data_offsets"])
        found[name] = np.frombuffer(data[first:last], "<f4").reshape(about["shape"]).astype(float)
    return found


def leading(states):
    u = np.linalg.svd(states, full_matrices=False)[0][:, 0] * np.sqrt(len(states))
    return u if u.mean() > 0 else -u


def alignment(own, other, axes):
    """The columns of a row of `compare` from two sets of states [n, E]."""
    a, b = leading(own), leading(other)
    C, D = np.cov(own.T), np.cov(other.T)
    shift = ((own.mean(0) - other.mean(0)) ** 2).sum()
    x, y = own - own.mean(0), other - other.mean(0)
    p, q = PCA(axes, svd_solver="full").fit(own), PCA(axes, svd_solver="full").fit(other)
    angles = subspace_angles(p.components_.T, q.components_.T)
    norm = np.linalg.norm
    return {
        "wasserstein": wasserstein_distance(a, b),
        "kolmogorov_smirnov": ks_2samp(a, b).statistic,
        "frechet": shift + np.trace(C + D - 2 * sqrtm(C @ D).real),
        "mean_shift": shift,
        "cka": norm(x.T @ y) ** 2 / (norm(x.T @ x) * norm(y.T @ y)),
        "overlap": (np.cos(angles) ** 2).mean(),
        "angle": np.degrees(angles.max()),
        "explained": p.explained_variance_ratio_.sum(),
    }


class Checks:
    compared = wrong = 0

    def same(self, what, got, wanted, tolerance=TOLERANCE):
        self.compared += 1
        if abs(got - wanted) <= tolerance * max(1, abs(wanted)):
            return
        self.wrong += 1
        print(f"{what}: {got!r}, expected {wanted!r}")


def text(cell):
    return cell.decode() if isinstance(cell, bytes) else cell


def check_compare(checks, file, rows, folder):
    for job in sorted(set(rows["job"])):
        mine = rows[rows["job"] == job]
        t = tensors(folder + "/" + text(file["jobs"][file["jobs"]["job"] == job]["artifact"][0]))
        plain, errors = t["states_plain"], t["errors"]
        method = t.get("states_method")
        k = list(dict.fromkeys(int(i) for i in mine["k"]))
        for row in mine:
            i, layer = k.index(row["k"]), row["layer"]
            own = plain[1 + i] if method is None else method[i]
            other = plain[0] if text(row["reference"]) == "in_range" else plain[1 + i]
            name = f"{text(job)} k={row['k']} {text(row['reference'])} layer {layer}"
            # Angles and KS amplify rounding where states are the same; the square root of a singular matrix too.
            for column, wanted in alignment(own[layer], other[layer], 5).items():
                checks.same(f"{name} {column}", row[column], wanted, 1e-4 if column == "frechet" else TOLERANCE)
            mse = errors[1 + i] if method is None else errors[1 + len(k) + i]
            checks.same(f"{name} mse", row["mse"], mse.mean())
            if method is not None:
                low, high = ttest_rel(mse, errors[1 + i]).confidence_interval()
                checks.same(f"{name} low", row["change_low"], low)
                checks.same(f"{name} high", row["change_high"], high)


def probe(x, y, held_out):
    """The penalty with the least error on validation rows, and the predictions for test rows."""
    train = len(x) - 2 * held_out
    validation = slice(train, train + held_out)
    size = ((x[:train] - x[:train].mean(0)) ** 2).sum() / x.shape[1]
    fits = [Ridge(alpha=size * 10 ** (-9 + i / 2), solver="svd").fit(x[:train], y[:train]) for i in range(23)]
    best = min(fits, key=lambda f: ((f.predict(x[validation]) - y[validation]) ** 2).sum())
    predicted = best.predict(x[-held_out:])
    return best.alpha, r2_score(y[-held_out:], predicted, multioutput="variance_weighted")


def check_probe(checks, file, rows, folder):
    for job in sorted(set(rows["job"])):
        mine = rows[rows["job"] == job]
        t = tensors(folder + "/" + text(file["jobs"][file["jobs"]["job"] == job]["artifact"][0]))
        x, y, at = t["features"], t["parameters"], 0
        constant = np.ptp(x, axis=0).max() < 1e-6
        for row in mine:
            n = row["numbers"]
            part = x if n == x.shape[1] else x[:, at : at + n]
            at += n
            if constant:
                checks.same(f"{text(job)} constant", min(row["r2"], 0), row["r2"])
                continue
            penalty, r2 = probe(part, y, row["test"])
            name = f"{text(job)} layer {row['layer']}"
            checks.same(name + " penalty", row["penalty"], penalty)
            checks.same(name + " r2", row["r2"], r2)
            if not row["r2_low"] < row["r2"] < row["r2_high"]:
                checks.same(name + " interval", row["r2_low"], row["r2_high"])


def check_agreement(checks, file):
    """Two fits without each head, and the causal map."""
    left_out, effects = file["tables/leave_one_out"][:], file["tables/effects"][:]
    maps = {("left_out", r): left_out[left_out["repeat"] == r]["mse_change"] for r in (0, 1)}
    maps["patching", 0] = effects["effect"]
    pairs = file["tables/agreement"][:]
    checks.same("pairs of maps", len(pairs), 3)
    for pair in pairs:
        x, y = (maps[text(pair[kind]), pair[repeat]] for kind, repeat in
                (("ranking", "repeat"), ("other", "other_repeat")))
        top = len(x) // 4
        first = [set(np.argsort(-m, kind="stable")[:top]) for m in (x, y)]
        name = f"{text(pair['ranking'])} against {text(pair['other'])}"
        checks.same(name + " spearman", pair["spearman"], spearmanr(x, y).statistic)
        checks.same(name + " overlap", pair["overlap"], len(first[0] & first[1]) / top)


def main():
    folder = sys.argv[1]
    checks = Checks()
    with h5py.File(folder + "/results.h5") as file:
        check_compare(checks, file, file["tables/compare"][:], folder)
        check_probe(checks, file, file["tables/probe"][:], folder)
        check_agreement(checks, file)
    print(f"{checks.compared} numbers compared, {checks.wrong} differ")
    return checks.wrong > 0 or checks.compared < 500


if __name__ == "__main__":
    sys.exit(main())
