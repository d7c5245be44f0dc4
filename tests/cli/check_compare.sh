#!/usr/bin/env bash
# shellcheck disable=SC1091 # find_python.sh
# check_compare.sh BINARY SOURCE - `table --compare` of a small run: check_compare.py computes every number
# again from the artifacts with NumPy, which draws the same resamples, and with SciPy where Python has it.
# 77 without NumPy and h5py (not in CI).
set -euo pipefail
. "$(dirname -- "$0")/find_python.sh"
(($# == 2)) || { echo "usage: check_compare.sh BINARY SOURCE" >&2; exit 64; }
program=$(realpath -- "$1") source=$(realpath -- "$2")
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
if ! python=$(find_python "numpy, h5py, scipy.stats") && ! python=$(find_python "numpy, h5py"); then
    echo "no python3 with numpy and h5py: install python3-numpy python3-h5py"
    if [[ ${CI:-} == true ]]; then exit 1; fi
    exit 77
fi
cp -- "$source/experiments/models/linear_d5.safetensors" "$work/"
cd -- "$work"
export ASAN_OPTIONS=detect_leaks=0
die() { echo "FAILED: $*"; exit 1; }

cat >small.cfg <<'END_OF_CONFIG'
name = "small"; seed = 1; model = { checkpoint = "linear_d5.safetensors"; }; source = { problem = "linear"; dims = 5; };
stages = (
  { stage = "fit"; name = "vectors"; method = ["ltv", "icv"]; points = 24; prompts = 24; batch = 16; epochs = 2;
    repeat = [0, 1, 2]; optimiser = { lr = 1e-2; }; },
  { stage = "fit"; name = "constants"; method = "constant"; points = 24; prompts = 24; batch = 16; epochs = 2;
    repeat = [0, 1]; optimiser = { lr = [1e-2, 1e-3]; }; },
  { stage = "evaluate"; name = "many"; of = ["vectors", "constants"]; also = ["plain", "zero", "window", "oracle", "mismatched"];
    points = 24; functions = 40; shift = ["none", "noisy"]; },
  { stage = "evaluate"; name = "few"; of = ["vectors", "constants"]; also = ["plain", "window", "oracle"]; points = 24; functions = 8; },
  { stage = "estimate"; estimator = "ridge"; points = 24; functions = 8; }
);
END_OF_CONFIG
cat >models.cfg <<'END_OF_CONFIG'
name = "models"; seed = 1; source = { problem = "linear"; dims = 2; };
stages = (
  { stage = "pretrain"; model = { layers = 1; heads = 2; width = 8; positions = 32; }; points = 4; steps = 40; batch = 16;
    shards = 1; repeat = [0, 1, 2]; optimiser = { lr = 1e-2; }; },
  { stage = "fit"; of = "pretrain"; method = ["ltv", "constant"]; points = 8; prompts = 24; batch = 16; epochs = 2;
    repeat = [0, 1]; optimiser = { lr = 1e-1; }; },
  { stage = "evaluate"; of = "fit"; also = ["plain", "window", "oracle"]; points = 8; functions = 20; }
);
END_OF_CONFIG
timeout 120 "$program" run small.cfg -o part --quiet --only vectors >/dev/null
[[ $("$program" table part few --compare) == "No evaluation is done yet; "* ]] || die "compared before any evaluation"
timeout 120 "$program" run small.cfg -o run --quiet >/dev/null
timeout 120 "$program" run models.cfg -o three --quiet >/dev/null
timeout 120 "$program" run models.cfg -o two -s pretrain.repeat=3,4 --quiet >/dev/null
before=$("$program" digest run)
"$python" -W ignore "$source/tests/cli/check_compare.py" "$program"
[[ $("$program" digest run) == "$before" ]] || die "the digest changed"
if "$program" table run vectors --compare 2>message; then die "compared the fits"; fi
grep -q 'compare vectors: the stage evaluates no method' message || die "$(cat message)"
