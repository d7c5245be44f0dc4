#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154,SC2034 # variables of and for common.sh
# check_faults.sh BINARY [SOURCE] - a job that crashes, hangs, exhausts memory or diverges costs
# itself only: it is FAILED with its class, what reads it is BLOCKED, all else has the bits of a
# clean run on all ranks, and --retry-failed completes the run.
set -euo pipefail
. "$(dirname -- "$0")/common.sh" check_faults "$@"
config="$work/a folder/tiny.cfg"
cp -- "$here/tiny.cfg" "$config"
clean="$work/a folder/clean"
launch 3 run "$config" -o "$clean" --quiet
((rc == 0)) || die "a clean run: code $rc"
wanted=$(digest_of "$clean")
journal bits "$clean" >"$work/clean.bits"

# trouble DIR: "LINE STATE CLASS" of each FAILED or BLOCKED job, by plan line.
trouble() {
    timeout 60 "$program" status --json "$1" >"$work/status.json" 2>"$work/err" || die "status: code $?"
    python3 -c '
import json, sys
for job in json.load(open(sys.argv[1]))["trouble"]:
    print(job["line"], job["state"], job.get("class", ""))' "$work/status.json" | sed 's/ *$//'
}

# failing SPEC EXPECTED_TROUBLE ARGUMENTS: a run on 3 ranks with faults, then with --retry-failed.
failing() {
    local spec=$1 expected=$2 folder="$work/a folder/failing" before=$SECONDS found
    shift 2
    TASKVEC_INJECT=$spec launch 3 run "$config" -o "$folder" --quiet "$@"
    ((rc == 1)) || die "$spec: code $rc, not 1"
    found=$(trouble "$folder")
    [[ $found == "$expected" ]] || die "$spec: in trouble are"$'\n'"$found"$'\n'"and not"$'\n'"$expected"
    [[ $(journal ended "$folder") == 1 ]] || die "$spec: the attempt did not end in order"
    journal bits "$folder" >"$work/failing.bits"
    [[ $(wc -l <"$work/failing.bits") == $((17 - $(wc -l <<<"$expected"))) ]] ||
        die "$spec: not all other jobs are done"
    [[ -z $(comm -13 "$work/clean.bits" "$work/failing.bits") ]] || die "$spec: other bits"
    journal check "$folder"
    launch 3 run "$config" -o "$folder" --quiet
    ((rc == 1)) || die "$spec: a run without --retry-failed: code $rc, not 1"
    launch 2 run "$config" -o "$folder" --quiet --retry-failed
    expect_done 2 "$folder" "$spec, then --retry-failed"
    rm -rf -- "$folder"
}

# Lines of plan: 0 pretrain (2 ranks), 1-4 fit, 5 shared (2 ranks), 6-9 evaluate of fit, 10 of
# shared, 11-14 controls, 15-16 capture.
of_oom=oom
if is_sanitised; then
    of_oom='kill' # no memory limit under ASan
else
    failing kill@job:7 '7 FAILED kill'
    failing segv@job:1 $'1 FAILED segv\n6 BLOCKED'
    failing abort@job:16 '16 FAILED abort'
    failing exit@job:12 '12 FAILED exit'
    failing oom@job:2 $'2 FAILED oom\n7 BLOCKED'
    failing nan@job:4 $'4 FAILED nan\n9 BLOCKED'
    failing hang@job:11 '11 FAILED hang' --hang-after 10
    failing segv@job:5 $'5 FAILED segv\n10 BLOCKED' # one rank of a group
    failing hang@job:5 $'5 FAILED hang\n10 BLOCKED' --hang-after 10
    failing kill@job:0 "0 FAILED kill"$'\n'"$(seq -f '%g BLOCKED' 1 16)"
fi
failing kill@job:6,segv@job:1,abort@job:16,exit@job:12,oom@job:2,nan@job:4,hang@job:13,kill@job:5 \
    "1 FAILED segv
2 FAILED $of_oom
4 FAILED nan
5 FAILED kill
6 BLOCKED
7 BLOCKED
9 BLOCKED
10 BLOCKED
12 FAILED exit
13 FAILED hang
16 FAILED abort" --hang-after 10

# No rank is lost: the only rank there is does all the rest, and of two both go on.
TASKVEC_INJECT=segv@job:1,kill@job:15 launch 0 run "$config" -o "$work/a folder/one rank" --quiet
((rc == 1)) || die "faults on one rank: code $rc, not 1"
[[ $(journal bits "$work/a folder/one rank" | wc -l) == 14 ]] || die "faults on one rank cost more jobs"
TASKVEC_INJECT=segv@job:1,segv@job:2,segv@job:3 launch 2 run "$config" -o "$work/a folder/two" --quiet
((rc == 1)) || die "faults on two ranks: code $rc, not 1"
for rank in 0 1; do
    [[ $(journal used-after "$work/a folder/two" "$rank") == yes ]] || die "rank $rank stays idle after faults"
done

TASKVEC_INJECT=flood@job:1 launch 0 run "$config" -o "$work/a folder/nonsense" --quiet
[[ $rc == 64 ]] || fault "a fault of unknown kind: code $rc, not 64"
conclude "kill, segv, abort, exit, oom, nan and hang each cost one job, alone and together"
