#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154 # variables of common.sh
# check_artifact.sh BINARY [SOURCE] - `taskvec artifact` finds the file of a job and says what every
# tensor of every stage is; docs/results.md has the tables of `taskvec help --markdown artifacts`.
set -euo pipefail
. "$(dirname -- "$0")/../mpi/common.sh" check_artifact "$@"
export ASAN_OPTIONS=detect_leaks=0
cd -- "$work"

cat >tiny.cfg <<'END'
name = "tiny"; seed = 1; source = { problem = "linear"; dims = 2; };
stages = (
  { stage = "pretrain"; model = { layers = 1; heads = 2; width = 8; positions = 16; };
    points = 4; steps = 8; batch = 8; },
  { stage = "fit"; of = "pretrain"; points = 6; prompts = 40; batch = 16; epochs = 2;
    basis = ["prompt", "mean"]; linear_vector = { anchors = 8; };
    method = ["ltv", "constant", "bias_only", "task_vector", "state_vector", "linear_vector", "learned_vector",
              "site", "loreft", "fv", "icv"]; },
  { stage = "evaluate"; of = "fit"; also = "plain"; points = 8; functions = 8; keep = ["predictions", "prompts"]; },
  { stage = "evaluate"; name = "shifted"; of = "pretrain"; also = "plain"; points = 8; functions = 8;
    keep = "prompts"; shift = ["orthogonal", "shuffled_labels"]; },
  { stage = "fit"; name = "rates"; of = "pretrain"; method = "constant"; points = 6; prompts = 40; batch = 16;
    epochs = 2; optimiser = { lr = [1e-3, 0.3]; }; choose = { key = "optimiser.lr"; by = "validation"; }; },
  { stage = "evaluate"; name = "best"; of = "rates"; points = 8; functions = 8; },
  { stage = "estimate"; estimator = "averaging"; points = 8; functions = 8; },
  { stage = "capture"; of = "pretrain"; points = 4; prompts = 4; },
  { stage = "effects"; of = "pretrain"; points = 4; prompts = 4; reading = ["heads", "reprojected"]; },
  { stage = "compare"; of = "rates"; also = "plain"; k = 6; functions = 8; axes = 2; keep = "states"; },
  { stage = "probe"; of = "rates"; also = "plain"; functions = 20; keep = "features"; },
  { stage = "leave_one_out"; of = "fit"; functions = 4; }
);
END
timeout 120 "$program" run tiny.cfg -o run --quiet >/dev/null 2>err || die "run: $(cat err)"

# By label, line of the plan and identity; the path is that of the file, the metadata names the job.
"$program" artifact run 'fit[0]' >out || die "artifact: exit code $?"
identity=$(head -n 1 out | awk '{ print $2 }')
path=$(sed -n 2p out)
[[ -f $path && $path == run/artifacts/*/$identity.safetensors ]] || fault "no file $path"
for word in 1 "${identity:0:12}"; do
    "$program" artifact run "$word" | cmp - out || fault "artifact run $word: another job"
done
for line in "  weights              1 x 2            weights of the method, where it has any" \
    "  job                  fit[0]" "    epochs = 2;" "  method               ltv"; do
    grep -qFx -- "$line" out || fault "no line \"$line\" in: $(cat out)"
done

for key in method seed job; do
    (($(grep -c "^  $key  " out) == 1)) || fault "not one line of $key in: $(cat out)"
done

# Every tensor of every job has a meaning.
"$program" plan tiny.cfg --json >plan.json
jobs=$(grep -o '"[a-z]*\[[0-9]*\]"' plan.json | tr -d '"' | sort -u)
(($(wc -l <<<"$jobs") > 35)) || fault "the plan lists too few jobs: $jobs"
while read -r job; do
    "$program" artifact run "$job" --json >one.json || die "artifact run $job: exit code $?"
    grep -q '"meaning":' one.json || fault "$job: no tensors in $(cat one.json)"
    if grep -q '"meaning":""' one.json; then fault "$job: a tensor without a meaning: $(cat one.json)"; fi
done <<<"$jobs"

refused() { # CODE WORDS ARGUMENTS
    local code=$1 words=$2 got=0
    shift 2
    "$program" "$@" >out 2>err || got=$?
    ((got == code)) || fault "$*: exit code $got, not $code"
    grep -q -- "$words" err || fault "$*: no \"$words\" in: $(cat err)"
}
refused 64 'fit\[99\]: no such job .*: fit has [0-9]* jobs, from 0 on$' artifact run 'fit[99]'
refused 64 'expected DIR JOB' artifact run

# ---- --edits: a vector that is given, and one that each prompt makes.
edits() { # JOB TEXT...: the file of edits of a job has these texts
    local job=$1 text
    shift
    "$program" artifact run "$job" --edits edits.safetensors >out 2>err || die "--edits of $job: $(cat err)"
    head -c 4000 edits.safetensors | tr -d '\134\000' >header
    for text in "$@"; do grep -qaF -- "$text" header || fault "$job --edits: no $text in: $(cat header)"; done
}
edits 'fit[0]' '"vector":"prompt"' '"basis":["basis_heads"]' '"basis_points":4' '"weights":{' \
    '"kind":"add","site":"block","layer":0,"scope":"query","from":0,"n":8,"values":0,"scale":1.0'
edits 'fit[1]' '"method":"constant"' '"vector":"given"' '"vector":{"dtype":"F32","shape":[8]'
edits 'evaluate[0]' '"method":"ltv"' '"stage":"evaluate"'
edits 'shifted[0]' '"vector":"none"' '"edits":[]'
# An evaluation of a choice has the vector of the chosen fit.
for job in 'fit[1]' 'rates[1]' 'rates_choice[0]' 'best[0]'; do
    "$program" artifact run "$job" --edits edits.safetensors >out 2>err || die "--edits of $job: $(cat err)"
    tail -c 32 edits.safetensors | sha256sum
done >vectors
[[ $(sort -u vectors | wc -l) == 2 && $(sed -n '3,4p' vectors | sort -u | wc -l) == 1 ]] ||
    fault "an evaluation of a choice does not have the vector of one of the fits: $(cat vectors)"
refused 65 'capture\[0\] is a job of capture, which edits nothing' artifact run 'capture[0]' --edits e.safetensors
rm -- "$path"
refused 65 'fit\[0\] is PENDING: run the config first' artifact run 'fit[0]' --edits e.safetensors
refused 65 'fit\[0\] is PENDING: it has no artifact' artifact run 'fit[0]'

# ---- A model file that has changed since the run is not taken for the model of the fit.
cp -- "$source_dir/experiments/models/linear_d5.safetensors" model.safetensors
cat >file.cfg <<'END'
name = "file"; seed = 1; source = { problem = "linear"; dims = 5; }; model = { checkpoint = "model.safetensors"; };
stages = ( { stage = "fit"; method = "constant"; points = 4; prompts = 8; batch = 4; epochs = 1; } );
END
timeout 120 "$program" run file.cfg -o file --quiet >/dev/null 2>err || die "run: $(cat err)"
"$program" artifact file 'fit[0]' --edits e.safetensors >out 2>err || fault "--edits: $(cat err)"
printf 'x' >>model.safetensors
refused 65 'the model has other content' artifact file 'fit[0]' --edits e.safetensors

# ---- docs/results.md
"$program" help --markdown artifacts >tables.md
sed -n '/^<!-- The output of `taskvec help --markdown artifacts/,/^<!-- End of that output/p' \
    "$source_dir/docs/results.md" | sed '1,2d; $d' | sed '$d' >documented
if ! diff documented tables.md >out; then # a method that is being added may lack its lines, but not in CI
    [[ -z ${CI:-} ]] || fault "docs/results.md differs from taskvec help --markdown artifacts: $(cat out)"
    echo "NOTE: docs/results.md differs from taskvec help --markdown artifacts: $(cat out)"
fi

((faults == 0)) || exit 1
