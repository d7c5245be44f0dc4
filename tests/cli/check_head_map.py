"""check_head_map.py - what head_map.py drew in the current folder (NAME.csv, NAME.lines.csv) against the tables that taskvec
printed (NAME.TABLE.csv)."""
import collections
import csv
import math


def table(name):
    with open(name + ".csv", newline="", encoding="utf-8") as f:
        return list(csv.DictReader(f))


def drawn(name):
    """{all but the last cell: the number}"""
    with open(name + ".csv", newline="", encoding="utf-8") as f:
        return {tuple(row[:-1]): float(row[-1]) for row in csv.reader(f)}


def compare(got, rows, key_of, value):
    wanted = collections.defaultdict(list)
    for row in rows:
        if key_of(row):
            wanted[key_of(row)].append(float(row[value]))
    assert wanted and set(wanted) <= set(got), (sorted(wanted)[:2], sorted(got)[:2])
    for key, values in wanted.items():
        assert math.isclose(got[key], sum(values) / len(values), rel_tol=1e-9, abs_tol=1e-12), (key, got[key], values)
    return set(wanted)


def at(row, title):
    return row["source"], title, row["layer"], row["head"]


# ---- functions: two learning rates are two panels, each the mean of two repeats
maps = drawn("numbers")
seen = compare(maps, table("numbers.head_weights"),
               lambda r: at(r, f"ltv, heads: change of weight, lr {float(r['fit_optimiser_lr'])}"), "change")
seen |= compare(maps, table("numbers.effects"), lambda r: at(r, "indirect effect"), "effect")
assert seen == set(maps) and len(maps) == 3 * 4, sorted(set(maps) ^ seen)

# ---- text: panels of each task, and induction in a row of its own
maps = drawn("text")
names = {"ltv": "ltv, heads", "site": "site"}
seen = compare(maps, table("text.head_weights"), lambda r: at(r, f"{names[r['method']]}: change of weight"), "change")
titles = {"patching": "indirect effect", "induction": "induction score"}
seen |= compare(maps, table("text.effects"), lambda r: at(r, titles[r["measure"]]), "effect")
assert seen == set(maps) and len(maps) == (2 * 3 + 1) * 12, sorted(set(maps) ^ seen)
assert ("random tokens", "induction score", "0", "0") in maps
one = drawn("one")
compare(one, [r for r in table("text.head_weights") if r["source"] == "number"],
        lambda r: at(r, f"{names[r['method']]}: weight"), "weight")
assert {key[0] for key in one} == {"number"}

# ---- curves: without exclusion, means over repeats and random orders
for run, value, lines in (("numbers", "loss", "numbers.lines"), ("text", "loss", "text.lines"), ("text", "first_accuracy", "accuracy")):
    curves = drawn(lines)
    assert compare(curves, table(f"{run}.ablation"), lambda r: (r["source"], r["ranking"], r["fit"], str(float(r["share"])))
                   if r["excluded"] == "none" else None, value) == set(curves)
