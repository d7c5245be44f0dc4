"""check_results.py RESULTS FOLDER PAGE - every table of RESULTS read by four readers, compared with
each other and with FOLDER/NAME.csv (what `taskvec table` printed). PAGE, docs/results.md, must describe
every column as the table does."""
import csv
import math
import re
import subprocess
import sys
from pathlib import Path

import h5py
import pandas
import tables

path, folder, page = sys.argv[1:]


def plain(value):
    """A cell as a Python number or text, whoever read it."""
    if isinstance(value, bytes):
        return value.decode()
    return value.item() if hasattr(value, "item") else value


def same(a, b):
    if isinstance(a, float) and isinstance(b, float) and math.isnan(a) and math.isnan(b):
        return True
    return a == b


def check(what, got, wanted):
    assert len(got) == len(wanted), f"{what}: {len(got)} rows, not {len(wanted)}"
    for number, (row, other) in enumerate(zip(got, wanted)):
        for a, b in zip(row, other, strict=True):
            assert same(a, b), f"{what}, row {number}: {a!r} is not {b!r}"


def by_h5py(name):
    with h5py.File(path) as f:
        data = f[name][()]
    return data.dtype.names, [[plain(v) for v in row] for row in data]


def by_pandas(name):
    frame = pandas.read_hdf(path, name)
    return [[plain(v) for v in row] for row in frame.itertuples(index=False)]


def by_pytables(name):
    with tables.open_file(path) as f:
        return [[plain(v) for v in row] for row in f.get_node("/" + name).read()]


def by_h5dump(name):
    """Cells as texts, in order: strings lose their padding, numbers are printed with 17 digits."""
    out = subprocess.run(["h5dump", "-m", "%.17g", "-y", "-w", "0", "-A", "0", "-d", "/" + name, path],
                         check=True, capture_output=True, text=True).stdout
    data = out[out.index("DATA {"):]
    cells = []
    for line in data.splitlines():
        line = line.strip().rstrip(",")
        text = re.fullmatch(r'"(.*)"', line)
        if text:
            cells.append(re.sub(r"(\\000)+$", "", text[1]))
        elif re.fullmatch(r"-?(nan|inf|[\d.][\d.e+-]*)", line):
            cells.append(line)
    return cells


def check_h5dump(name, rows):
    cells = by_h5dump(name)
    flat = [value for row in rows for value in row]
    assert len(cells) == len(flat), f"{name}: h5dump gives {len(cells)} cells, not {len(flat)}"
    for text, value in zip(cells, flat):
        got = text if isinstance(value, str) else type(value)(text.replace("-nan", "nan"))
        assert same(got, value), f"{name}: h5dump gives {text!r}, h5py {value!r}"


def check_csv(name, columns, rows):
    with open(f"{folder}/{name}.csv", newline="") as f:
        header, *lines = csv.reader(f)
    assert header == [*columns, "run", "stage"], f"{name}: {header} is not {columns}"
    assert len(lines) == len(rows), f"{name}: {len(lines)} lines, not {len(rows)}"
    for line, row in zip(lines, rows):
        assert line[-2:] == ["run", name], line
        for text, value in zip(line, row):
            if isinstance(value, float):
                same_value = text == "" if math.isnan(value) else float(text) == value
            else:
                same_value = text == str(value)
            assert same_value, f"{name}: table prints {text!r} for {value!r}"


def described(name, table):
    """Lines of the page about the columns of a table; provenance in /attempts has no meaning there."""
    kinds = {"i": "integer", "f": "real", "S": "text"}
    lines = [f"### /{name}", "", "| column | type | unit | meaning |", "|---|---|---|---|"]
    for column in table.dtype.names:
        meaning, unit = plain(table.attrs[column + ".meaning"]), plain(table.attrs[column + ".unit"])
        kind = kinds[table.dtype[column].kind]
        if column in ("fit_points", "layer") and any(math.isnan(v) for v in table[column]):
            kind = "integer"  # some rows lack it
        if meaning:
            lines.append(f"| `{column}` | {kind} | {unit} | {meaning} |")
        if column == ("artifact" if name == "jobs" else "job") and name != "attempts":
            break  # the keys that vary in this run follow
    return "\n".join(lines) + "\n"


def check_page(results):
    with open(page, encoding="utf-8") as f:
        written = f.read()
    for name in ["jobs", "attempts"] + [f"tables/{n}" for n in results["tables"]]:
        wanted = described(name, results[name])
        assert wanted in written, f"{page} does not describe /{name} as it is; it is:\n\n{wanted}"


with h5py.File(path) as results:
    check_page(results)
    names = list(results["tables"])
    assert names == ["ablation", "agreement", "capture", "compare", "effects", "estimate", "evaluate", "fit", "head_weights",
                     "leave_one_out", "pretrain", "probe"], names
    for name in names:
        table = results["tables"][name]
        for column in table.dtype.names:
            assert table.attrs[column + ".meaning"], f"{name}.{column} does not say what it means"
            assert column + ".unit" in table.attrs
    with open(f"{folder}/resolved.cfg") as f:
        assert results["config"][()].decode() == f.read(), "/config is not the resolved config"
    for field in ["revision", "compiler", "flags", "blas", "core", "mpi", "hdf5", "host", "seed",
                  "command", "utc", "cpu"]:
        assert results["provenance"][field][()], f"/provenance/{field} is missing"

    for job in results["jobs"]:
        artifact = Path(path).parent / job["artifact"].decode()
        assert artifact.is_file() and job["identity"].decode() in artifact.name, job

    journal = Path(path).parent.joinpath("journal").read_text(errors="replace")
    for word in ["found", "made"]:
        counted = sum(int(n) for n in re.findall(rf"\t{word}=([0-9]+)", journal))
        assert sum(results["jobs"][f"contexts_{word}"]) == counted > 0, f"contexts {word}"

    attempts = results["attempts"]
    fields = [n for n in attempts.dtype.names if attempts.dtype[n].kind == "S"]
    assert len(fields) >= 25, f"{len(fields)} fields of provenance: {fields}"
    for number, attempt in enumerate(attempts):
        empty = [n for n in fields if not attempt[n]]
        assert not empty, f"attempt {number} does not say {empty}"
    known = {int(a["number"]) for a in attempts}
    assert set(results["jobs"]["attempt"]) <= known, "a job names an attempt that is not there"

for name in ["jobs", "attempts"] + ["tables/" + n for n in names]:
    columns, rows = by_h5py(name)
    assert rows, f"{name} is empty"
    check(f"{name} in pandas", by_pandas(name), rows)
    check(f"{name} in PyTables", by_pytables(name), rows)
    check_h5dump(name, rows)
    if name.startswith("tables/"):
        check_csv(name.removeprefix("tables/"), columns, rows)
