#!/usr/bin/env bash
# check_terminal.sh BINARY SOURCE - the tables of quickstart.cfg, and its plan, fit terminals of 80, 100
# and 200 columns (pseudo-terminals of check_terminal.py), and every form of a table is well formed.
set -euo pipefail
(($# == 2)) || { echo "usage: check_terminal.sh BINARY SOURCE" >&2; exit 64; }
program=$(realpath -- "$1") source=$(realpath -- "$2")
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
command -v python3 >/dev/null || { echo "no python3"; exit 77; }

# The whole config, with fits and evaluations as small as they get.
ASAN_OPTIONS=detect_leaks=0 timeout 240 "$program" run "$source/experiments/quickstart.cfg" -o "$work/run" --quiet \
    -s 'fit.repeat=[0,1]' -s fit.prompts=40 -s fit.batch=32 -s fit.epochs=1 \
    -s evaluate.functions=16 -s estimate.functions=16 >"$work/out"
python3 "$source/tests/cli/check_terminal.py" "$program" "$source/experiments/quickstart.cfg" "$work/run"
