#!/usr/bin/env bash
# shellcheck disable=SC1091 # find_python.sh
# check_results.sh BINARY [SOURCE] - results.h5 opens in h5py, pandas, PyTables and h5dump with the
# same values, and those are the rows that `table` prints. 77 when a reader is missing (not in CI).
set -euo pipefail
. "$(dirname -- "$0")/find_python.sh"
(($#)) || { echo "usage: check_results.sh BINARY [SOURCE]" >&2; exit 64; }
program=$(realpath -- "$1")
here=$(cd -- "$(dirname -- "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"

if ! python=$(find_python "h5py, pandas, tables") || ! command -v h5dump >/dev/null; then
    echo "no python3 with h5py, pandas and tables, or no h5dump: install python3-h5py python3-pandas python3-tables hdf5-tools"
    if [[ ${CI:-} == true ]]; then exit 1; fi
    exit 77
fi

cat >tiny.cfg <<'END'
name = "tiny"; seed = 1; source = { problem = "linear"; dims = 2; };
stages = (
  { stage = "pretrain"; model = { layers = 1; heads = 2; width = 8; positions = 16; };
    points = 4; steps = 8; batch = 8; },
  { stage = "fit"; of = "pretrain"; method = ["ltv", "constant"]; points = 6;
    prompts = 40; batch = 16; epochs = 2; },
  { stage = "evaluate"; of = "fit"; also = ["plain", "zero"]; points = 8; functions = 8; },
  { stage = "estimate"; estimator = ["least_squares", "lasso"]; points = 8; functions = 8; },
  { stage = "capture"; of = "pretrain"; points = 4; prompts = 4; },
  { stage = "effects"; of = "pretrain"; points = 4; prompts = 4; },
  { stage = "head_weights"; of = "fit"; },
  { stage = "agreement"; of = ["effects", "head_weights"]; },
  { stage = "ablation"; of = ["effects", "head_weights"]; points = 4; functions = 8; prompts = 8; },
  { stage = "compare"; of = "fit"; also = "plain"; k = 6; functions = 8; axes = 2; },
  { stage = "probe"; of = "fit"; also = "plain"; functions = 20; },
  { stage = "leave_one_out"; of = "fit"; functions = 4; }
);
END
ASAN_OPTIONS=detect_leaks=0 timeout 120 "$program" run tiny.cfg -o run --quiet >/dev/null
for stage in pretrain fit evaluate estimate capture effects head_weights agreement ablation compare probe leave_one_out; do
    "$program" table run "$stage" --format csv >"$stage.csv"
done
"$program" plan tiny.cfg --resolved >resolved.cfg

# Estimators of the same source are the last lines of the one summary.
"$program" table run --format csv | cut -d, -f1 >methods.txt
if [[ $(tail -n 2 methods.txt | xargs) != "least_squares lasso" || $(grep -c ^method methods.txt) != 1 ]]; then
    echo "the summary does not end with the estimators: $(xargs <methods.txt)"
    exit 1
fi
"$python" -W ignore "$here/check_results.py" run/results.h5 . "$here/../../docs/results.md"

# A run in which nothing ran yet has tables too, empty ones.
ASAN_OPTIONS=detect_leaks=0 timeout 120 "$program" run tiny.cfg -o part --only pretrain --quiet >/dev/null
h5dump -H part/results.h5 >header.txt
grep -q '"evaluate"' header.txt
"$python" -W ignore -c '
import h5py
f = h5py.File("part/results.h5")
assert len(f["tables/evaluate"]) == 0 and len(f["tables/pretrain"]) > 0
states = [s.decode() for s in f["jobs"]["state"]]
assert states[0] == "DONE" and set(states[1:]) == {"PENDING"}, states'
echo "results.h5 reads the same in h5py, pandas, PyTables and h5dump"
