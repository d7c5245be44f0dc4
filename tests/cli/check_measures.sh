#!/usr/bin/env bash
# shellcheck disable=SC1091 # find_python.sh
# check_measures.sh BINARY SOURCE - the rows of `compare`, `probe` and `importance` are what NumPy, SciPy and scikit-learn make of the
# states and vectors that the artifacts keep (check_measures.py). 77 where one of them is missing.
set -euo pipefail
. "$(dirname -- "$0")/find_python.sh"
(($# == 2)) || { echo "usage: check_measures.sh BINARY SOURCE" >&2; exit 64; }
program=$(realpath -- "$1") source=$(realpath -- "$2")
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cp -- "$source/experiments/models/linear_d5.safetensors" "$work/"
cd -- "$work"
export ASAN_OPTIONS=detect_leaks=0

cat >measures.cfg <<'END'
name = "measures"; seed = 3; model = { checkpoint = "linear_d5.safetensors"; };
source = { problem = "linear"; dims = 5; };
stages = (
  { stage = "fit"; method = ["ltv", "constant"]; points = 24; prompts = 64; batch = 32; epochs = 2;
    optimiser = { lr = 1e-2; }; },
  { stage = "compare"; of = "fit"; also = ["plain", "mismatched", "window"]; k = [3, 24, 30];
    functions = 60; chunk = 32; axes = 5; keep = ["states"]; },
  { stage = "probe"; of = "fit"; also = ["plain", "mismatched"]; functions = 100; keep = ["features"]; },
  { stage = "fit"; name = "repeats"; method = "ltv"; points = 24; prompts = 64; batch = 32; epochs = 2; repeat = [0, 1];
    optimiser = { lr = 1e-2; }; },
  { stage = "importance"; of = "repeats"; functions = 20; prompts = 20; }
);
END
timeout 120 "$program" run measures.cfg -o run --quiet >/dev/null
"$program" table run --agreement >agreement
grep -q '^leave_one_out *effect' agreement || { echo "--agreement prints: $(cat agreement)"; exit 1; }
rc=0
"$program" table run probe --agreement 2>error || rc=$?
if ((rc != 64)) || ! grep -q 'maps no heads' error; then
    echo "--agreement of another stage: code $rc: $(cat error)"
    exit 1
fi

if ! python=$(find_python "numpy, scipy, sklearn, h5py"); then
    echo "no python3 with numpy, scipy, scikit-learn and h5py"
    exit 77
fi
OMP_NUM_THREADS=1 "$python" -W ignore "$source/tests/cli/check_measures.py" run
