#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154,SC2034 # variables of and for common.sh
# check_ranks.sh BINARY [SOURCE] - the loss of a rank, of the coordinator or of everything, and a
# wall clock that jumps: the attempt ends in bounded time, nothing is left running, the journal is
# intact, and the same command goes on to the same bits.
set -euo pipefail
. "$(dirname -- "$0")/../mpi/common.sh" check_ranks "$@"
. "$(dirname -- "$0")/scenario.sh"
export TASKVEC_SILENCE=4 # seconds; twice that for a rank
within=50                # silence, and letters that nobody takes

process_of() { # RANK: the supervisor
    local process
    for process in $(own_processes); do
        if grep -qzx -- --child "/proc/$process/cmdline" 2>/dev/null; then continue; fi
        if grep -qzx "OMPI_COMM_WORLD_RANK=$1" "/proc/$process/environ" 2>/dev/null; then echo "$process"; fi
    done
}

# struck NAME RANKS SPEC RESUMED [END]: the whole attempt dies of it at once; resumed on another
# number of ranks.
struck() {
    scenario "$1"
    strike "$2" 137 "$3"
    ended "${5:-killed}"
    resumable "$4"
}
struck 'everything is killed at a line' 3 kill-all@event:31 2
struck 'everything is killed as a job begins' 2 kill-all@job:8 3
struck 'the coordinator is killed, mpirun ends the rest' 3 kill-coordinator@event:40 1
struck 'the coordinator of a plain start is killed: its child dies with it' 0 kill-coordinator@job:3 2
struck 'a rank is killed, mpirun ends the rest' 3 kill-rank@job:5 2 'killed|75' # mpirun's TERM leaves rank 0 a second
struck 'the only rank is killed' 0 kill-rank@job:7 3

# A launcher that lets the others live: they must find out by themselves.
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
leaves $within
ended 71
says 'has been silent for'
resumable 3

scenario 'a rank is killed in the first job of all'
begin 3 kill-rank@job:0
leaves $within
ended 71
resumable 2
unset 'mpi[-1]'

scenario 'the coordinator hangs'
begin 2 hang@event:30
leaves $within
((rc == 71)) || die "$name: code $rc, not 71"
says 'from rank 0' # nothing, or only the half of a message
ended killed
resumable 2

scenario 'a rank is stopped'
begin 3 ''
when_at_work start
kill -STOP "$(process_of 1)"
leaves $within
((rc == 71)) || die "$name: code $rc, not 71"
says 'rank 1 has been silent for'
ended 71
resumable 2

# Suspended as a whole for longer than any patience: that is nobody's silence.
for ranks in 0 2; do
    scenario "a run on $ranks ranks is suspended and goes on" # 0: a plain start
    begin $ranks '' --hang-after 3
    when_at_work checkpoint
    mapfile -t stopped < <(own_processes)
    kill -STOP "$pid" "${stopped[@]}"
    sleep 10
    [[ $(journal ended "$folder") == killed ]] || die "$name: it had ended before"
    kill -CONT "${stopped[@]}" "$pid"
    leaves 60
    expect_done $ranks "$folder" "$name"
    (($(grep -c $'\tattempt\t' "$folder/journal") == 1)) || die "$name: more than one attempt"
done

scenario 'the wall clock jumps ahead and back'
strike 2 0 clock-jump@event:9,clock-jump@event:60,clock-jump@event:90
whole 2

# Whose clock is wrong by hours sees a living run, and does not enter.
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

scenario 'a patience that is no number'
TASKVEC_SILENCE=soon strike 0 64 ''
says 'TASKVEC_SILENCE: "soon"'
conclude "$scenarios scenarios: attempts die in bounded time and go on to the same bits"
