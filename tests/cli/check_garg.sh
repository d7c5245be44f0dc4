#!/usr/bin/env bash
# shellcheck disable=SC1091 # find_python.sh
# check_garg.sh BINARY [SOURCE] - estimators agree with the published metrics of Garg et al. 2022, all
# shifts of linear functions and all lassos of sparse ones, on 320 prompts instead of 1280, by the rule
# of analysis/compare_garg.py; other estimators than the published ones are not compared. The metrics
# are in TASKVEC_REFERENCE (default: shared/reference beside the checkout). Without them it is skipped
# (77), or fails with TASKVEC_REQUIRE_FIXTURES=1.
set -euo pipefail
. "$(dirname -- "$0")/find_python.sh"
program=$(realpath -- "$1") source_dir=$(realpath -- "$2")
metrics=${TASKVEC_REFERENCE:-$source_dir/../shared/reference}/garg2022
if [[ ! -f $metrics/linear_regression.metrics.json ]]; then
    echo "no published metrics in $metrics (TASKVEC_REFERENCE names another folder)"
    if [[ ${TASKVEC_REQUIRE_FIXTURES:-0} == 1 ]]; then exit 1; fi
    exit 77
fi
if ! python=$(find_python h5py); then
    echo "no python3 with h5py: install python3-h5py"
    if [[ ${CI:-} == true ]]; then exit 1; fi
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
export ASAN_OPTIONS=detect_leaks=0

run() { # NAME ARGS...: experiments/estimators/NAME.cfg into $work/NAME
    local name=$1
    shift
    timeout 600 "$program" run "$source_dir/experiments/estimators/$name.cfg" -o "$work/$name" --quiet "$@" >/dev/null
}
compare() { "$python" "$source_dir/analysis/compare_garg.py" "$work/$1/results.h5" --reference "$metrics"; }

for name in garg_linear garg_sparse; do
    sets=()
    mapfile -t stages < <(sed -n 's/.*stage = "estimate"; name = "\([^"]*\)".*/\1/p' \
        "$source_dir/experiments/estimators/$name.cfg")
    for stage in "${stages[@]}"; do sets+=(-s "$stage.functions=320"); done
    run "$name" "${sets[@]}"
    compare "$name" || { echo "FAILED: $name"; exit 1; }
done

# The minimum itself is not what was published.
run garg_sparse --replace-config -s standard.functions=320 -s standard.estimator=lasso -s 'standard.lasso.stop=gap' \
    -s 'standard.lasso.alpha=1e-4'
compare garg_sparse 2>"$work/words" || true
if ! grep -q 'no estimator of this run is in the published metrics' "$work/words"; then
    echo "FAILED: lassos of another stop were compared"
    exit 1
fi
