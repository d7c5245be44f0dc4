#!/usr/bin/env bash
# shellcheck disable=SC1091 # find_python.sh
# check_head_map.sh BINARY SOURCE - analysis/head_map.py draws maps of heads and curves of ablation of functions and of text:
# check_head_map.py compares what it draws with the tables. 77 without h5py, numpy or matplotlib.
set -euo pipefail
. "$(dirname -- "$0")/find_python.sh"
(($# == 2)) || { echo "usage: check_head_map.sh BINARY SOURCE" >&2; exit 64; }
program=$(realpath -- "$1") source=$(realpath -- "$2")
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

if ! python=$(find_python "h5py, matplotlib, numpy"); then
    echo "no python3 with h5py, numpy and matplotlib: install python3-h5py python3-matplotlib"
    exit 77
fi
cd -- "$work"
export ASAN_OPTIONS=detect_leaks=0 MPLCONFIGDIR=$work

cat >numbers.cfg <<'END_OF_CONFIG'
name = "numbers"; seed = 1; source = { problem = "linear"; dims = 2; };
stages = (
  { stage = "pretrain"; model = { layers = 2; heads = 2; width = 8; positions = 16; }; points = 4; steps = 8; batch = 8; },
  { stage = "fit"; of = "pretrain"; method = ["ltv", "constant"]; points = 5; repeat = [0, 1];
    prompts = 24; batch = 16; epochs = 2; optimiser = { lr = [1e-2, 1e-3]; }; },
  { stage = "effects"; of = "pretrain"; points = 5; prompts = 8; },
  { stage = "head_weights"; of = "fit"; },
  { stage = "ablation"; of = ["effects", "head_weights"]; points = 5; functions = 8; prompts = 8; shares = [.25, .5]; }
);
END_OF_CONFIG
python3 "$source/tests/mpi/make_text_model.py" model
for task in capital number; do mv "model/$task.task" "$task.json"; done
cat >text.cfg <<'END_OF_CONFIG'
name = "text"; seed = 5; model = { checkpoint = "model"; };
source = { kind = "text"; task = ["capital.json", "number.json"]; };
stages = (
  { stage = "fit"; method = ["ltv", "site"]; points = 1; basis_points = 4; basis = "mean"; prompts = 20; batch = 6; epochs = 2; },
  { stage = "effects"; points = 5; prompts = 6; measure = ["patching", "induction"]; repeated = 7; },
  { stage = "head_weights"; of = "fit"; },
  { stage = "ablation"; of = ["effects", "head_weights"]; points = 5; prompts = 6; functions = 8; shares = [.25]; }
);
END_OF_CONFIG
for run in numbers text; do
    timeout 120 "$program" run $run.cfg -o $run --quiet >/dev/null 2>&1
    for table in effects head_weights ablation; do "$program" table $run $table --format csv >"$run.$table.csv"; done
    "$python" "$source/analysis/head_map.py" $run -o $run.png --data $run.csv >/dev/null
    "$python" "$source/analysis/head_map.py" $run --draw ablation -o $run.ablation.png --data $run.lines.csv >/dev/null
done
"$python" "$source/analysis/head_map.py" text --sources number --value weight --data one.csv >/dev/null
"$python" "$source/analysis/head_map.py" text --draw ablation --accuracy --data accuracy.csv >/dev/null
if "$python" "$source/analysis/head_map.py" text --sources antonym >out 2>&1; then echo "a task without maps was drawn"; exit 1; fi
grep -q 'head_map.py: no maps of antonym; there are: capital, number' out || { cat out; exit 1; }
if "$python" "$source/analysis/head_map.py" numbers --draw ablation --accuracy >out 2>&1; then echo "numbers have no accuracy"; exit 1; fi
grep -q 'no rows of ablation with first_accuracy' out || { cat out; exit 1; }
"$python" "$source/tests/cli/check_head_map.py"
