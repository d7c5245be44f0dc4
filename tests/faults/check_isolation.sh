#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154 # variables of common.sh
# check_isolation.sh BINARY [SOURCE] - a job that crashes, hangs or exhausts memory costs itself only: it
# is FAILED with its class and the tail of its stderr, what reads it is BLOCKED, all else has the bits of
# a clean run; it is not tried again by itself, and --retry-failed completes the run. Each class of
# failure: check_faults.sh; what a worker reports for it: tests/par/test_worker.c.
set -euo pipefail
. "$(dirname -- "$0")/../mpi/common.sh" check_isolation "$@"
. "$(dirname -- "$0")/scenario.sh"
hang=(--hang-after 8)

# one NAME RANKS SPEC TROUBLE LINE REASON ARGUMENTS: a run with a fault, then completed by --retry-failed.
one() {
    scenario "$1"
    inject "$2" 1 "$3" "${@:7}"
    in_trouble "$4"
    reason "$5" "$6"
    whole 2 --retry-failed
}
if ! is_sanitised; then
    one 'a segmentation fault' 2 segv@job:1 $'1 FAILED segv\n6 BLOCKED' 1 'signal 11 .*its stderr ends'
    one 'memory is exhausted' 2 oom@job:2 $'2 FAILED oom\n7 BLOCKED' 2 'this job ran out of memory after 10.. MiB'
    one 'a crash in a group' 3 segv@job:5 $'5 FAILED segv\n10 BLOCKED' 5 'signal 11'
    one 'a group that hangs' 2 hang@job:5 $'5 FAILED hang\n10 BLOCKED' 5 'no progress' "${hang[@]}"
    one 'the first job of all is killed' 3 kill@job:0 \
        "0 FAILED kill"$'\n'"$(seq -f '%g BLOCKED' 1 16)" 0 'signal 9 .*its stderr ends: injected: kill$'
else
    one 'three faults at once' 3 segv@job:1,oom@job:2,exit@job:12 \
        $'1 FAILED segv\n2 FAILED kill\n6 BLOCKED\n7 BLOCKED\n12 FAILED exit' 12 'exited with code 3' "${hang[@]}"
fi

scenario 'a failure is not tried again by itself'
inject 0 1 abort@job:16
inject 3 1 ''
in_trouble '16 FAILED abort'
[[ $(journal starts "$folder" 16 "$work/identities") == 1 ]] || die "$name: it was started again"

scenario 'a job that takes five attempts with it'
for ((attempt = 0; attempt < 5; attempt++)); do
    inject 0 137 kill-all@job:11
    ended killed
done
inject 0 1 ''
in_trouble '11 FAILED lost'
reason 11 'died 5 times in a row'
[[ $(journal starts "$folder" 11 "$work/identities") == 5 ]] || die "$name: it was started again"
whole 0 --retry-failed

if is_sanitised; then
    scenario 'that ASan allows no memory limit is reported'
    launch 0 run "$config" -o "$folder"
    says 'no memory limits of jobs: AddressSanitizer'
fi

scenario 'a fault for a job that the plan does not have'
inject 2 64 segv@job:2,kill@job:17
says '"kill@job:17": the plan has 17 jobs'
[[ ! -e "$folder/journal" ]] || die "$name: something was begun"
conclude "$scenarios scenarios: a fault costs its job and nothing else"
