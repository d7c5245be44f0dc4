#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154,SC2034 # variables of and for common.sh
# check_storage.sh BINARY [SOURCE] - disks that are full, fail, are slow or lose half of a file: the run
# ends with 74 or continues, never with a wrong result, and the same command completes it. Which files
# an attempt trusts: tests/par/test_coordinator_resume.c.
set -euo pipefail
. "$(dirname -- "$0")/../mpi/common.sh" check_storage "$@"
. "$(dirname -- "$0")/scenario.sh"

artifact_of() { # LINE of plan
    local identity
    identity=$(sed -n "$(($1 + 1))p" "$work/identities")
    echo "$folder/artifacts/${identity:0:2}/$identity.safetensors"
}

# refused NAME RANKS SPEC WORDS END: ends with 74, says why, is whole when the disk is.
refused() {
    scenario "$1"
    inject "$2" 74 "$3"
    says "$4"
    ended "$5"
    resumable 2
}
full='No space left on device' broken='Input/output error'
refused 'no space for the journal' 0 enospc@event:20 "/journal: cannot write: $full" killed
refused 'the journal cannot be written, once' 2 eio@event:33 "/journal: cannot write: $broken" 74
refused 'no space for a checkpoint' 2 enospc@job:0 "cannot write: $full" 74
refused 'no space for an artifact' 3 enospc@job:15 "capture[0] on rank" 74
refused 'an artifact cannot be written' 0 eio@job:16 "cannot write: $broken" 74

# torn NAME RANKS SPEC [END]: half of something, and everything is dead.
torn() {
    scenario "$1"
    inject "$2" 137 "$3"
    ended "${4:-killed}"
}
torn 'half a line of the journal, and half a line of the next attempt' 3 torn-journal@event:50
[[ -n $(tail -c 1 "$folder/journal") ]] || die "$name: the journal ends with a whole line"
inject 2 137 torn-journal@event:53
resumable 3

torn 'half an artifact, and no DONE line' 2 torn-artifact@job:15 'killed|75' # mpirun's TERM leaves rank 0 a second
[[ -s $(artifact_of 15) ]] || die "$name: nothing was written"
stray=$(artifact_of 15)
stray=${stray%/*/*}/00/$(printf '%064d' 0).safetensors # of a job that no journal knows
mkdir -p -- "${stray%/*}"
cp -- "$(artifact_of 15)" "$stray"
cp -- "$(artifact_of 15)" "$stray.tmp.host.1"
resumable 2
[[ ! -e $stray && ! -e $stray.tmp.host.1 ]] || die "$name: files without a DONE line are not deleted"

# run_again: the artifact of capture[0] is not what its DONE line says.
run_again() {
    launch 2 run "$config" -o "$folder" --quiet
    ((rc == 0)) || die "$name: code $rc, not 0"
    says 'capture[0]: its artifact is missing or truncated: it runs again'
    [[ $(digest_of "$folder") == "$wanted" ]] || die "$name: other bits"
    [[ $(journal repeated "$folder" "$work/identities") == 15 ]] ||
        die "$name: done twice are $(journal repeated "$folder" "$work/identities"), not 15 alone"
}
of_15=$(sed -n 16p "$work/identities")
launch 0 run "$config" -o "$work/a folder/one rank" --quiet # on one rank every line has its place
at=$(grep -n $'\tdone\t'"job=$of_15" "$work/a folder/one rank/journal")
torn 'half an artifact behind its DONE line' 0 torn-artifact@event:$((${at%%:*} - 1))
tail -n 1 "$folder/journal" | grep -q $'\tdone\t'"job=$of_15" || die "$name: killed at another line"
run_again

scenario 'an artifact that is gone when all is done'
inject 3 0 ''
rm -- "$(artifact_of 15)"
run_again

# What a new job reads is compared with its DONE line first.
scenario 'a changed bit in the model that a new job reads'
inject 3 0 ''
rm -- "$(artifact_of 5)"
python3 -c 'import sys
with open(sys.argv[1], "r+b") as file:
    file.seek(-9, 2)
    byte = file.read(1)[0]
    file.seek(-1, 1)
    file.write(bytes([byte ^ 4]))' "$(artifact_of 0)"
launch 2 run "$config" -o "$folder" --quiet
((rc == 0)) || die "$name: code $rc, not 0"
says 'pretrain[0]: its artifact is damaged: it runs again'
[[ $(digest_of "$folder") == "$wanted" ]] || die "$name: other bits"

scenario 'half a checkpoint'
inject 0 137 kill-all@event:20
for file in "$folder"/checkpoints/*; do truncate -s 900 -- "$file"; done
launch 2 run "$config" -o "$folder" --quiet
((rc == 0)) || die "$name: code $rc, not 0"
says 'the job begins again from its first step'
[[ $(digest_of "$folder") == "$wanted" ]] || die "$name: other bits"

# Every write succeeds, and no reader would find it.
scenario 'the journal is deleted under a run'
begin 2 ''
when_at_work "done"
rm -- "$folder/journal"
expect_exit 30
((rc == 74)) || die "$name: code $rc, not 74"
says '/journal: it was deleted or replaced while this run wrote it'
whole 2

# The heartbeat of the lock is never old, however slow the disk is.
scenario 'a slow disk under the journal'
begin 2 slow-fs@event:2
when_at_work checkpoint
beats=()
while kill -0 "$pid" 2>/dev/null; do
    beat=$(stat -c %Y "$folder/lock" 2>/dev/null) || break
    (($(date +%s) - beat <= 30)) || die "$name: its heartbeat is $(($(date +%s) - beat)) s old"
    if [[ " ${beats[*]} " != *" $beat "* ]]; then beats+=("$beat"); fi
    sleep 0.5
done
expect_exit 100
((rc == 0)) || die "$name: code $rc, not 0"
((${#beats[@]} > 1)) || die "$name: no heartbeat in all its time"
expect_done 2 "$folder" "$name"

disk=', no tmpfs'
mkdir "$work/full"
if mount -t tmpfs -o size=100k tmpfs "$work/full" 2>/dev/null; then
    disk=' and a full tmpfs'
    scenario 'a disk that is full'
    folder="$work/full/run"
    inject 3 74 ''
    says "$full"
    results='; no results.h5 yet, tables read the journal' # it is written where a small file still fits
    if [[ -e $folder/results.h5 ]]; then results="; $folder/results.h5"; fi
    for words in "$results" '; free space and run the same command again'; do
        cat "$work/out" "$work/err" | grep -qF -- "$words" || die "$name: it does not say \"$words\""
    done
    mount -o remount,size=64m "$work/full"
    whole 2
    rm -rf -- "$folder"
fi
conclude "$scenarios scenarios$disk: 74 or the same bits"
