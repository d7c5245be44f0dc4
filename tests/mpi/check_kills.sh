#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154,SC2034 # variables of and for common.sh
# check_kills.sh BINARY [SOURCE] - a sweep of 62 jobs, everything of it ended by SIGKILL at a seeded
# position of its journal and resumed on 1 to 5 ranks: the bits of an undisturbed run, and no
# DONE job run again. Then one run killed many times in a row. TASKVEC_KILL_TRIALS=50: the sweep of
# some 20 s, 50 trials, 20 kills in a row; without it a shortened sweep, 2 trials, 5 kills in a row
# (under ASan 2).
set -euo pipefail
. "$(dirname -- "$0")/common.sh" check_kills "$@"
trials=${TASKVEC_KILL_TRIALS:-2} row=20 seed=${TASKVEC_TEST_SEED:-1}
config="$work/a folder/sixty.cfg"
cp -- "$here/sixty.cfg" "$config"
shorter=()
if [[ -z ${TASKVEC_KILL_TRIALS:-} ]]; then
    row=5 size=(200 40 600)
    if is_sanitised; then row=2 size=(60 12 120); fi
    shorter=(-s "pretrain.steps=${size[0]}" -s pretrain.checkpoint_every=10 -s "fit.epochs=${size[1]}"
        -s fit.checkpoint_every=4 -s "shared.epochs=${size[1]}" -s "evaluate.functions=${size[2]}")
fi

sweep() { # RANKS DIR
    launch "$1" run "$config" "${shorter[@]}" -o "$2" --quiet
}

say() { # only a long run reports its progress
    if ((row == 20)); then printf 'check_kills: %5d s  %s\n' "$SECONDS" "$*"; fi
}

# lines_of KIND DIR: lines of the journal that match KIND ("": all), 0 while there is none.
lines_of() {
    local n
    n=$(grep -cE "$1" "$2/journal" 2>/dev/null) || true
    echo "${n:-0}"
}

# kill_inside RANKS DIR LINE: the coordinator ends itself and all others at exactly this line.
kill_inside() {
    TASKVEC_INJECT=kill-all@event:$3 sweep "$1" "$2"
    ((rc == 137)) || die "killed at line $3 on $1 ranks: code $rc, not 137"
}

# gone PIDS: all dead within 20 s; a zombie counts as dead.
gone() {
    local i IFS=,
    for ((i = 0; i < 200; i++)); do
        if ! ps -o stat= -p "$*" | grep -qv '^Z'; then return 0; fi
        sleep 0.1
    done
    return 1
}

# kill_outside RANKS DIR COUNT [KIND]: SIGKILL to mpirun and every process of the run, once the
# journal has COUNT lines (of this KIND). Fails where the run came to its end first.
kill_outside() {
    local ranks=$1 folder=$2 count=$3 command=() pid killed
    if ((ranks > 0)); then command=(mpirun "${mpi[@]}" -n "$ranks"); fi
    "${command[@]}" "$program" run "$config" "${shorter[@]}" -o "$folder" --quiet \
        >"$work/out" 2>"$work/err" </dev/null &
    pid=$!
    disown "$pid" # else the shell reports that it was killed
    until (($(lines_of "${4:-}" "$folder") >= count)) || ! kill -0 "$pid" 2>/dev/null; do sleep 0.01; done
    killed=$(own_processes | xargs) || true # find fails where a process ends meanwhile
    # shellcheck disable=SC2086 # a list of numbers
    kill -9 "$pid" $killed 2>/dev/null || true
    end_all # a child that was started meanwhile
    # shellcheck disable=SC2086
    if ! { none_left && gone "$pid" $killed; }; then die "killed at $count lines, processes are left"; fi
    [[ $(journal ended "$folder") == killed ]]
}

# resume RANKS DIR WHAT: to its end, and to the bits of the undisturbed run.
resume() {
    sweep "$1" "$2"
    expect_done "$1" "$2" "$3"
    [[ -s "$2/results.h5" ]] || die "$2 ($3): no results.h5"
    resumed=$((resumed + $(journal resumes "$2")))
    rm -rf -- "$2" "${work:?}/tmp"/*
}

# too_late DIR WHAT: on a busy machine a run may end before it is killed: it must have ended as it
# should, and is started again in an empty folder.
too_late() {
    ((late < 5)) || die "$late runs ended before they were killed"
    [[ $(journal ended "$1") == 0 ]] || die "$2: neither killed nor ended: code $(journal ended "$1")"
    rm -rf -- "$1"
    late=$((late + 1))
    say "too late: $2"
}

# trial I: even ones by the program itself at an exact line, odd ones from outside. The last tenth
# of the journal is written too fast to be hit from outside.
trial() {
    local i=$1 folder="$work/a folder/trial $1" at from to how=inside
    at=$((2 + (i * (lines - 3) + RANDOM % (lines - 3)) / trials))
    from=$((i % 6)) to=$((1 + i % 5)) # 30 pairs
    if ((i % 2 == 1 && at < lines * 9 / 10)); then how=outside; fi
    until "kill_$how" "$from" "$folder" "$at"; do
        too_late "$folder" "at $at lines on $from ranks"
        at=$((1 + at / 2))
    done
    at=$(journal lines "$folder")
    resume "$to" "$folder" "killed from $how with $at lines on $from ranks"
    if [[ $how == outside ]]; then outside=$((outside + 1)); fi
    say "trial $i: killed from $how with $at of $lines lines on $from ranks, resumed on $to"
}

# A plain start: the order of its journal lines is always the same.
undisturbed() {
    local folder="$work/a folder/undisturbed"
    sweep 0 "$folder"
    ((rc == 0)) || die "undisturbed: code $rc"
    wanted=$(digest_of "$folder")
    journal check "$folder"
    lines=$(journal lines "$folder")
    steps=$(lines_of "$gets_on" "$folder")
    checkpoint=$(awk '$2 == "checkpoint" { print NR - 1; exit }' "$folder/journal") # its event
    say "undisturbed: $lines lines, digest $wanted"
}

# Killed with a checkpoint as the last line: its job resumes from there.
killed_at_checkpoint() {
    local folder="$work/a folder/checkpoint"
    kill_inside 0 "$folder" "$checkpoint"
    tail -n 1 "$folder/journal" | grep -q $'\tcheckpoint\t' || die "event $checkpoint is no checkpoint"
    resume 2 "$folder" "killed at the checkpoint of event $checkpoint"
    ((resumed > 0)) || die "no job resumed from a checkpoint"
}

# Each kill comes after a new checkpoint or DONE line, so that no job is given up as lost.
killed_in_a_row() {
    local folder="$work/a folder/in a row" k count=0
    for ((k = 0; k < row; k++)); do
        count=$((1 + (k * steps + RANDOM % steps) / (row + 1)))
        ((count > $(lines_of "$gets_on" "$folder"))) || count=$(($(lines_of "$gets_on" "$folder") + 1))
        if kill_outside $((RANDOM % 6)) "$folder" "$count" "$gets_on"; then
            say "kill $((k + 1)) in a row: $(journal lines "$folder") lines"
        else
            too_late "$folder" "kill $((k + 1)) in a row" # which starts again
            k=-1
        fi
    done
    resume 3 "$folder" "killed $row times in a row"
}

gets_on=$'\t(checkpoint|done)\t' resumed=0 outside=0 late=0
RANDOM=$seed
undisturbed
killed_at_checkpoint
for ((i = 0; i < trials; i++)); do trial "$i"; done
killed_in_a_row
conclude "$trials of $trials kills ($outside from outside) and $row in a row: one digest, no DONE job" \
    "again, $resumed starts from a checkpoint, seed $seed, $SECONDS s"
