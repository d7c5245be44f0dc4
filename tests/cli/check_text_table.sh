#!/usr/bin/env bash
# check_text_table.sh BINARY [SOURCE] - the main table of evaluations on text: its means are those of the rows, a task whose answers
# do not depend on the labels is marked, means over tasks follow with it and without it, and it fits 80 columns; comparisons are
# those of single items.
set -euo pipefail
(($#)) || { echo "usage: check_text_table.sh BINARY [SOURCE]" >&2; exit 64; }
program=$(realpath -- "$1")
here=$(cd -- "$(dirname -- "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
mkdir "$work/some"
cd -- "$work/some"
export ASAN_OPTIONS=detect_leaks=0
python3 "$here/../mpi/make_text_model.py" model
python3 - <<'END_OF_TASKS'
import json, os
words = [f"{a}{b}" for a in "abcdef" for b in "ghijklmn"]
tasks = {"same": lambda w: "z", "first": lambda w: w[0]}
for folder in "mix", "more":
    os.mkdir(folder)
for name, answer in tasks.items():
    for folder in ".", "mix":
        json.dump([{"input": w, "output": answer(w)} for w in words], open(f"{folder}/{name}.json", "w"))
json.dump([{"input": w, "output": w[0] + w[1]} for w in words], open("more/first.json", "w"))
END_OF_TASKS
cat >text.cfg <<'END_OF_CONFIG'
name = "table"; seed = 3;
source = { kind = "text"; task = ["same.json", "first.json", "more/first.json"]; tokenizer = "model/tokenizer.json"; template = "{x}:{y}\n"; };
stages = (
  { stage = "pretrain"; source = { task = "mix"; }; model = { layers = 2; heads = 2; width = 16; positions = 64; };
    points = 4; batch = 32; shards = 1; steps = 500; optimiser = { lr = 1e-2; warmup = 5; }; },
  { stage = "fit"; of = "pretrain"; method = ["ltv", "constant"]; basis = "mean"; basis_points = 4; points = 1; prompts = 16;
    batch = 16; epochs = 6; repeat = [0, 1]; optimiser = { lr = 0.5; }; },
  { stage = "fit"; name = "initial"; of = "pretrain"; method = "ltv"; basis = "mean"; basis_points = 4; points = 1; prompts = 16;
    batch = 16; epochs = 0; repeat = [0, 1]; optimiser = { lr = 0.5; }; },
  { stage = "evaluate"; of = ["fit", "initial"]; also = ["plain", "random", "mismatched"]; points = [1, 4]; shift = ["none", "shuffled_labels"]; },
  { stage = "evaluate"; name = "templates"; of = "fit"; source = { task = "first.json"; template = ["{x}:{y}\n", "{x} -> {y}\n"]; };
    points = 1; } );
END_OF_CONFIG
timeout 120 "$program" run text.cfg -o run --quiet --in-process >/dev/null
"$program" table run evaluate --format csv >rows.csv
"$program" table run --format csv >main.csv
"$program" table run >main.txt
"$program" table run --intervals --format markdown >main.md
"$program" table run --format latex >main.tex
grep -q '| low |' main.md
grep -q midrule main.tex
"$program" table run --format json >main.json
"$program" table run evaluate --wide >rows.txt
"$program" table run templates --format csv >templates.csv
"$program" plan text.cfg >plan.txt 2>notes
grep -q 'templates.points: without "plain" at 4 points the main table lacks the prompt of equal budget' notes
[[ $(grep -c 'prompt of equal budget' notes) == 1 ]]
"$program" table run --compare --format csv >compare.csv
"$program" table run --compare >compare.txt
for measure in accuracy first_accuracy stripped loss perplexity rank d_ntp worse; do
    "$program" table run --measure $measure >"$measure.txt"
    "$program" table run --measure $measure --tasks >>tasks.txt
done
rc=0
"$program" table run --measure mse 2>/dev/null || rc=$?
[[ $rc == 64 ]] || { echo "--measure mse: code $rc"; exit 1; }
python3 -c 'import glob, sys
wide = [line for f in glob.glob("*.txt") if f not in ("rows.txt", "plan.txt") for line in open(f, encoding="utf-8") if len(line) > 81]
sys.exit("wider than 80 columns: " + "".join(wide) if wide else 0)'
python3 - <<'END_OF_CHECK'
import csv, glob, json, math, struct


def read(path):
    data = open(path, "rb").read()
    n = struct.unpack("<Q", data[:8])[0]
    head = json.loads(data[8:8 + n])
    job, out = json.loads(head.pop("__metadata__")["taskvec"])["job"], {}
    for name, t in head.items():
        a, b = t["data_offsets"]
        x = struct.unpack(f"<{(b - a) // 4}f", data[8 + n + a:8 + n + b])
        width = t["shape"][-1] if len(t["shape"]) > 1 else 1
        out[name] = [x[i:i + width] for i in range(0, len(x), width)]
    return job, out


tensors = dict(read(path) for path in glob.glob("run/artifacts/*/*.safetensors")).__getitem__


def losses(job):  # cross entropy of a token of each item's answer
    return [-s[1] / s[2] for s in tensors(job)["scores"]]


def labels(job):
    t = tensors(job)
    assert len(t["label_log_prob"][0]) == len(t["labels"]) and t["labels"] == sorted(t["labels"]), job
    for row in t["label_log_prob"]:
        assert abs(sum(math.exp(x) for x in row) - 1) < 1e-5, row
    return t["label_log_prob"]


rows, main = (list(csv.DictReader(open(f, newline=""))) for f in ("rows.csv", "main.csv"))
main = [line for line in main if line["stage"] == "evaluate"]
assert len(rows) == 171 and len(main) == 90, (len(rows), len(main))  # without shots labels are not shuffled
names = {r["source_task"] for r in rows}
assert names == {"same", "some/first", "more/first"}, names
plan = open("plan.txt").read()
assert "source.task=same " in plan and "source.task=more/first " in plan and "/same" not in plan, plan
assert "more/first" in open("rows.txt").read()
prompts = lambda r: (r["source_task"] if "source_task" in r else r["task"], r["k"], r["shift"])
method = lambda r: (r["method"] + " " + r.get("reading", "")).strip()
fit = lambda r: r["fit"] if "fit" in r else {"": "", "6": "fit", "0": "initial"}[r["fit_epochs"]]  # by its stage
key = lambda r: (method(r), fit(r), *prompts(r))
measures = {"accuracy": "accuracy", "first_accuracy": "first", "stripped": "stripped", "loss": None, "perplexity": None, "rank": None}
for line in main:
    own = [r for r in rows if key(r) == key(line)]
    assert len(own) == int(line["repeats"]) == (1 if line["method"] == "plain" else 2), line
    for name, ends in measures.items():
        mean = sum(float(r[name]) for r in own) / len(own)
        assert abs(float(line[name]) - mean) < 1e-6 * max(1, mean), (name, mean, line)
        for end in ("_low", "_high") if ends and len(own) == 1 else ():
            assert abs(float(line[ends + end]) - float(own[0][ends + end])) < 1e-12, (ends, line)
    assert line["crossed"] == own[0]["crossed"] == "0", line
    found = [labels(r["job"]) for r in own]
    of = [labels(r["job"]) for r in rows if key(r) == ("plain", "", line["task"], "3", "none")][0]
    kl = [sum(math.exp(p) * (p - q) for p, q in zip(a, b)) for one in found for a, b in zip(of, one)]
    assert abs(float(line["d_ntp"]) - sum(kl) / len(kl)) < 1e-9, (line, kl)
assert max(float(line["d_ntp"]) for line in main) > 1e-6
for line in main:
    if line["method"] == "plain":
        assert line["worse"] == "", line
        continue
    own = [losses(r["job"]) for r in rows if key(r) == key(line)]
    without = [losses(r["job"]) for r in rows if key(r) == ("plain", "", *prompts(line))][0]
    share = sum(x > y for one in own for x, y in zip(one, without)) / (len(own) * len(without))
    assert abs(float(line["worse"]) - share) < 1e-12, (line, share)
assert len({line["worse"] for line in main}) > 2, [line["worse"] for line in main]
plain = {(r["source_task"], r["k"], r["shift"]): float(r["accuracy"]) for r in rows if r["method"] == "plain"}
assert plain["same", "3", "none"] == 1, plain
for line in main:
    share, clean, shuffled = line["shuffled_share"], plain[line["task"], "3", "none"], plain[line["task"], "3", "shuffled_labels"]
    assert float(line["plain_accuracy"]) == clean and float(line["plain_shuffled"]) == shuffled, line
    assert share == "" if clean == 0 else float(share) == shuffled / clean, line
    assert line["task"] != "same" or float(share) >= 0.8, line
text = open("main.txt").read()
harmless = {t for t in names if plain[t, "3", "none"] and plain[t, "3", "shuffled_labels"] >= 0.8 * plain[t, "3", "none"]}
assert "same" in harmless
items = rows[0]["items"]
for name in names:
    share = f"plain 3-shot {plain[name, '3', 'none']:.3f}, shuffled {plain[name, '3', 'shuffled_labels']:.3f}"
    assert f"{name}{' *' if name in harmless else ''} ({items} items; {share})" in text, (name, text)
assert "mean over 3 tasks" in text and (len(harmless) == 3 or f"mean over the {3 - len(harmless)} without *" in text), text
assert text.splitlines()[1].split() == ["method", "fit", "3-shot", "3-shot", "shuffled", "0-shot"], text
assert len(json.load(open("main.json"))) > 0
assert any(line.split()[:3] == ["method", "fit", "mean"] for line in open("tasks.txt"))

# ---- comparisons, one number an item
def wrong(method, of, prompts):  # [repeats][items]
    found = [r for r in rows if (r["method"], r["fit_epochs"]) == (method, of) and r["source_task"] == prompts[0] and (r["k"], r["shift"]) == prompts[1:]]
    return [[1 - s[4] for s in tensors(r["job"])["scores"]] for r in found]


compared, seen = list(csv.DictReader(open("compare.csv", newline=""))), set()
for c in compared:
    if c["stage"] != "evaluate":
        continue
    here = (c["source_task"], c["k_first"], c["shift"])
    own, of = wrong(c["method"], c["fit_epochs"], here), c["fit_epochs"]
    made = lambda control, reading: [[1 - s[4] for s in tensors(r["job"])["scores"]] for r in rows
                                     if (r["method"], r["reading"], r["fit_epochs"]) == (control, reading, of) and prompts(r) == here]
    if c["method"] in ("random", "mismatched"):  # one for each fit
        own = made(c["method"], c["reading"])
    against = {"plain": lambda: wrong("plain", "", here), "constant": lambda: wrong("constant", "6", here),
               "initial weights": lambda: wrong("ltv", "0", here), "plain 3-shot": lambda: wrong("plain", "", (here[0], "3", "none")),
               "random": lambda: made("random", "ltv.heads"), "mismatched": lambda: made("mismatched", "ltv.heads")}[c["against"]]()
    assert len(own) == 2 and len(against) in (1, 2), (c, len(own), len(against))
    d = [sum(own[s][i] - against[s % len(against)][i] for s in range(2)) / 2 for i in range(len(own[0]))]
    assert abs(float(c["difference"]) - sum(d) / len(d)) < 1e-12 and float(c["worse"]) == sum(x > 0 for x in d) / len(d), (c, d)
    assert c["range"] == "shots" and int(c["functions"]) == len(d) <= 14, c
    if any(d):
        size, flips = abs(sum(d)) - 1e-9, 2 ** len(d)
        as_large = sum(abs(sum(-x if f >> i & 1 else x for i, x in enumerate(d))) >= size for f in range(flips))
        assert abs(float(c["p"]) - as_large / flips) < 1e-12, (c, as_large / flips)
    seen.add((c["method"], c["against"]))
    seen.add(bool(any(d)))
assert {("ltv", a) for a in ("plain", "constant", "random", "mismatched", "initial weights", "plain 3-shot")} <= seen, seen
assert ("random", "plain") in seen and ("constant", "constant") not in seen and True in seen, seen
wide = open("compare.txt").read()
assert f"same *, 0-shot; plain 3-shot 1.000, shuffled" in wide and "first, 3-shot shuffled; plain" in wide, wide

# ---- another template, fits of other tasks
here = [r for r in csv.DictReader(open("templates.csv", newline=""))]
assert {r["source_template"] for r in here} == {"{x}:{y}\\n", "{x} -> {y}\\n"}, here
assert {r["fit_source_task"] for r in here} == names, here
assert f"template={{x}} -> {{y}}\\n ({items} items)" in text and "task=more/first" in text and "template" not in text.split("stage templates")[0], text
END_OF_CHECK
echo "the tables and comparisons of 171 evaluations on text"
