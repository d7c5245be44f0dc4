#!/usr/bin/env bash
# check_text_table.sh BINARY [SOURCE] - the main table of evaluations on text: its means are those of the rows, a task whose answers
# do not depend on the labels is marked, means over tasks follow with it and without it, and it fits 80 columns.
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
words = [f"{a}{b}" for a in "abcdef" for b in "ghijkl"]
json.dump([{"input": w, "output": "z"} for w in words], open("same.json", "w"))
json.dump([{"input": w, "output": w[0]} for w in words], open("first.json", "w"))
os.mkdir("more")
json.dump([{"input": w, "output": w[0] + w[1]} for w in words], open("more/first.json", "w"))
END_OF_TASKS
cat >text.cfg <<'END_OF_CONFIG'
name = "table"; seed = 3;
source = { kind = "text"; task = ["same.json", "first.json", "more/first.json"]; tokenizer = "model/tokenizer.json"; template = "{x}:{y}\n"; };
stages = (
  { stage = "pretrain"; source = { task = "same.json"; }; model = { layers = 2; heads = 2; width = 16; positions = 64; };
    points = 3; batch = 16; shards = 1; steps = 60; optimiser = { lr = 1e-2; warmup = 5; }; },
  { stage = "fit"; of = "pretrain"; method = "constant"; points = 1; prompts = 8; batch = 8; epochs = 1; repeat = [0, 1]; },
  { stage = "evaluate"; of = "fit"; also = ["plain", "random"]; points = [1, 3]; shift = ["none", "shuffled_labels"]; },
  { stage = "evaluate"; name = "templates"; of = "fit"; source = { task = "first.json"; template = ["{x}:{y}\n", "{x} -> {y}\n"]; };
    points = [1]; } );
END_OF_CONFIG
timeout 120 "$program" run text.cfg -o run --quiet --in-process >/dev/null
"$program" table run evaluate --format csv >rows.csv
"$program" table run --format csv >main.csv
"$program" table run >main.txt
"$program" table run --intervals --format markdown | grep -q '| low |'
"$program" table run --format latex | grep -q midrule
"$program" table run --format json >main.json
"$program" table run evaluate --wide >rows.txt
"$program" table run templates --format csv >templates.csv
"$program" plan text.cfg >plan.txt
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
python3 - "$program" <<'END_OF_CHECK'
import csv, json, math, struct, subprocess, sys


def tensors(job):
    path = subprocess.run([sys.argv[1], "artifact", "run", job], capture_output=True, text=True).stdout.splitlines()[1]
    data = open(path.split()[-1], "rb").read()
    n = struct.unpack("<Q", data[:8])[0]
    out = {}
    for name, t in json.loads(data[8:8 + n]).items():
        if name == "__metadata__":
            continue
        a, b = t["data_offsets"]
        x = struct.unpack(f"<{(b - a) // 4}f", data[8 + n + a:8 + n + b])
        width = t["shape"][-1] if len(t["shape"]) > 1 else 1
        out[name] = [x[i:i + width] for i in range(0, len(x), width)]
    return out


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
assert len(rows) == 45 and len(main) == 27, (len(rows), len(main))  # without shots labels are not shuffled
names = {r["source_task"] for r in rows}
assert names == {"same", "some/first", "more/first"}, names
plan = open("plan.txt").read()
assert "source.task=same " in plan and "source.task=more/first " in plan and "/same" not in plan, plan
assert "more/first" in open("rows.txt").read()
key = lambda r: ((r["method"] + " " + r.get("reading", "")).strip(), r["source_task"] if "source_task" in r else r["task"], r["k"], r["shift"])
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
    of = [labels(r["job"]) for r in rows if key(r) == ("plain", line["task"], "2", "none")][0]
    kl = [sum(math.exp(p) * (p - q) for p, q in zip(a, b)) for one in found for a, b in zip(of, one)]
    assert abs(float(line["d_ntp"]) - sum(kl) / len(kl)) < 1e-9, (line, kl)
assert max(float(line["d_ntp"]) for line in main) > 1e-6
for line in main:
    if line["method"] == "plain":
        assert line["worse"] == "", line
        continue
    own = [losses(r["job"]) for r in rows if key(r) == key(line)]
    without = [losses(r["job"]) for r in rows if key(r) == ("plain", *key(line)[1:])][0]
    share = sum(x > y for one in own for x, y in zip(one, without)) / (len(own) * len(without))
    assert abs(float(line["worse"]) - share) < 1e-12, (line, share)
assert len({line["worse"] for line in main}) > 2, [line["worse"] for line in main]
plain = {(r["source_task"], r["k"], r["shift"]): float(r["accuracy"]) for r in rows if r["method"] == "plain"}
assert plain["same", "2", "none"] == 1, plain
for line in main:
    share, clean, shuffled = line["shuffled_share"], plain[line["task"], "2", "none"], plain[line["task"], "2", "shuffled_labels"]
    assert float(line["plain_accuracy"]) == clean and float(line["plain_shuffled"]) == shuffled, line
    assert share == "" if clean == 0 else float(share) == shuffled / clean, line
    assert line["task"] != "same" or float(share) >= 0.8, line
text = open("main.txt").read()
for words in ("same * (8 items; plain 2-shot 1.000, shuffled 1.000)", "more/first (", "mean over 3 tasks", "mean over the 2 without *"):
    assert words in text, (words, text)
assert text.splitlines()[1].split() == ["method", "2-shot", "2-shot", "shuffled", "0-shot"], text
assert len(json.load(open("main.json"))) > 0
head = [line.split() for line in open("tasks.txt") if line.split()[:1] == ["method"]][0]
assert head[:8] == "method mean mean without * same * more/first".split()[:6] + head[6:8], head

# ---- another template, fits of other tasks
here = [r for r in csv.DictReader(open("templates.csv", newline=""))]
assert {r["source_template"] for r in here} == {"{x}:{y}\\n", "{x} -> {y}\\n"}, here
assert {r["fit_source_task"] for r in here} == names, here
assert "template={x} -> {y}\\n (8 items)" in text and "task=more/first" in text and "template" not in text.split("stage templates")[0], text
END_OF_CHECK
echo "the table of 45 evaluations on text"
