#!/usr/bin/env bash
# shellcheck disable=SC1091 # find_python.sh
# check_measures.sh BINARY SOURCE - the rows of `compare`, `probe` and `agreement` are what NumPy, SciPy and scikit-learn make of the
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
  { stage = "leave_one_out"; of = "repeats"; functions = 20; },
  { stage = "effects"; points = 16; prompts = 20; },
  { stage = "agreement"; of = ["leave_one_out", "effects"]; share = 0.25; }
);
END
timeout 120 "$program" run measures.cfg -o run --quiet >/dev/null
if ! python=$(find_python "numpy, scipy, sklearn, h5py"); then
    echo "no python3 with numpy, scipy, scikit-learn and h5py"
    exit 77
fi
OMP_NUM_THREADS=1 "$python" -W ignore "$source/tests/cli/check_measures.py" run
