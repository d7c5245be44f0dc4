#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154,SC2034 # variables of and for common.sh and asking.sh
# check_stops.sh BINARY [SOURCE] - one sweep of many jobs is asked to stop again and again, each time in
# another way: no job starts any more, it exits in time and in order, and in the end it has the bits of
# a run that was not stopped, and no DONE job ran twice. Time limits stop it in the same way.
set -euo pipefail
. "$(dirname -- "$0")/../mpi/common.sh" check_stops "$@"
. "$(dirname -- "$0")/asking.sh"
config="$work/a folder/sixty.cfg" folder="$work/a folder/stopped"
cp -- "$here/sixty.cfg" "$config"
sweep=(-s pretrain.steps=200 -s fit.epochs=150 -s shared.epochs=150 -s evaluate.functions=4000)
if is_sanitised; then sweep=(-s pretrain.steps=60 -s fit.epochs=40 -s shared.epochs=40 -s evaluate.functions=600); fi

run_sweep() { # RANKS ARGUMENTS: on $folder, in the background, until it has finished something
    local before
    before=$(lines_of 'done' "$folder")
    begin "$1" run "$config" -o "$folder" "${sweep[@]}" "${@:2}"
    when_at_work "$folder" 'done' $((before + 2))
}

processes() { # PATTERN of the command line: those of the run
    local process
    for process in $(own_processes); do
        if tr '\0' ' ' <"/proc/$process/cmdline" 2>/dev/null | grep -q -- "$1"; then echo "$process"; fi
    done
}
children() { processes ' --child '; }
ranks() { processes ' run '; }

# starts_end WHAT: from a second after the request on no job is started.
starts_end() {
    local after
    sleep 1
    after=$(lines_of start "$folder")
    expect_exit "$2"
    (($(lines_of start "$folder") == after)) || fault "$1: a job was started a second after the request"
}

in_order() { # WHAT CODE
    [[ $2 == any || $rc == "$2" ]] || fault "$1: code $rc, not $2: $(cat "$work/err")"
    journal check "$folder"
    [[ $(journal ended "$folder") == 75 ]] || fault "$1: the journal ends with $(journal ended "$folder")"
    calm "$1"
    local said=0
    timeout 60 "$program" status --exit-code "$folder" >"$work/out" || said=$?
    ((said == 75)) || fault "$1: status says $said, not 75"
}

launch 3 run "$config" -o "$work/a folder/whole" --quiet "${sweep[@]}"
((rc == 0)) || die "an undisturbed run: code $rc"
wanted=$(digest_of "$work/a folder/whole")

# ---- USR1 to all of the run, and to the coordinator alone.
run_sweep 3
ask USR1
starts_end "USR1 to mpirun" 20
in_order "USR1 to mpirun" 75
run_sweep 3
ask USR1 "$(sed -n 's/^pid[= ]*//p' "$folder/lock")"
starts_end "USR1 to rank 0" 20
in_order "USR1 to rank 0" 75

# ---- TERM to mpirun, which tells the ranks a second later and kills after another; a terminal's
# Ctrl-C, told to every process; and jobs that hang then.
run_sweep 3
ask TERM
expect_exit 4
in_order "TERM to mpirun" any
run_sweep 3
# shellcheck disable=SC2046 # a list of numbers
ask INT "$pid" $(ranks)
expect_exit 4
in_order "Ctrl-C of all processes" any
run_sweep 3
# shellcheck disable=SC2046
kill -STOP $(children)
ask TERM
expect_exit 4
in_order "TERM to mpirun with jobs that hang" any

# ---- A terminal is closed: HUP to every process, or to mpirun, which says TERM; a real terminal, whose
# other end is lost with `script`. A run under nohup stays.
run_sweep 0
# shellcheck disable=SC2046
ask HUP "$pid" $(children)
expect_exit 20
in_order "HUP to every process" 75
run_sweep 3
ask HUP
expect_exit 4
in_order "HUP to mpirun" any
if script -qec true /dev/null >/dev/null 2>&1 </dev/null; then
    before=$(lines_of 'done' "$folder")
    script -qc "$(printf '%q ' "$program" run "$config" -o "$folder" "${sweep[@]}")" /dev/null >"$work/out" 2>"$work/err" </dev/null &
    pid=$!
    when_at_work "$folder" 'done' $((before + 2))
    asked=''
    { ask KILL && expect_exit 20; } 2>/dev/null # the shell's own word on a killed process
    in_order "a closed terminal" any
else
    echo "$test_name: script gets no terminal here: none is closed"
fi
trap '' HUP
run_sweep 0
trap 'exit 1' HUP
leave=$(lines_of leave "$folder")
ask HUP
sleep 1
(($(lines_of leave "$folder") == leave)) || fault "HUP under nohup: it stops"
asked=''
ask USR1
expect_exit 20
in_order "USR1 under nohup" 75

# ---- A second one ends it at once, jobs that hang in their checkpoints too (here: stopped dead).
twice() { # SIGNAL RANKS
    run_sweep "$2"
    # shellcheck disable=SC2046
    kill -STOP $(children)
    ask "$1"
    sleep 1
    kill -0 "$pid" 2>/dev/null || fault "one $1 with jobs that hang: it left at once"
    asked=''
    ask "$1"
    none_left || die "a second $1: processes are left"
    took=$(($(milliseconds) - asked))
    ((took < 2000)) || fault "a second $1: left after $took ms, not at once"
    expect_exit 5 # mpirun takes two seconds more when rank 0 exits with a code
    in_order "a second $1 on $2 ranks" 75
}
twice USR1 3
twice INT 0

# ---- The same request told twice is one request: the jobs still leave checkpoints.
run_sweep 2
stopped=$(lines_of stopped "$folder")
ask USR1
ask USR1
expect_exit 20
in_order "USR1 told twice" 75
(($(lines_of stopped "$folder") > stopped)) || fault "USR1 told twice: no job was let go"

# ---- Nonsense for a time limit is said; the sweep comes to its end.
SLURM_JOB_END_TIME=soon launch 2 run "$config" -o "$folder" "${sweep[@]}"
grep -q "SLURM_JOB_END_TIME: 'soon' is not a future time" "$work/err" || fault "SLURM_JOB_END_TIME=soon: not a word: $(cat "$work/err")"
expect_done 2 "$folder" "after all these stops"
(($(journal resumes "$folder") > 0)) || fault "nothing went on from a checkpoint"

# ---- A Slurm job ends sooner than --max-time says, and than the work: the run has left before that.
folder="$work/a folder/limited"
began=$(milliseconds)
export SLURM_JOB_END_TIME=$(($(date +%s) + 12))
launch 2 run "$config" -o "$folder" -s pretrain.steps=4000000 --max-time 1:00:00
unset SLURM_JOB_END_TIME
took=$(($(milliseconds) - began))
((took < 12000)) || fault "a Slurm job that ends in 12 s: left after $took ms"
in_order "a Slurm job that ends in 12 s" 75
(($(lines_of checkpoint "$folder") > 0)) || fault "a Slurm job that ends in 12 s: no checkpoint"
conclude "after USR1, TERM, Ctrl-C, HUP, second signals and a time limit the bits of a run that nobody stopped"
