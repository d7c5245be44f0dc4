#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154,SC2034 # variables of and for common.sh
# check_signals.sh BINARY [SOURCE] - a run that is asked to stop, or that cannot write, exits in time
# with the right code, and the same command resumes it to the same bits. Signals under mpirun, at a
# terminal and sent twice: check_stops.sh. What a signal makes the coordinator send and journal:
# tests/par/test_coordinator_stop.c.
set -euo pipefail
. "$(dirname -- "$0")/../mpi/common.sh" check_signals "$@"
. "$(dirname -- "$0")/asking.sh"
config="$work/a folder/tiny.cfg"
cp -- "$here/tiny.cfg" "$config"
long=(-s pretrain.steps=1200 -s pretrain.checkpoint_every=50) # some seconds: time for a signal
if is_sanitised; then long=(-s pretrain.steps=400 -s pretrain.checkpoint_every=50); fi

# goes_on DIR WHAT: the same command ends with the wanted digest.
goes_on() {
    launch 2 run "$config" -o "$1" --quiet "${long[@]}"
    expect_done 2 "$1" "$2"
    (($(journal resumes "$1") > 0)) || fault "$2: nothing went on from a checkpoint"
    rm -rf -- "$1"
}

launch 0 run "$config" -o "$work/a folder/whole" --quiet "${long[@]}"
((rc == 0)) || die "an undisturbed run: code $rc"
wanted=$(digest_of "$work/a folder/whole")

# ---- a plain start is asked to stop: it alone, or every process of it; in process too.
leaving() { # WHAT SIGNAL RANKS ARGUMENTS
    local what=$1 signal=$2 ranks=$3 folder="$work/a folder/$1"
    shift 3
    begin "$ranks" run "$config" -o "$folder" "${long[@]}" "$@"
    when_at_work "$folder"
    # shellcheck disable=SC2046 # one word a process
    ask "$signal" ${everybody:+$(own_processes || true)}
    expect_exit 20
    ((rc == 75)) || fault "$what: code $rc, not 75: $(cat "$work/err")"
    calm "$what"
    [[ $(journal ended "$folder") == 75 ]] || fault "$what: the journal does not end in order"
    [[ -s "$folder/results.h5" ]] || fault "$what: no results.h5"
    timeout 60 "$program" status --exit-code "$folder" >"$work/out" && fault "$what: status says done"
    goes_on "$folder" "$what"
}
leaving "TERM" TERM 0
everybody=1 leaving "TERM to every process, as Slurm sends it" TERM 0
everybody=1 leaving "USR1 to every process" USR1 0
if ! is_sanitised; then leaving "USR1 in process" USR1 0 --in-process; fi

# ---- killed one by one, the compute children first, as Slurm does: no job has failed by that.
children() {
    local pid
    for pid in $(own_processes); do
        if tr '\0' '\n' <"/proc/$pid/cmdline" | grep -qx -e --child; then echo "$pid"; fi
    done
}
killed_apart() { # leaves the milliseconds between the two kills in gap
    local began first second
    first=$(children)
    second=$(comm -23 <(own_processes | sort) <(sort <<<"$first"))
    began=${EPOCHREALTIME/./}
    # shellcheck disable=SC2086 # one word a process
    kill -KILL $first && sleep 0.02 && kill -KILL $second "$pid"
    gap=$(((${EPOCHREALTIME/./} - began) / 1000))
}
folder="$work/a folder/killed one by one"
for ((try = 0; try < 5; try++)); do # a busy machine may not let this script kill in time
    rm -rf -- "$folder"
    begin 3 run "$config" -o "$folder" --quiet "${long[@]}"
    when_at_work "$folder"
    killed_apart
    { wait "$pid"; } 2>/dev/null || true
    none_left || die "processes are left: $(own_processes | xargs)"
    if ((gap < 100)); then break; fi
done
if grep -q $'\tfailed\t' "$folder/journal"; then fault "killed one by one within $gap ms: a job is FAILED"; fi
goes_on "$folder" "killed one by one"

# ---- a time limit is the same without a signal.
launch 2 run "$config" -o "$work/a folder/limit" --quiet "${long[@]}" -s pretrain.steps=4000000 --max-time 4
((rc == 75)) || fault "--max-time 4: code $rc, not 75"

# ---- a job that hangs is abandoned after the grace period.
folder="$work/a folder/deaf"
TASKVEC_INJECT=hang@job:0 begin 0 run "$config" -o "$folder" --quiet
when_at_work "$folder" start
ask USR1
expect_exit 20
((rc == 75)) || fault "USR1 with a hanging job: code $rc, not 75"

# ---- one run at a time in a directory.
folder="$work/a folder/shared"
begin 0 run "$config" -o "$folder" --quiet "${long[@]}"
when_at_work "$folder" checkpoint
launch_beside() {
    rc=0
    timeout 60 "$program" run "$config" -o "$folder" --quiet "${long[@]}" >"$work/out" 2>"$work/beside" \
        </dev/null || rc=$?
}
launch_beside
((rc == 65)) || fault "a second run in a directory: code $rc, not 65"
grep -F "$(hostname)" "$work/beside" | grep -qwF "$pid" ||
    fault "a second run in a directory does not name $(hostname) and $pid: $(cat "$work/beside")"
ask USR1
expect_exit 20
((rc == 75)) || fault "the first run of a directory: code $rc, not 75"
goes_on "$folder" "a second run beside it"

# ---- nowhere to write.
touch "$work/a folder/file"
for place in "$work/a folder/file/run" /proc/taskvec; do
    launch 0 run "$config" -o "$place" --quiet
    ((rc == 74)) || fault "an unwritable folder $place: code $rc, not 74"
    [[ $(wc -l <"$work/err") == 1 ]] || fault "an unwritable folder: not one line: $(cat "$work/err")"
done
launch 2 run "$config" -o "$work/a folder/file/run" --quiet
((rc == 74)) || fault "an unwritable folder under mpirun: code $rc, not 74"

# ---- a limit on the size of files during a run, and disks too small for anything, where a tmpfs may be
# mounted. A disk that is full at first and has room later: check_storage.sh.
folder="$work/a folder/limited"
begin 0 run "$config" -o "$folder" --quiet "${long[@]}"
when_at_work "$folder"
for process in $(own_processes); do prlimit --pid "$process" --fsize=40000; done
asked=$(milliseconds)
expect_exit 20
((rc == 74)) || fault "files of at most 40 kB: code $rc, not 74: $(cat "$work/err")"
goes_on "$folder" "files of at most 40 kB"

disk=", no tmpfs"
mkdir "$work/full"
if mount -t tmpfs -o size=128k tmpfs "$work/full" 2>/dev/null; then
    disk=", and on a full tmpfs"
    for size in 16k 20k 40k; do # too small for results.h5 too, an error within HDF5
        mount -o remount,size="$size" "$work/full"
        launch 0 run "$config" -o "$work/full/least" --quiet
        ((rc == 74)) || fault "a disk of $size: code $rc, not 74: $(cat "$work/err")"
        if grep -q 'jobs done' "$work/out" && [[ ! -e $work/full/least/results.h5 ]]; then
            grep -q 'no results.h5 yet, tables read the journal' "$work/out" ||
                fault "a disk of $size: $(cat "$work/out")"
        fi
        rm -rf -- "$work/full/least"
    done
fi
conclude "USR1, TERM and time limits stop in time and resume to the same bits; 74 where files" \
    "cannot be written$disk"
