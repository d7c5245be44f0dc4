#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154 # variables of common.sh
# check_run_folder.sh BINARY [SOURCE] - a finished run answers from its own folder: status, table, digest and
# explain say the same without its model file, and with other content under its name, which is named.
set -euo pipefail
. "$(dirname -- "$0")/../mpi/common.sh" check_run_folder "$@"
cd -- "$work/a folder"
models="$source_dir/experiments/models"
a=$models/linear_d5.safetensors b=$models/linear_d5_seed2.safetensors
hash_a=$(sha256sum "$a" | cut -d' ' -f1) hash_b=$(sha256sum "$b" | cut -d' ' -f1)
cat >one.cfg <<END
name = "one"; seed = 1; model = { checkpoint = "m, of one.safetensors"; };
source = { problem = "linear"; dims = 5; };
stages = ( { stage = "fit"; method = "constant"; points = 4; prompts = 20; batch = 8; epochs = 1; },
           { stage = "evaluate"; of = "fit"; also = ["plain"]; points = 6; functions = 8; } );
END
model="m, of one.safetensors"
say() { # COMMAND...: its output without rates, which need the sizes of the model
    rc=0
    "$program" "$@" 2>"$work/err" | grep -v '/s in ' >"$work/out" || rc=$?
}
cp -- "$a" "$model"
"$program" run one.cfg -o run --quiet >/dev/null 2>"$work/err" || die "the run: code $?"
commands=("status --exit-code run" "table run" "table run fit" "digest run" "explain run fit[0]")
for command in "${commands[@]}"; do
    read -ra words <<<"$command"
    say "${words[@]}"
    cp -- "$work/out" "$work/${words[0]}.${#words[@]}"
done
grep -q "^one: 3 jobs, 3 DONE; 1 attempt$" "$work/status.3" || fault "status: $(cat "$work/status.3")"
check() { # WHAT COMMANDS...: the same as before
    local what=$1 command words
    shift
    for command in "$@"; do
        read -ra words <<<"$command"
        say "${words[@]}"
        ((rc == 0)) || fault "$command, $what: code $rc: $(cat "$work/err")"
        cmp -s "$work/out" "$work/${words[0]}.${#words[@]}" || fault "$command, $what: $(cat "$work/out")"
    done
}
mv -- "$model" away
check "without the model" "${commands[@]}"
[[ ! -s $work/err ]] || fault "without the model: $(cat "$work/err")"

cp -- "$b" "$model"
check "another model" "${commands[@]:0:4}"
grep -q "$model: other content .* was $hash_a, is $hash_b" "$work/err" || fault "the change is not named: $(cat "$work/err")"
say explain run 'fit[0]'
grep -qE "was $hash_a, is $hash_b" "$work/out" || fault "explain does not say what would run: $(cat "$work/out")"
say verify run
grep -qE "other content .* was $hash_a, is $hash_b" "$work/out" "$work/err" || fault "verify: $(cat "$work/out" "$work/err")"
"$program" run one.cfg -o run >/dev/null 2>"$work/err" || fault "run again: code $?: $(cat "$work/err")"
grep -q 'other content than in the run so far: 3 new, 0 unchanged, 3 no longer planned' "$work/err" ||
    fault "run does not say that it computes anew: $(cat "$work/err")"
cp -- "$a" "$model"
"$program" run one.cfg -o run --quiet >/dev/null 2>"$work/err" || fault "back again: code $?: $(cat "$work/err")"
check "back again" "digest run"
conclude "a finished run answers from its folder, and a file with other content is named"
