"""check_tables.py BINARY - `taskvec table` of the runs of check_tables.sh in the current folder."""
import csv
import io
import json
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


check_groups()
check_blocks()
check_error_names()
print("tables are grouped, name their errors, and blocks of several runs and stages are told apart")
