#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154,SC2034 # variables of and for common.sh
# check_text_table_run.sh BINARY [SOURCE] - experiments/text/word_model.cfg cut down to a tiny model, two tasks and one seed: every
# method and control ends, with the same bits on 1, 2 and 3 ranks and after a kill, a second start runs nothing, and the table has them.
set -euo pipefail
. "$(dirname -- "$0")/common.sh" check_text_table_run "$@"
home="$work/a folder"
cp -r -- "$source_dir/experiments/text" "$home/text"
words=$(python3 -c 'import json, sys; print(len(json.load(open(sys.argv[1]))["model"]["vocab"]))' "$home/text/word_model/tokenizer.json")
python3 "$here/make_text_model.py" "$home/model" 128 "$words" 2
cp "$home"/model/{config.json,model.safetensors} "$home/text/word_model/"

# Small sizes in each stage that the config has.
config="$home/text/cut.cfg"
python3 - "$home/text/word_model.cfg" >"$config" <<'END'
import re, sys
text = re.sub(r"//.*", "", open(sys.argv[1]).read())
entries = []
for stage in text.split("{ stage =")[1:]:
    kind, keys = stage.split('"')[1], set(re.findall(r"(\w+) =", stage))
    name = re.search(r'name = "(\w+)"', stage)
    cut = {"name": f'"{name[1] if name else kind}"'}
    if kind == "evaluate":
        cut |= {"functions": 3, "points": "[4, 1]"}
    elif kind == "fit":
        cut |= {"repeat": 0, "prompts": 10, "batch": 4}
        cut |= {"points": 4} if re.search(r"\bpoints = 11;", stage) else {}
        cut |= {"basis_points": 4} if "basis_points" in keys else {}
        cut |= {"epochs": 1} if "epochs" in keys and "epochs = 0" not in stage else {}
        # not by gradients, which need a model that knows some answers
        cut |= {"fv": '{ heads = 3; prompts = 4; selection = ["aie", "random", "bottom"]; }'} if "fv" in keys else {}
        cut |= {"icv": "{ prompts = 4; }"} if '"icv"' in stage else {}
        cut |= {"i2cl": "{ demonstrations = 3; epochs = 2; }"} if '"i2cl"' in stage else {}
        cut |= {"linear_vector": "{ anchors = 6; }"} if '"linear_vector"' in stage else {}
    entries.append("  { " + " ".join(f"{key} = {value};" for key, value in cut.items()) + " }")
print('base = "word_model.cfg"; name = "cut"; source = { kind = "text"; '
      'task = ["tasks/antonym.json", "tasks/present-past.json"]; };')
print("stages = (\n" + ",\n".join(entries) + "\n);")
END

expect_same_bits "$config" "$home" 9
launch 2 run "$config" -o "$home/one"
((rc == 0)) || die "a second start: code $rc"
if grep -q "of them now" "$work/out" "$work/err"; then fault "a second start ran jobs: $(cat "$work/out" "$work/err")"; fi

# ---- the table: each method of the config and each control, on every kind of prompts
"$program" table "$home/one" --format csv >"$work/table.csv"
python3 - "$work/table.csv" "$home/text/word_model.cfg" <<'END' || fault "the table"
import csv, re, sys
rows = list(csv.DictReader(open(sys.argv[1], newline="")))
text = re.sub(r"//.*", "", open(sys.argv[2]).read())
wanted = {"plain"}
for values in re.findall(r"(?:method|also) = (\[[^]]*\]|\"\w+\")", text):
    wanted.update(re.findall(r'"(\w+)"', values))
found = {row["method"].split()[0] for row in rows}
assert wanted <= found and len(wanted) >= 10, (wanted - found, found)
for method in wanted:
    kinds = {(row["k"], row["shift"]) for row in rows if row["method"].split()[0] == method}
    assert {("3", "none"), ("3", "shuffled_labels"), ("0", "none")} <= kinds, (method, kinds)
assert {row["task"] for row in rows} == {"antonym", "present-past"}
END
conclude "every method and control of word_model.cfg, on two tasks and a tiny model"
