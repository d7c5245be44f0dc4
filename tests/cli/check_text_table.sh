#!/usr/bin/env bash
# check_text_table.sh BINARY [SOURCE] - the main table of evaluations on text: its means are those of the rows, a task whose answers
# do not depend on the labels is marked, means over tasks follow with it and without it, and it fits 80 columns.
set -euo pipefail
(($#)) || { echo "usage: check_text_table.sh BINARY [SOURCE]" >&2; exit 64; }
program=$(realpath -- "$1")
here=$(cd -- "$(dirname -- "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
export ASAN_OPTIONS=detect_leaks=0
python3 "$here/../mpi/make_text_model.py" model
python3 - <<'END_OF_TASKS'
import json
words = [f"{a}{b}" for a in "abcdef" for b in "ghijkl"]
json.dump([{"input": w, "output": "z"} for w in words], open("same.json", "w"))
json.dump([{"input": w, "output": w[0]} for w in words], open("first.json", "w"))
END_OF_TASKS
cat >text.cfg <<'END_OF_CONFIG'
name = "table"; seed = 3;
source = { kind = "text"; task = ["same.json", "first.json"]; tokenizer = "model/tokenizer.json"; };
stages = (
  { stage = "pretrain"; source = { task = "same.json"; }; model = { layers = 2; heads = 2; width = 16; positions = 64; };
    points = 3; batch = 16; shards = 1; steps = 60; optimiser = { lr = 1e-2; warmup = 5; }; },
  { stage = "fit"; of = "pretrain"; method = "constant"; points = 1; prompts = 8; batch = 8; epochs = 1; repeat = [0, 1]; },
  { stage = "evaluate"; of = "fit"; also = ["plain", "random"]; points = [1, 3]; shift = ["none", "shuffled_labels"]; } );
END_OF_CONFIG
timeout 120 "$program" run text.cfg -o run --quiet --in-process >/dev/null
"$program" table run evaluate --format csv >rows.csv
"$program" table run --format csv >main.csv
"$program" table run >main.txt
"$program" table run --intervals --format markdown | grep -q '| low |'
"$program" table run --format latex | grep -q midrule
"$program" table run --format json >main.json
if awk 'length($0) > 80' main.txt | grep -q .; then echo "wider than 80 columns"; cat main.txt; exit 1; fi
python3 - "$program" <<'END_OF_CHECK'
import csv, json, struct, subprocess, sys


def losses(job):  # cross entropy of a token of each item's answer, from the artifact
    path = subprocess.run([sys.argv[1], "artifact", "run", job], capture_output=True, text=True).stdout.splitlines()[1]
    data = open(path.split()[-1], "rb").read()
    n = struct.unpack("<Q", data[:8])[0]
    scores = json.loads(data[8:8 + n])["scores"]
    a, b = scores["data_offsets"]
    numbers = struct.unpack(f"<{(b - a) // 4}f", data[8 + n + a:8 + n + b])
    return [-numbers[i + 1] / numbers[i + 2] for i in range(0, len(numbers), 7)]


rows, main = (list(csv.DictReader(open(f, newline=""))) for f in ("rows.csv", "main.csv"))
assert len(rows) == 40 and len(main) == 24, (len(rows), len(main))
key = lambda r: ((r["method"] + " " + r.get("reading", "")).strip(), r["source"] if "source" in r else r["task"], r["k"], r["shift"])
for line in main:
    own = [r for r in rows if key(r) == key(line)]
    assert len(own) == int(line["repeats"]) == (1 if line["method"] == "plain" else 2), line
    for name in "accuracy", "first_accuracy", "loss":
        mean = sum(float(r[name]) for r in own) / len(own)
        assert abs(float(line[name]) - mean) < 1e-6, (name, mean, line)
    if len(own) == 1:
        assert all(abs(float(line[n]) - float(own[0][n])) < 1e-12 for n in ("accuracy_low", "accuracy_high")), line
for line in main:
    if line["method"] == "plain":
        assert line["worse"] == "", line
        continue
    own = [losses(r["job"]) for r in rows if key(r) == key(line)]
    without = [losses(r["job"]) for r in rows if key(r) == ("plain", *key(line)[1:])][0]
    share = sum(x > y for one in own for x, y in zip(one, without)) / (len(own) * len(without))
    assert abs(float(line["worse"]) - share) < 1e-12, (line, share)
assert len({line["worse"] for line in main}) > 2, [line["worse"] for line in main]
plain = {(r["source"], r["k"], r["shift"]): float(r["accuracy"]) for r in rows if r["method"] == "plain"}
assert plain["same", "2", "none"] == 1, plain
for line in main:
    share = line["shuffled_share"]
    if line["task"] == "same":
        assert float(share) == plain["same", "2", "shuffled_labels"] / plain["same", "2", "none"] >= 0.8, line
    else:
        assert share == "" or float(share) == plain["first", "2", "shuffled_labels"] / plain["first", "2", "none"]
text = open("main.txt").read()
assert "same * (" in text and "first (" in text and "mean over 2 tasks" in text and "mean over the 1 without *" in text, text
assert text.splitlines()[0].split() == ["method", "2-shot", "2-shot", "shuffled", "0-shot"], text
assert len(json.load(open("main.json"))) > 0
END_OF_CHECK
echo "the table of 40 evaluations on text"
