#!/usr/bin/env bash
# check_benchmark.sh BINARY SOURCE - the benchmark of function regression, cut down: every job of the quick config ends, a
# second start runs nothing, each method and control has a line and comparisons, and the large config plans.
set -euo pipefail
(($# == 2)) || { echo "usage: check_benchmark.sh BINARY SOURCE" >&2; exit 64; }
program=$(realpath -- "$1") source=$(realpath -- "$2")
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
export ASAN_OPTIONS=detect_leaks=0
die() { echo "FAILED: $*"; exit 1; }

small=(-s 'learned.points=41' -s 'derived.points=41' -s 'learned.prompts=8' -s 'derived.prompts=8' -s 'learned.batch=4'
    -s 'derived.batch=4' -s 'learned.epochs=1' -s 'derived.fv.prompts=4' -s 'derived.icv.prompts=4' -s 'derived.linear_vector.anchors=8' -s 'evaluate.functions=4'
    -s 'evaluate.points=44' -s 'estimate.points=44' -s 'estimate.functions=4')
quick=$source/experiments/benchmark/regression_quick.cfg
timeout 300 "$program" run "$quick" "${small[@]}" -o run --quiet 2>/dev/null >/dev/null
timeout 60 "$program" run "$quick" "${small[@]}" -o run --quiet 2>/dev/null >again
grep -q '69 of 69 jobs done; ' again || die "a second start: $(cat again)"
"$program" table run --format csv >table.csv
for line in ltv constant bias_only learned_vector site loreft task_vector state_vector linear_vector fv icv \
    plain zero window oracle random mismatched least_squares ridge; do
    grep -q "^$line," table.csv || die "no line of $line: $(cat table.csv)"
done
"$program" table run --compare --format csv >compare.csv
for against in plain constant window mismatched; do
    grep -q ",ltv,.*,$against," compare.csv || die "ltv is not compared with $against: $(cat compare.csv)"
done
"$program" plan "$source/experiments/benchmark/regression.cfg" --summary >plan.txt
grep -q '^notes  *0' plan.txt || die "plan: $(cat plan.txt)"
