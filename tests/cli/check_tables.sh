#!/usr/bin/env bash
# shellcheck disable=SC1091 # find_python.sh
# check_tables.sh BINARY SOURCE - tables of sweeps and of several stages and runs: check_tables.py reads their
# text, CSV and JSON. Needs python3.
set -euo pipefail
. "$(dirname -- "$0")/find_python.sh"
(($# == 2)) || { echo "usage: check_tables.sh BINARY SOURCE" >&2; exit 64; }
program=$(realpath -- "$1") source=$(realpath -- "$2")
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
command -v python3 >/dev/null || { echo "no python3"; exit 77; }
cp -- "$source/experiments/models/linear_d5.safetensors" "$work/"
cd -- "$work"
export ASAN_OPTIONS=detect_leaks=0

cat >sweep.cfg <<'END_OF_CONFIG'
name = "sweep"; seed = 1; model = { checkpoint = "linear_d5.safetensors"; }; source = { problem = "linear"; dims = 5; };
stages = (
  { stage = "fit"; method = ["ltv", "constant"]; points = 16; prompts = 24; batch = 16; epochs = 2;
    optimiser = { lr = [1e-2, 1e-3]; }; },
  { stage = "evaluate"; name = "clean"; of = "fit"; also = ["plain", "window"]; points = 18; functions = 6; },
  { stage = "evaluate"; name = "noisy"; of = "fit"; also = ["plain"]; points = 18; functions = 6; shift = "noisy"; },
  { stage = "estimate"; estimator = "ridge"; ridge = { lambda = [0.5, 2.0]; }; points = 18; functions = 6; }
);
END_OF_CONFIG
cat >classes.cfg <<'END_OF_CONFIG'
name = "classes"; seed = 1; source = { problem = "linear_classification"; dims = 3; };
stages = ({ stage = "estimate"; estimator = "least_squares"; points = 5; functions = 6; });
END_OF_CONFIG
timeout 120 "$program" run sweep.cfg -o one --quiet >/dev/null
timeout 120 "$program" run sweep.cfg -o two -s seed=2 --quiet >/dev/null
timeout 120 "$program" run sweep.cfg -o lengths -s 'fit.method=[ltv,constant,icv]' -s 'fit.points=[16,18]' \
    -s fit.optimiser.lr=0.01 --quiet >/dev/null
timeout 60 "$program" run classes.cfg -o classes --quiet >/dev/null
timeout 60 "$program" run classes.cfg -o both -s 'source.problem=[linear,linear_classification]' --quiet >/dev/null
python=$(find_python h5py) || python=python3 # check_tables.py leaves results.h5 out then
"$python" "$source/tests/cli/check_tables.py" "$program"
