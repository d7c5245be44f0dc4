"""check_tables.py BINARY - `taskvec table` of the runs of check_tables.sh in the current folder."""
import csv
import io
import json
import os
import re
import subprocess
import sys

(program,) = sys.argv[1:]


def table(*words):
    return subprocess.run([program, "table", *words], stdout=subprocess.PIPE, check=True).stdout.decode()


def as_csv(*words):
    reader = csv.DictReader(io.StringIO(table(*words, "--format", "csv")))
    return reader.fieldnames, list(reader)


def check_groups():
    _, rows = as_csv("one")
    groups = {row["method"]: row["group"] for row in rows}
    wanted = {"plain": "baseline", "ltv": "vector", "constant": "control", "window": "control", "ridge": "estimator"}
    assert groups == wanted, groups
    lines = table("one", "clean", "--wide").splitlines(), table("one", "--wide").splitlines()
    titles = [line for line in lines[1] if line in ("baseline", "vectors", "controls", "estimators, without the model")]
    assert titles[:4] == ["baseline", "vectors", "controls", "estimators, without the model"], titles


def check_transfer():
    """Fits of 16 and 18 points: errors after 15 and 17 examples, those of the rows. Methods without a length share a line."""
    columns, lines = as_csv("lengths", "clean", "--transfer")
    assert [c for c in columns if c.startswith("k=")] == ["k=15", "k=17"], columns
    _, rows = as_csv("lengths", "clean")
    settings = {(r["method"], r["fit_points"]) for r in rows}
    assert {(r["method"], r["fit_points"]) for r in lines} == settings and len(lines) == len(settings), lines
    for line in lines:
        for k in (15, 17):
            (row,) = [r for r in rows if (r["method"], r["fit_points"], r["k"]) ==
                      (line["method"], line["fit_points"], str(k))]
            assert float(line[f"k={k}"]) == float(row["mse"]), (line, row)
    failed = subprocess.run([program, "table", "classes", "--transfer"], capture_output=True, check=False)
    assert failed.returncode == 64 and b"no stage is called" in failed.stderr, failed


def check_methods_together():
    """For people the lines of a method follow each other, although points are the outer axis; programs get the order of
    the config."""
    _, rows = as_csv("lengths")
    assert [row["method"] for row in rows][:5] == ["ltv", "constant", "icv", "ltv", "constant"], rows
    lines = [line.split() for line in table("lengths", "--wide").splitlines()]
    shown = [line[0] for line in lines if line and line[0] in ("ltv", "icv", "constant")]
    assert shown == 2 * ["ltv", "ltv", "icv", "constant", "constant"], shown  # of two stages


def check_error_names():
    assert "Mean squared error after k examples" in table("one", "--wide")
    shares = table("classes", "--wide")
    assert "Share of wrong signs after k examples" in shares and "squared" not in shares, shares


def check_blocks():
    """Two runs with two stages each: people see which is which, programs get one table."""
    header, rows = as_csv("one", "two")
    assert not [row for row in rows if row["method"] == "method"], "the header is repeated"
    assert header[-2:] == ["run", "stage"], header
    blocks = list(dict.fromkeys((row["run"], row["stage"]) for row in rows))
    assert blocks == [("one", "clean"), ("one", "noisy"), ("two", "clean"), ("two", "noisy")], blocks
    for name in header:
        assert re.fullmatch(r"[a-z0-9_.]+", name), f"{name!r} is no plain name"
    assert not [row for row in rows if "-" in row.values()], "a missing cell is not empty"
    parsed = json.loads(table("one", "two", "--format", "json"))
    assert len(parsed) == len(rows) and all(list(a) == header for a in parsed)
    assert [a["stage"] for a in parsed] == [row["stage"] for row in rows]
    for form in "text", "markdown", "latex":
        page = table("one", "two", "--format", form)
        for run, stage in blocks:
            assert page.count(f"{run}, stage {stage}\n") == 1, (form, page)
    assert "stage clean" not in table("one", "clean"), "one table needs no name"


def check_keys():
    """Keys that vary in one stage (lr, lambda) or between two (shift) are columns, in the order of the config."""
    header, rows = as_csv("one")
    assert {"fit_optimiser_lr", "estimate_ridge_lambda", "shift"} <= set(header), header
    fits = [(row["method"], row["fit_optimiser_lr"]) for row in rows if row["fit_optimiser_lr"]]
    assert fits == 2 * [(m, lr) for m in ("ltv", "constant") for lr in ("0.01", "0.001")], fits
    assert [row["method"] for row in rows[:6]] == ["ltv", "ltv", "constant", "constant", "plain", "window"], rows
    assert [row["estimate_ridge_lambda"] for row in rows if row["method"] == "ridge"] == ["0.5", "2.0"]
    assert {(row["stage"], row["shift"]) for row in rows} == {("clean", "none"), ("noisy", "noisy")}
    parsed = json.loads(table("one", "--format", "json"))
    assert [a["fit_optimiser_lr"] for a in parsed[:5]] == [0.01, 0.001, 0.01, 0.001, None], parsed[:5]
    for stage, column, wanted in (("fit", "optimiser_lr", {"0.01", "0.001"}), ("estimate", "ridge_lambda", {"0.5", "2"}),
                                  ("clean", "fit_optimiser_lr", {"0.01", "0.001", ""})):
        _, rows = as_csv("one", stage)
        assert {row[column] for row in rows} == wanted, (stage, rows[0])
        assert column in table("one", stage).split("\n")[0].split(), stage


def check_no_fit():
    """A row without a fit has no length of its prompts, in every table: neither 0 nor "-"."""
    for words in ["one"], ["one", "clean"], ["one", "--rows"]:
        _, rows = as_csv(*words)
        told = {row["method"]: row["fit_points"] for row in rows if row["method"] != "ridge"}
        assert told == {"ltv": "16", "constant": "16", "plain": "", "window": ""}, (words, told)
    parsed = json.loads(table("one", "--rows", "--format", "json"))
    assert {a["fit_points"] for a in parsed if a["method"] == "plain"} == {None}, parsed[-1]
    assert {a["fit_points"] for a in parsed if a["method"] == "ltv"} == {16}, parsed[0]


def check_priorities():
    """In 80 columns results come before the job and details."""
    environment = os.environ | {"COLUMNS": "80"}
    for words, shown in ((["fit"], {"method", "train_loss", "validation_loss", "optimiser_lr"}),
                         (["clean"], {"method", "k", "mse", "mse_low", "mse_high", "fit_optimiser_lr"}),
                         (["clean", "--rows"], {"method", "k", "mse", "mse_low", "mse_high", "fit_optimiser_lr"})):
        lines = subprocess.run([program, "table", "one", *words], stdout=subprocess.PIPE, check=True, text=True,
                               env=environment).stdout.splitlines()
        assert shown <= set(lines[0].split()) and "job" not in lines[0].split(), lines[0]
        assert max(map(len, lines)) <= 80 and "did not fit" in "\n".join(lines), lines[0]


def check_results_file():
    try:
        import h5py
    except ImportError:
        print("no h5py: results.h5 is not checked")
        return
    with h5py.File("one/results.h5") as f:
        jobs, clean, fit = f["jobs"][()], f["tables/clean"][()], f["tables/fit"][()]
        assert f["jobs"].attrs["fit_optimiser_lr.meaning"], "a key does not say what it means"
    assert list(fit["optimiser_lr"]) == [0.01, 0.001, 0.01, 0.001], fit["optimiser_lr"]
    with h5py.File("one/results.h5") as f:
        for name in "clean", "noisy", "estimate":
            told = {f[f"tables/{name}"].attrs[column + ".measure"] for column in ("mse", "mse_low", "mse_high")}
            assert told == {b"mean squared error"}, (name, told)
    with h5py.File("both/results.h5") as f:
        told = f["tables/estimate"].attrs["mse.measure"]
        assert told == b"mean squared error (linear), share of wrong signs (linear_classification)", told
    lr = dict(zip(jobs["job"], jobs["fit_optimiser_lr"]))
    assert lr[b"fit[1]"] == 0.001 and lr[b"clean[1]"] == 0.001 and lr[b"noisy[0]"] == 0.01, lr
    assert lr[b"clean[4]"] != lr[b"clean[4]"], "plain has no learning rate: NaN"
    assert dict(zip(jobs["job"], jobs["fit_method"]))[b"noisy[2]"] == b"constant"
    assert set(zip(jobs["evaluate_shift"], jobs["kind"])) >= {(b"noisy", b"evaluate"), (b"", b"fit")}, jobs
    for row in clean:
        assert row["fit_optimiser_lr"] == lr[row["job"]] or row["fit_points"] != row["fit_points"], row
    assert {row["fit_points"] for row in clean if row["method"] == b"ltv"} == {16}, clean["fit_points"]


check_groups()
check_methods_together()
check_transfer()
check_blocks()
check_keys()
check_no_fit()
check_priorities()
check_results_file()
check_error_names()
print("tables are grouped, name their errors, and blocks of several runs and stages are told apart")
