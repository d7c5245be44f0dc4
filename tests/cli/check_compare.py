"""check_compare.py BINARY - every number of `taskvec table --compare` for the run of check_compare.sh in the
current folder, computed again from its artifacts: resamples and sign flips with Philox in NumPy, tests with
SciPy where it is there. Then the forms of the table."""
import csv
import functools
import hashlib
import io
import itertools
import json
import os
import subprocess
import sys

import h5py
import numpy as np

try:
    import scipy.stats as scipy_stats
except ImportError:
    scipy_stats = None
    print("no SciPy: Wilcoxon's p and t intervals are not compared")

(program,) = sys.argv[1:]
RESAMPLES, FLIPS, EXACT = 2000, 9999, 14
MASK = np.uint64(0xFFFFFFFF)


def table(*words):
    return subprocess.run([program, "table", *words], stdout=subprocess.PIPE, check=True).stdout.decode()


# ---- Philox4x64-10 (Salmon et al. 2011), over arrays of counters


def multiply(m, x):
    """High and low words of m x."""
    m_low, m_high, x_low, x_high = m & MASK, m >> np.uint64(32), x & MASK, x >> np.uint64(32)
    low_high, high_low = m_low * x_high, m_high * x_low
    middle = (m_low * x_low >> np.uint64(32)) + (low_high & MASK) + (high_low & MASK)
    carry = (low_high >> np.uint64(32)) + (high_low >> np.uint64(32)) + (middle >> np.uint64(32))
    return m_high * x_high + carry, m * x


def philox(counter, key):
    key = [np.uint64(k) for k in key]
    with np.errstate(over="ignore"):
        for _ in range(10):
            high_0, low_0 = multiply(np.uint64(0xD2E7470EE14C6C93), counter[0])
            high_1, low_1 = multiply(np.uint64(0xCA5A826395121157), counter[2])
            counter = [high_1 ^ counter[1] ^ key[0], low_1, high_0 ^ counter[3] ^ key[1], low_0]
            key = [key[0] + np.uint64(0x9E3779B97F4A7C15), key[1] + np.uint64(0xBB67AE8584CAA73B)]
    return counter


@functools.lru_cache
def draw(name, bound, samples, draws):
    """Integers below `bound` [samples, draws]: the first word of a block; that it is too large to be unbiased
    does not happen here."""
    key = (1, int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big"))
    sample, number = np.meshgrid(np.arange(samples, dtype=np.uint64), np.arange(draws, dtype=np.uint64), indexing="ij")
    words = philox([number, np.zeros_like(sample), sample, np.ones_like(sample)], key)[0]
    assert words.max() < 2**64 - 2**64 % bound
    return (words % np.uint64(bound)).astype(np.int64)


@functools.lru_cache
def flips(functions):
    words = draw("sign_flip", 2**32, FLIPS, -(-functions // 32)).astype(np.uint32)
    bits = np.unpackbits(words.view(np.uint8), axis=1, bitorder="little")
    return 1.0 - 2.0 * bits[:, :functions]


# ---- what the artifacts hold


def errors_of(path):
    with open(path, "rb") as f:
        size = int.from_bytes(f.read(8), "little")
        about = json.loads(f.read(size))["errors"]
        f.seek(8 + size + about["data_offsets"][0])
        return np.frombuffer(f.read(4 * np.prod(about["shape"])), "<f4").reshape(about["shape"]).astype(float)


def lines_of(run, results, stage):
    """{(setting, line): {repeat: errors}}"""
    artifacts = {j["job"]: f"{run}/{j['artifact'].decode()}" for j in results["jobs"][()]}
    lines = {}
    for row in results["tables/" + stage][()]:
        if row["k"] == 0:
            key = setting_key(row), line_key(row)
            lines.setdefault(key, {})[int(row["repeat"])] = errors_of(artifacts[row["job"]])
    return lines


def setting_key(row):
    """Shift and model."""
    return row["shift"].decode(), float(row["pretrain_repeat"]) if "pretrain_repeat" in row.dtype.names else 0.0


def line_key(row):
    rate = row["fit_optimiser_lr"] if "fit_optimiser_lr" in row.dtype.names else np.nan
    return row["method"].decode(), row["reading"].decode(), "" if np.isnan(rate) else f"{rate:g}"


# ---- the statistics again


def paired(a, b, fitted_a, fitted_b):
    """Errors [seeds, functions, points] of both for the repeats that both have."""
    lead = a if fitted_a else b
    both = [r for r in lead if (r in a or not fitted_a) and (r in b or not fitted_b)]
    pick = lambda x, fitted: np.stack([x[r if fitted else 0] for r in both])
    return pick(a, fitted_a), pick(b, fitted_b)


def crossed(above, below=None):
    """Value, low and high of the mean, or of a ratio of sums, [seeds, functions]."""
    seeds, functions = above.shape
    s, f = draw("bootstrap/seeds", seeds, RESAMPLES, seeds), draw("bootstrap/functions", functions, RESAMPLES, functions)
    pick = lambda x: x[s[:, :, None], f[:, None, :]].sum((1, 2))
    under = pick(below) if below is not None else above.size
    total = below.sum() if below is not None else above.size
    return above.sum() / total, *np.percentile(pick(above) / under, [2.5, 97.5])


def sign_flip(d):
    if not d.any():
        return np.nan
    if len(d) <= EXACT:
        signs = np.array(list(itertools.product([1.0, -1.0], repeat=len(d))))
        return np.mean(np.abs(signs @ d) >= abs(d.sum()) - 1e-12 * np.abs(d).sum())
    found = (np.abs(flips(len(d)) @ d) >= abs(d.sum()) - 1e-12 * np.abs(d).sum()).sum()
    return (1 + found) / (1 + FLIPS)


def wilcoxon(d):
    if not d.any():
        return np.nan
    for name in "asymptotic", "approx":
        try:
            return scipy_stats.wilcoxon(d, zero_method="wilcox", correction=False, method=name).pvalue
        except (TypeError, ValueError):
            pass
    raise AssertionError("this SciPy has neither method")


def rank_effect(d):
    d = d[d != 0]
    if not len(d):
        return np.nan
    size = np.abs(d)
    ranks = np.array([(size < x).sum() + ((size == x).sum() + 1) / 2 for x in size])
    return ranks @ np.sign(d) / ranks.sum()


def holm(p):
    known = sorted((x, i) for i, x in enumerate(p) if not np.isnan(x))
    out, least = np.full(len(p), np.nan), 0.0
    for rank, (x, i) in enumerate(known):
        least = out[i] = max(least, min(1.0, (len(known) - rank) * x))
    return out


def numbers_of(a, b):
    """Of errors [seeds, functions] of both lines."""
    d, seeds = a - b, len(a)
    one = d.mean(0)
    wanted = dict(functions=d.shape[1], seeds=seeds, error=a.mean(), against_error=b.mean(), p=sign_flip(one),
                  effect=one.mean() / one.std(ddof=1) if one.any() else np.nan, rank_effect=rank_effect(one),
                  worse=(one > 0).mean())
    wanted["difference"], wanted["difference_low"], wanted["difference_high"] = crossed(d)
    by_seed = d.mean(1)
    wanted["by_seed"] = list(by_seed) if 2 <= seeds <= 4 else []
    if scipy_stats:
        wanted["p_wilcoxon"] = wilcoxon(one)
        wanted["seeds_low"] = wanted["seeds_high"] = np.nan
        if 2 <= seeds <= 4:
            half = scipy_stats.t.ppf(0.975, seeds - 1) * by_seed.std(ddof=1) / np.sqrt(seeds)
            wanted["seeds_low"], wanted["seeds_high"] = by_seed.mean() - half, by_seed.mean() + half
    return wanted


def recovered(method, plain, oracle):
    names = ("recovered", "recovered_low", "recovered_high")
    lost = crossed(plain - oracle)
    if not (lost[1] > 0 or lost[2] < 0):
        return dict.fromkeys(names, np.nan)
    return dict(zip(names, crossed(plain - method, plain - oracle)))


def same(got, wanted):
    if np.isnan(wanted) or np.isnan(got):
        return np.isnan(wanted) and np.isnan(got)
    return abs(got - wanted) <= 1e-5 * max(abs(wanted), 1e-3)


def others_of(lines, setting, line, k):
    """What the line must be compared with, in this order."""
    here = [name for where, name in lines if where == setting]
    mean = lambda name: np.mean([e[:, k].mean() for e in lines[setting, name].values()])
    yield ("plain", "", "")
    if line[0] in ("ltv", "icv", "dummy"):
        for method in "constant", "window":
            found = [name for name in here if name[0] == method]
            if found:
                yield min(found, key=mean)
        reading = ".".join(x for x in line[:2] if x)
        yield from [name for name in here if name[0] == "mismatched" and name[1:] == (reading, line[2])]


def errors_in(lines, setting, line, other, k):
    """Errors [seeds, functions] in a range of k of the line, of the other and of the oracle."""
    bare = {"plain", "zero", "window", "oracle"}
    a, b = paired(lines[setting, line], lines[setting, other], line[0] not in bare, other[0] not in bare)
    oracle = lines.get((setting, ("oracle", "", "")), {0: np.full_like(a[0], np.nan)})[0]
    a, b = a[:, :, k].mean(2), b[:, :, k].mean(2)
    return a, b, np.broadcast_to(oracle[:, k].mean(1), b.shape)


def check_row(row, where, errors, beyond):
    line, other = line_key(row), row["against"].decode()
    wanted = numbers_of(*errors[:2])
    has_recovered = beyond and other == "plain" and line[0] != "oracle"
    empty = dict.fromkeys(("recovered", "recovered_low", "recovered_high"), np.nan)
    wanted |= recovered(*errors) if has_recovered else empty
    by_seed = [float(x) for x in row["by_seed"].decode().split()]
    assert np.allclose(by_seed, wanted.pop("by_seed"), rtol=1e-5, atol=1e-9), f"{where}: {by_seed}"
    for name, value in wanted.items():
        assert same(float(row[name]), float(value)), f"{where}: {name} is {row[name]!r}, NumPy has {value!r}"


def range_of(row):
    return slice(int(row["k_first"]), int(row["k_last"]) + 1)


def check_stage(run, results, stage):
    """Comparisons of one model each; returns what the stage has for comparisons of several."""
    lines = lines_of(run, results, stage)
    rows = results["comparisons/" + stage][()]
    first_beyond = min(int(row["k_first"]) for row in rows if row["range"] == b"beyond")
    rows, adjusted, seen, at = rows[rows["models"] == 1], {}, set(), 0
    while at < len(rows):
        setting, line, k = setting_key(rows[at]), line_key(rows[at]), range_of(rows[at])
        seen.add((setting, line))
        for other in others_of(lines, setting, line, k):
            row = rows[at]
            where = f"{stage} row {at}, {line} against {other}, k {k.start}-{k.stop - 1}"
            assert (line_key(row), row["against"].decode()) == (line, other[0]), f"{where}: {row}"
            check_row(row, where, errors_in(lines, setting, line, other, k), k.start >= first_beyond)
            adjusted.setdefault((setting, k.start, k.stop), []).append((at, float(row["p"])))
            at += 1
    assert seen == {key for key in lines if key[1][0] != "plain"}, "a line is not compared"
    check_holm(rows, adjusted, stage)
    return len(rows), lines, first_beyond


def check_holm(rows, adjusted, where):
    for family in adjusted.values():
        for (i, _), p in zip(family, holm([p for _, p in family])):
            assert same(float(rows[i]["p_holm"]), p), f"{where} row {i}: p_holm is {rows[i]['p_holm']}, not {p}"


def check_models(rows, parts, n_models):
    """Comparisons over all models of `parts` [(lines, first k beyond)]: each model is a seed, its repeats averaged."""
    assert len(rows) > 0 and all(int(row["models"]) == n_models for row in rows), rows["models"]
    adjusted = {}
    for at, row in enumerate(rows):
        shift, k, errors = row["shift"].decode(), range_of(row), []
        for lines, first_beyond in parts:
            for setting in dict.fromkeys(where for where, _ in lines if where[0] == shift):
                (other,) = [o for o in others_of(lines, setting, line_key(row), k) if o[0] == row["against"].decode()]
                errors.append([x.mean(0) for x in errors_in(lines, setting, line_key(row), other, k)])
        assert len(errors) == n_models
        check_row(row, f"models, row {at}", np.stack(errors, 1), k.start >= first_beyond)
        adjusted.setdefault((shift, k.start, k.stop), []).append((at, float(row["p"])))
    check_holm(rows, adjusted, "models")


def check_columns(results, page):
    """docs/results.md describes every column as the file does."""
    data = results["comparisons/few"]
    kinds = {"i": "integer", "f": "real", "S": "text"}
    lines = ["### /comparisons/STAGE", "", "| column | type | unit | meaning |", "|---|---|---|---|"]
    for column in data.dtype.names:
        if column != "fit_optimiser_lr":
            about = [data.attrs[f"{column}.{x}"].decode() for x in ("unit", "meaning")]
            lines.append(f"| `{column}` | {kinds[data.dtype[column].kind]} | {about[0]} | {about[1]} |")
    wanted = "\n".join(lines) + "\n"
    with open(page, encoding="utf-8") as f:
        assert wanted in f.read(), f"{page} does not describe /comparisons as it is; it is:\n\n{wanted}"


def check_forms(results):
    """CSV and JSON have the cells of results.h5; text fits 80 columns; no form has a NaN."""
    for stage in "many", "few":
        rows = results["comparisons/" + stage][()]
        lines = list(csv.DictReader(io.StringIO(table("run", stage, "--compare", "--format", "csv"))))
        assert len(lines) == len(rows) and list(lines[0]) == [*rows.dtype.names, "run", "stage"]
        for line, row in zip(lines, rows):
            for name in rows.dtype.names:
                value = row[name]
                if isinstance(value, bytes):
                    assert line[name] == value.decode(), (name, line[name], value)
                else:
                    assert line[name] == "" if np.isnan(value) else float(line[name]) == value, (name, line, value)
    parsed = json.loads(table("run", "few", "--compare", "--format", "json"))
    assert parsed[0]["method"] == "ltv" and isinstance(parsed[0]["difference"], float) and parsed[0]["stage"] == "few"
    environment = os.environ | {"COLUMNS": "80"}
    text = subprocess.run([program, "table", "run", "--compare"], stdout=subprocess.PIPE, check=True, text=True,
                          env=environment).stdout
    assert max(map(len, text.splitlines())) <= 80, text
    for part in "run, stage many", "run, stage few", "shift = noisy; k 16-23, beyond the trained range; one model", "Holm":
        assert part in text, (part, text)
    for form in "text", "csv", "json", "markdown", "latex":
        page = table("run", "--compare", "--format", form)
        assert "nan" not in page.lower() and "inf" not in page.lower(), (form, page)


def rows_of_csv(*runs):
    """The comparisons of several models as `table` prints them, as a structured array."""
    lines = list(csv.DictReader(io.StringIO(table(*runs, "--compare", "--format", "csv"))))
    lines = [line for line in lines if int(line["models"]) > 1]
    assert {line["run"] for line in lines} == {runs[0]}, "the first run has them"
    with h5py.File(f"{runs[0]}/results.h5") as file:
        types = file["comparisons/evaluate"].dtype
    cell = lambda name, text: text.encode() if types[name].kind == "S" else float(text or "nan")
    wide = [(name, "S200" if types[name].kind == "S" else "f8") for name in types.names]
    return np.array([tuple(cell(name, line[name]) for name in types.names) for line in lines], dtype=wide)


with h5py.File("run/results.h5") as file:
    found = [check_stage("run", file, stage) for stage in ("many", "few")]
    seeds = set(file["comparisons/many"]["seeds"])
    assert seeds >= {1, 2, 3}, f"seeds: {seeds}"
    check_columns(file, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/results.md"))
    check_forms(file)
with h5py.File("three/results.h5") as three, h5py.File("two/results.h5") as two:
    found += [check_stage("three", three, "evaluate"), check_stage("two", two, "evaluate")]
    rows = three["comparisons/evaluate"][()]
    check_models(rows[rows["models"] > 1], [found[2][1:]], 3)
    check_models(rows_of_csv("three", "two"), [found[2][1:], found[3][1:]], 5)
    assert len(rows_of_csv("three", "three")) == sum(rows["models"] > 1), "a model counts once"
text = table("three", "two", "--compare")
assert "; one model\n" in text and "; 5 models\n" in text and "pretrain.repeat = 1; k 0" in text, text
print(f"{sum(f[0] for f in found)} comparisons agree with NumPy{' and SciPy' if scipy_stats else ''}")
