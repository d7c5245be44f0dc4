#!/usr/bin/env bash
# shellcheck disable=SC1091 # find_python.sh
# check_reproduce.sh BINARY SOURCE - `taskvec reproduce`: Garg's estimators pass and fail when one reference is spoiled; what has
# no reference says so; values are those of the tables; ports pass, and fail in a spoiled file; names, scales, missing models.
set -euo pipefail
. "$(dirname -- "$0")/find_python.sh"
(($# == 2)) || { echo "usage: check_reproduce.sh BINARY SOURCE" >&2; exit 64; }
program=$(realpath -- "$1") source=$(realpath -- "$2")
fixtures=${TASKVEC_FIXTURES:-$source/../shared/fixtures}
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
export ASAN_OPTIONS=detect_leaks=0
unset TASKVEC_FIXTURES
die() { echo "check_reproduce: $*" >&2; cat "$work/out" "$work/err" >&2; exit 1; }
cd -- "$work"

# expect CODE ARGUMENTS...: output in out, messages in err.
expect() {
    local want=$1 rc=0
    shift
    timeout 250 "$program" reproduce "$@" >out 2>err || rc=$?
    ((rc == want)) || die "reproduce $*: code $rc, not $want"
}
out_has() { grep -qE -- "$1" out || die "no line with '$1'"; }
err_has() { grep -qE -- "$1" err || die "no message with '$1'"; }
# spoil FILE PYTHON: a copy of the reproduction as spoiled.json, after `PYTHON` has changed its scale s.
spoil() {
    python3 - "$source/experiments/reproduce/$1.json" "$2" <<'END_OF_PYTHON'
import json, os, sys
path = sys.argv[1]
whole = json.load(open(path))
for s in whole["scales"].values():
    s["config"] = os.path.join(os.path.dirname(path), s["config"])
s = whole["scales"]
exec(sys.argv[2])
json.dump(whole, open("spoiled.json", "w"))
END_OF_PYTHON
}

# ---- names
expect 0 --list
for name in garg_linear stored_figure ports_text figure_relu; do out_has "^  $name "; done
for json in "$source"/experiments/reproduce/*.json; do out_has "^  $(basename "$json" .json) "; done
expect 64 garg_liner
err_has 'did you mean garg_linear'
expect 64
expect 64 garg_linear --scale large
err_has 'paper, small'
expect 65 model_linear --scale published
err_has 'import_checkpoint.py'
expect 65 model_linear --scale paper --model nothing.safetensors
err_has 'nothing.safetensors.*pretrain_linear_d20.cfg'

# ---- Garg's estimators, by way of what is finished in the folder
expect 0 garg_linear --scale small -o garg --quiet
out_has '^45 PASS, 0 FAIL, 0 no reference'
spoil garg_linear 's["paper"]["values"][2]["reference"][40] *= 2'
expect 1 spoiled.json --scale small -o garg --quiet
out_has '^averaging, standard  .* FAIL: 40 of 41 points'
out_has '^44 PASS, 1 FAIL, 0 no reference'
spoil garg_linear 's["paper"]["values"][0]["where"]["method"] = "another"'
expect 1 spoiled.json --scale small -o garg --quiet
out_has '^least squares, standard .* - .*FAIL'
spoil garg_linear 's["paper"]["values"][0]["stage"] = "another"'
expect 65 spoiled.json --scale small -o garg --quiet
err_has 'no stage another'
spoil garg_linear 's["paper"]["values"][0]["column"] = "another"'
expect 65 spoiled.json --scale small -o garg --quiet
err_has 'no column another'
spoil garg_linear 's["paper"]["values"][0]["reference"].pop()'
expect 65 spoiled.json --scale small -o garg --quiet
err_has 'one reference for each of k'
spoil garg_linear 'v = s["paper"]["values"][0]; v["refernce"] = v.pop("reference")'
expect 65 spoiled.json --scale small -o garg --quiet
err_has 'unknown key "refernce" \(did you mean reference\?\)'
spoil garg_linear 's["small"]["sett"] = []'
expect 65 spoiled.json --scale small -o garg --quiet
err_has 'unknown key "sett" \(did you mean set\?\)'
# Many small differences, none of them a failure of its own.
spoil garg_linear 'for v in s["paper"]["values"][:9]: v["reference"] = [r + 4.5 * e for r, e in zip(v["reference"], v["standard_error"])]'
expect 1 spoiled.json --scale small -o garg --quiet
out_has '^FAIL: [0-9]+ of 1681 points'

# ---- the stored figure at the small shape; a mean over a range of k is that of the table
expect 0 stored_figure -o figure --quiet -s fit.prompts=64 -s fit.epochs=1 -s fit.batch=32 -s baselines.prompts=40 \
    -s baselines.fv.prompts=16 -s baselines.icv.prompts=16 -s baselines.batch=16 -s evaluate.functions=16
out_has '^0 PASS, 0 FAIL, 25 no reference'
read -r mean exact < <("$program" table figure evaluate --format csv 2>err | python3 -c '
import csv, sys
rows = [float(r["mse"]) for r in csv.DictReader(sys.stdin) if r["method"] == "plain" and 16 <= int(r["k"]) <= 23]
print(f"{sum(rows) / len(rows):.4g} {sum(rows) / len(rows)!r}")')
out_has "^plain +16-23 +$mean +- +- +no reference"
# A tolerance without standard errors, and one that is too narrow.
for tolerance in '1e-4 0' '1e-7 1'; do
    read -r allowed rc <<<"$tolerance"
    spoil stored_figure "s['small']['values'] = [dict(name='plain', stage='evaluate', where=dict(method='plain'), k=[[16, 23]],
        reference=[$exact + 2e-6], tolerance=$allowed)]"
    expect "$rc" spoiled.json -o figure --quiet -s fit.prompts=64 -s fit.epochs=1 -s fit.batch=32 -s baselines.prompts=40 \
        -s baselines.fv.prompts=16 -s baselines.icv.prompts=16 -s baselines.batch=16 -s evaluate.functions=16
done

# ---- two ranks print one table
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
export OMPI_MCA_btl_vader_single_copy_mechanism=none OMPI_MCA_plm_rsh_agent=false
timeout 120 mpirun -n 2 "$program" reproduce model_sparse --quiet -s evaluate.functions=32 >out 2>err || die "two ranks"
[[ $(grep -c 'no reference$' out) == 6 && -d results/reproduce/model_sparse-small ]] || die "not one table of two ranks"

# ---- ports
expect 0 ports_regression
out_has '^regression/a.h5 .* no reference: --reference DIR'
expect 0 ports_regression --reference .
out_has '^regression/a.h5 .* no reference: no such file'
if [[ ! -f $fixtures/regression/a.h5 ]]; then
    echo "check_reproduce: no reference files in $fixtures: ports were not compared"
    exit 0
fi
expect 0 ports_problems --reference "$fixtures"
out_has '^[0-9]{2,} PASS, 0 FAIL, 0 no reference'
expect 0 ports_regression --reference "$fixtures"
out_has '^[0-9]{3,} PASS, 0 FAIL, 0 no reference'
if python=$(find_python h5py); then
    mkdir -p spoiled/regression
    cp -- "$fixtures"/regression/[ab].h5 spoiled/regression/
    chmod u+w spoiled/regression/*
    "$python" -c 'import h5py; f = h5py.File("spoiled/regression/b.h5", "r+"); f["icv/vector"][0, 0] += 0.1'
    expect 1 ports_regression --reference spoiled
    out_has '^regression/b.h5 icv/vector .* FAIL'
    out_has '^[0-9]{3,} PASS, 1 FAIL'
fi
echo "check_reproduce: references, spoiled references, and none"
