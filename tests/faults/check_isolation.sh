#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154 # variables of common.sh
# check_isolation.sh BINARY [SOURCE] - a job that crashes, hangs, exhausts memory or diverges costs
# itself only: it is FAILED with its class and the tail of its stderr, what reads it is BLOCKED, all else has
# the bits of a clean run; it is not tried again by itself, and --retry-failed completes the run.
set -euo pipefail
. "$(dirname -- "$0")/../mpi/common.sh" check_isolation "$@"
. "$(dirname -- "$0")/scenario.sh"
hang=(--hang-after 8)
of_oom=oom
if is_sanitised; then of_oom='kill'; fi # no memory limit under ASan

# one NAME RANKS SPEC TROUBLE LINE REASON ARGUMENTS: struck, then completed by --retry-failed.
one() {
    scenario "$1"
    strike "$2" 1 "$3" "${@:7}"
    in_trouble "$4"
    reason "$5" "$6"
    whole 2 --retry-failed
}
if ! is_sanitised; then
    one 'a child is killed' 3 kill@job:7 '7 FAILED kill' 7 'signal 9 .*its stderr ends: injected: kill$'
    one 'a segmentation fault' 2 segv@job:1 $'1 FAILED segv\n6 BLOCKED' 1 'signal 11 .*its stderr ends'
    one 'an abort' 0 abort@job:16 '16 FAILED abort' 16 'signal 6 .*its stderr ends'
    one 'an exit' 3 exit@job:12 '12 FAILED exit' 12 'exit code 3; its stderr ends'
    one 'memory is exhausted' 2 oom@job:2 $'2 FAILED oom\n7 BLOCKED' 2 'no memory is left to this job after 10.. MiB'
    one 'a loss that is not finite' 3 nan@job:4 $'4 FAILED nan\n9 BLOCKED' 4 'not a finite number'
    one 'a job that hangs' 2 hang@job:11 '11 FAILED hang' 11 'no progress for .*its stderr ends' "${hang[@]}"
    one 'a crash in a group' 3 segv@job:5 $'5 FAILED segv\n10 BLOCKED' 5 'signal 11'
    one 'a group that hangs' 2 hang@job:5 $'5 FAILED hang\n10 BLOCKED' 5 'no progress' "${hang[@]}"
    one 'the first job of all is killed' 3 kill@job:0 \
        "0 FAILED kill"$'\n'"$(seq -f '%g BLOCKED' 1 16)" 0 'signal 9'
fi
one 'eight faults at once' 3 \
    kill@job:6,segv@job:1,abort@job:16,exit@job:12,oom@job:2,nan@job:4,hang@job:13,kill@job:5 \
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
16 FAILED abort" 12 'exit code 3' "${hang[@]}"

scenario 'a failure is not tried again by itself'
strike 0 1 abort@job:16
strike 3 1 ''
in_trouble '16 FAILED abort'
[[ $(journal starts "$folder" 16 "$work/identities") == 1 ]] || die "$name: it was started again"

scenario 'no rank is lost'
strike 3 1 segv@job:1,segv@job:5,segv@job:2
for rank in 0 1 2; do
    [[ $(journal used-after "$folder" "$rank") == yes ]] || die "$name: rank $rank stays idle"
done

scenario 'a job that takes five attempts with it'
for ((attempt = 0; attempt < 5; attempt++)); do
    strike 0 137 kill-all@job:11
    ended killed
done
strike 0 1 ''
in_trouble '11 FAILED lost'
reason 11 'died 5 times in a row'
[[ $(journal starts "$folder" 11 "$work/identities") == 5 ]] || die "$name: it was started again"
whole 0 --retry-failed

if is_sanitised; then
    scenario 'no limit of memory under ASan is said'
    launch 0 run "$config" -o "$folder"
    says 'no memory limits of jobs: AddressSanitizer'
fi

scenario 'a fault of unknown kind'
strike 0 64 flood@job:1
says 'torn-artifact'

scenario 'a fault for a job that the plan does not have'
strike 2 64 segv@job:2,kill@job:17
says '"kill@job:17": the plan has 17 jobs'
[[ ! -e "$folder/journal" ]] || die "$name: something was begun"
conclude "$scenarios scenarios: a fault costs its job and nothing else"
