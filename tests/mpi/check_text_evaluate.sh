#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154,SC2034 # variables of and for common.sh
# check_text_evaluate.sh BINARY [SOURCE] - evaluation of text prompts on a tiny language model: the same bits on 1, 2 and 3
# ranks and after a kill; a second start runs nothing; tables in every format; scores of every item as transformers
# computes them on the same prompts.
set -euo pipefail
. "$(dirname -- "$0")/common.sh" check_text_evaluate "$@"
. "$here/../cli/find_python.sh"
home="$work/a folder"
config="$home/text.cfg"
python3 "$here/make_text_model.py" "$home/model"
mv "$home/model/capital.task" "$home/capital.json"
mv "$home/model/number.task" "$home/number.json"
cat >"$config" <<'END_OF_CONFIG'
name = "text"; seed = 5;
model = { checkpoint = "model"; };
source = { kind = "text"; task = ["capital.json", "number.json"]; };
stages = ( { stage = "evaluate"; also = ["plain", "zero"]; points = [1, 5]; functions = 128; chunk = 6;
    shift = ["none", "shuffled_labels"]; keep = ["prompts"]; } );
END_OF_CONFIG

one="$home/one"
expect_same_bits "$config" "$home" 12
launch 0 run "$config" -o "$one"
if ! grep -q '12 of 12 jobs done; ' "$work/out"; then fault "a second start ran jobs: $(cat "$work/out")"; fi

# ---- tables
for format in text csv markdown latex json; do
    launch 0 table "$one" evaluate --format "$format"
    if ((rc != 0)) || ! grep -q plain "$work/out"; then fault "table in $format: code $rc"; fi
done
launch 0 table "$one" --compare
((rc == 0)) && grep -q 'zero *plain *0' "$work/out" || fault "--compare: code $rc: $(cat "$work/out" "$work/err")"

# ---- the same scores in transformers
if python=$(find_python "torch, transformers, safetensors"); then
    "$python" "$here/check_text_evaluate.py" "$one" "$home/model" 2>"$work/err" || die "transformers: code $?"
fi

# ---- a fit is evaluated on its own task, where the stage has it, or on all
cat >"$home/fits.cfg" <<'END_OF_CONFIG'
name = "fits"; seed = 5;
model = { checkpoint = "model"; };
source = { kind = "text"; task = ["capital.json", "number.json"]; };
stages = ( { stage = "fit"; method = "constant"; points = 3; prompts = 8; batch = 8; epochs = 1; },
           { stage = "evaluate"; of = "fit"; points = [1, 5]; also = ["plain"]; } );
END_OF_CONFIG
evaluations() { # NUMBER ARGUMENT...
    local number=$1
    shift
    launch 0 plan "$home/fits.cfg" "$@"
    [[ $(grep -cE '(^| )evaluate\[[0-9]+\] +PENDING' "$work/out") == "$number" ]] || fault "plan $*: not $number evaluations: $(cat "$work/out")"
}
evaluations 8
evaluations 12 -s evaluate.fits=all
evaluations 6 -s "evaluate.source.task=$home/number.json" # and the fits of the other one
evaluations 12 -s 'evaluate.also=["plain", "mismatched"]'

# ---- a vector of a whole task is controlled by that of the other task
launch 0 run "$home/fits.cfg" -o "$home/fits" --quiet -s evaluate.fits=all -s 'evaluate.also=["plain", "mismatched"]'
((rc == 0)) || die "fits: code $rc"
launch 0 table "$home/fits" evaluate --format csv
python3 - "$work/out" <<'END_OF_PYTHON' || fault "rows of mismatched"
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1])))
at = lambda r: (r["source"], r["k"], r["loss"])
fits, controls = ([at(r) for r in rows if r["method"] == m] for m in ("constant", "mismatched"))
assert len(fits) == 8 and len(set(fits)) == 8 and len(controls) == 8, rows
assert set(controls) == set(fits), rows
END_OF_PYTHON

# ---- prompts that do not fit are counted before anything runs
launch 0 plan "$config" -s source.too_long=drop -s evaluate.points=10
grep -qE 'up to [0-9]+ of [0-9]+ prompts are longer than the model computes and are left out, in [0-9]+ of [0-9]+ jobs' "$work/err" ||
    fault "plan does not count: $(cat "$work/err")"

# ---- what text does not have: one line, exit 65, nothing computed
refuses() { expect_refusal "$config" "$@"; } # WORDS ARGUMENT...
refuses 'pairs of zeros' -s evaluate.dummies=corrected
refuses 'predictions are numbers' -s 'evaluate.keep=["predictions"]'
refuses '"window" shows the last points' -s 'evaluate.also=["window"]'
refuses 'is a shift of functions' -s evaluate.shift=scale_x
refuses 'longer than the 160 tokens' -s evaluate.points=13
expect_refusal "$home/fits.cfg" 'which is of the same task' -s fit.method=ltv -s fit.basis_points=3 -s 'evaluate.also=["mismatched"]'
conclude "12 jobs on 0 to 3 ranks, a kill, tables and refusals"
