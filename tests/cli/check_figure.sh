#!/usr/bin/env bash
# shellcheck disable=SC1091 # find_python.sh
# check_figure.sh BINARY SOURCE - analysis/figure.py draws sweeps, settings, several runs, fits, pretrainings and text:
# check_figure.py looks at the figures. 77 without h5py, numpy or matplotlib.
set -euo pipefail
. "$(dirname -- "$0")/find_python.sh"
(($# == 2)) || { echo "usage: check_figure.sh BINARY SOURCE" >&2; exit 64; }
program=$(realpath -- "$1") source=$(realpath -- "$2")
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

if ! python=$(find_python "h5py, matplotlib, numpy"); then
    echo "no python3 with h5py, numpy and matplotlib: install python3-h5py python3-matplotlib"
    exit 77
fi
cd -- "$work"
export ASAN_OPTIONS=detect_leaks=0 MPLCONFIGDIR=$work

cat >sweep.cfg <<'END_OF_CONFIG'
name = "sweep"; seed = 1; source = { problem = "linear"; dims = 2; };
stages = (
  { stage = "pretrain"; model = { layers = 1; heads = 2; width = 8; positions = 16; };
    points = 4; steps = 8; batch = 8; validation = { every = 3; prompts = 16; }; },
  { stage = "fit"; of = "pretrain"; method = ["ltv", "constant"]; points = [5, 6]; repeat = [0, 1];
    prompts = 24; batch = 16; epochs = 2; optimiser = { lr = [1e-2, 1e-3]; }; },
  { stage = "evaluate"; of = "fit"; also = ["plain", "zero"]; points = 8; functions = 6; shift = ["none", "skewed"]; },
  { stage = "estimate"; estimator = ["least_squares", "ridge"]; points = 8; functions = 6; }
);
END_OF_CONFIG
timeout 120 "$program" run sweep.cfg -o one --quiet >/dev/null
timeout 120 "$program" run sweep.cfg -o two -s seed=2 --quiet >/dev/null
timeout 120 "$program" run sweep.cfg -o folded -s fit.method=ltv,fv --quiet >/dev/null 2>&1
timeout 120 "$program" run sweep.cfg -o many -s fit.optimiser.lr=1e-2,1e-3,1e-4,1e-5 --quiet >/dev/null
cat >best.cfg <<'END_OF_CONFIG'
base = "sweep.cfg"; name = "best";
stages = ({ stage = "pretrain"; }, { stage = "fit"; choose = { key = "optimiser.lr"; by = "validation"; }; });
END_OF_CONFIG
timeout 120 "$program" run best.cfg -o best --quiet >/dev/null
"$program" help >help.txt

# ---- text: one task that the model learns, and one that it half knows by that
python3 "$source/tests/mpi/make_text_model.py" model
python3 - <<'END_OF_TASKS'
import json
words = [f"{a}{b}" for a in "abcdef" for b in "ghijkl"]
json.dump([{"input": w, "output": "z"} for w in words], open("same.json", "w"))
json.dump([{"input": w, "output": "z" if w[0] in "abc" else w[0]} for w in words], open("first.json", "w"))
END_OF_TASKS
cat >text.cfg <<'END_OF_CONFIG'
name = "text"; seed = 3;
source = { kind = "text"; task = ["same.json", "first.json"]; tokenizer = "model/tokenizer.json"; };
stages = (
  { stage = "pretrain"; source = { task = "same.json"; }; model = { layers = 1; heads = 2; width = 8; positions = 64; };
    points = 3; batch = 8; shards = 1; steps = 40; optimiser = { lr = 3e-2; warmup = 5; }; },
  { stage = "fit"; of = "pretrain"; method = ["constant", "ltv"]; points = 1; basis_points = 3; prompts = 8; batch = 8; epochs = 1;
    repeat = [0, 1]; optimiser = { lr = 1; }; },
  { stage = "evaluate"; of = "fit"; also = ["plain"]; points = [1, 3]; shift = ["none", "shuffled_labels"];
    exclude = ({ points = 1; shift = "shuffled_labels"; }); } );
END_OF_CONFIG
timeout 120 "$program" run text.cfg -o text --quiet >/dev/null
"$program" table text --format csv >text.csv
"$python" "$source/tests/cli/check_figure.py" "$source/analysis"

# ---- published numbers beside those of the run: 1 with two shots of "same", which is published as .9
echo '{"source": "nobody", "accuracy": {"same": 0.9, "other": 0.1}}' >published.json
"$python" "$source/analysis/compare_published.py" text published.json --methods plain >out
grep -qE '^published: nobody$' out || { cat out; exit 1; }
grep -qE '^same +plain +0\.900 +1\.000 ' out || { cat out; exit 1; }
grep -qE '^first +plain +- +0\.' out || { cat out; exit 1; }
grep -q '^plain, 2-shot: +0.100 from the published numbers, mean over 1 tasks$' out || { cat out; exit 1; }
