#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154 # variables of common.sh
# check_old_run.sh BINARY [SOURCE] - a run folder written by an earlier program is read as it was:
# tests/run/rundir/old_run has two attempts of revision 30823a5 (folders, rows and coordinator were
# rewritten since), the second with a changed config: 12 jobs, 10 of them still planned. The stage
# `capture` has had another version since, so its job is the one to run again.
set -euo pipefail
. "$(dirname -- "$0")/../mpi/common.sh" check_old_run "$@"
cp -r -- "$source_dir/tests/run/rundir/old_run" "$work/run"
cd -- "$work"

expect() { # LINE ARGUMENTS: exit code 0 and this whole line
    local line=$1
    shift
    timeout 60 "$program" "$@" >out 2>err || die "$*: exit code $?"
    grep -qFx -- "$line" out || fault "$*: no line \"$line\" in: $(cat out err)"
}
expect_rows() { # STAGE ROWS FIELD...: the number of rows, and fields of the last one
    local stage=$1 rows=$2 field
    shift 2
    timeout 60 "$program" table run "$stage" --format csv >out 2>err || die "table run $stage: exit code $?"
    (($(wc -l <out) == rows + 1)) || fault "table run $stage: $(($(wc -l <out) - 1)) rows, not $rows"
    for field in "$@"; do
        tail -n 1 out | sed 's|\r$||; s|,|\n|g' >fields
        grep -qFx -- "$field" fields || fault "table run $stage: no $field in: $(tail -n 1 out)"
    done
    if grep -q 'lack cells' out err; then fault "table run $stage: $(cat out err)"; fi
}

expect 'old: 10 jobs, 1 PENDING, 9 DONE; 2 attempts' status run
expect_rows capture 0
# Without that stage, everything is as the old program had it.
cp -r run less
line=$(grep -n 'stage = "capture"' less/config.cfg | cut -d: -f1)
{ head -n $((line - 3)) run/config.cfg; printf '  }\n);\n'; } >less/config.cfg
expect 'old: 9 jobs, 9 DONE; 2 attempts' status less
"$program" status --exit-code less >out || fault "status --exit-code: $?, not 0"
expect 8fc15dbb5cf7ed353ec0bfbd23099b796867cbedf58673056d19fceb67703b2c digest less # as the old program printed it
"$program" fsck run >out 2>err || fault "fsck: exit code $?: $(cat out err)"
grep -q '^97 lines, 12 jobs done, 12 artifacts, 0 checkpoints: all sound' out || fault "fsck: $(cat out)"

expect_rows pretrain 20 'pretrain[0]'
expect_rows fit 2 constant 0.5515163597341325 0.9473094208935197 'fit[1]'
expect_rows evaluate 28 zero 'evaluate[3]'
expect_rows estimate 7 least_squares 'estimate[0]'
expect_rows effects 2 0.00014249725474257957 'effects[0]'
"$program" table run >out 2>err || fault "table: exit code $?: $(cat err)"
grep -q 'least_squares' out || fault "table: $(cat out)"

# A job of the first attempt's config is found and compared with what is planned now.
expect '  DONE: would not run again' explain run 'fit[0]'
expect '  epochs                       was 1, is 2' explain run 'fit[0]'
"$program" explain run 043975187c28 >out 2>err || fault "explain: exit code $?: $(cat err)"
grep -q 'no longer planned' out || fault "explain: $(cat out)"

# A run of the same config has nothing to do: all identities are as they were.
"$program" run less/config.cfg -o less --quiet >out 2>err || fault "run: exit code $?: $(cat out err)"
expect 'old: 9 jobs, 9 DONE; 2 attempts' status less
[[ -f less/results.h5 ]] || fault "run: results.h5 is missing"

((faults == 0)) || exit 1
