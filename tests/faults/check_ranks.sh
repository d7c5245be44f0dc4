#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154,SC2034 # variables of and for common.sh
# check_ranks.sh BINARY [SOURCE] - the loss of a rank or of the coordinator, and a wall clock that jumps:
# the attempt ends in bounded time, nothing is left running, the journal is intact, and the same command
# resumes it to the same bits. Kills of everything: ../mpi/check_kills.sh and check_digest.sh.
set -euo pipefail
. "$(dirname -- "$0")/../mpi/common.sh" check_ranks "$@"
. "$(dirname -- "$0")/scenario.sh"
export TASKVEC_SILENCE=4 # seconds; twice that for a rank
within=50                # silence, and messages that nobody receives

process_of() { # RANK: the supervisor
    local process
    for process in $(own_processes); do
        if grep -qzx -- --child "/proc/$process/cmdline" 2>/dev/null; then continue; fi
        if grep -qzx "OMPI_COMM_WORLD_RANK=$1" "/proc/$process/environ" 2>/dev/null; then echo "$process"; fi
    done
}

# with_fault NAME RANKS SPEC RESUMED [END]: the whole attempt dies of it at once; resumed on another
# number of ranks.
with_fault() {
    scenario "$1"
    inject "$2" 137 "$3"
    ended "${5:-killed}"
    resumable "$4"
}
with_fault 'the coordinator is killed, mpirun ends the rest' 3 kill-coordinator@event:40 1
with_fault 'the coordinator of a plain start is killed: its child dies with it' 0 kill-coordinator@job:3 2
with_fault 'a rank is killed, mpirun ends the rest' 3 kill-rank@job:5 2 'killed|75' # mpirun's TERM leaves rank 0 a second

# A launcher that lets the others live: they must notice by themselves.
mpi+=(--enable-recovery)
scenario 'the coordinator is killed, and the others are alone'
begin 3 kill-coordinator@job:3
when_at_work "done"
for ((i = 0; i < 10 * within && $(own_processes | wc -l) > 0; i++)); do sleep 0.1; done
[[ -z $(own_processes) ]] || die "$name: after $within s there are still $(own_processes | xargs)"
kill -9 "$pid" 2>/dev/null || true # mpirun may wait for the dead for ever
{ wait "$pid"; } 2>/dev/null || true
says 'from rank 0' # nothing, or only the half of a message
ended killed
resumable 2

scenario 'a rank is killed, and the others are alone'
begin 3 kill-rank@job:5 # the second of two, so never rank 0
expect_exit $within
ended 71
says 'has been silent for'
resumable 3

unset 'mpi[-1]'

scenario 'the coordinator hangs'
begin 2 hang@event:30
expect_exit $within
((rc == 71)) || die "$name: code $rc, not 71"
says 'from rank 0' # nothing, or only the half of a message
ended killed
resumable 2

scenario 'a rank is stopped'
begin 3 ''
when_at_work start
kill -STOP "$(process_of 1)"
expect_exit $within
((rc == 71)) || die "$name: code $rc, not 71"
says 'rank 1 has been silent for'
ended 71
resumable 2

# Suspended as a whole for longer than every time limit of silence and hangs: no rank is given up.
scenario 'a run is suspended and continued'
begin 2 '' --hang-after 3
when_at_work checkpoint
mapfile -t stopped < <(own_processes)
kill -STOP "$pid" "${stopped[@]}"
sleep 10
[[ $(journal ended "$folder") == killed ]] || die "$name: it had ended before"
kill -CONT "${stopped[@]}" "$pid"
expect_exit 60
expect_done 2 "$folder" "$name"
(($(grep -c $'\tattempt\t' "$folder/journal") == 1)) || die "$name: more than one attempt"

scenario 'the wall clock jumps ahead and back'
inject 2 0 clock-jump@event:9,clock-jump@event:60,clock-jump@event:90
whole 2

# With a clock that is wrong by hours, status says that the run is alive, and a second run is refused.
scenario 'a wrong clock beside a run'
begin 0 hang@job:0
when_at_work start
for offset in 36000 -36000; do
    export TASKVEC_CLOCK_OFFSET=$offset
    timeout 60 "$program" status "$folder" >"$work/status" 2>&1 || die "$name: status: code $?"
    grep -q 'running' "$work/status" || die "$name: status does not say running: $(cat "$work/status")"
    rc=0
    timeout 60 "$program" run "$config" -o "$folder" --quiet >"$work/status" 2>&1 || rc=$?
    ((rc == 65)) || die "$name: a second run by a clock that is $offset s off: code $rc, not 65"
done
kill -9 "$pid"
{ wait "$pid"; } 2>/dev/null || true
none_left || die "$name: processes are left"
resumable 0
unset TASKVEC_CLOCK_OFFSET

scenario 'TASKVEC_SILENCE is no number'
TASKVEC_SILENCE=soon inject 0 64 ''
says 'TASKVEC_SILENCE: "soon"'
conclude "$scenarios scenarios: attempts die in bounded time and are resumed to the same bits"
