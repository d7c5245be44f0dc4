#!/usr/bin/env bash
# shellcheck disable=SC1091 # find_python.sh
# check_figure.sh BINARY SOURCE - analysis/figure.py draws sweeps, settings, several runs, fits and pretrainings:
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
"$python" "$source/tests/cli/check_figure.py" "$source/analysis"
