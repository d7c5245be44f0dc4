#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154,SC2034 # variables of and for common.sh
# check_cluster.sh BINARY [SOURCE] - slurm/submit on a real Slurm of four nodes on loopback, started and
# ended here. Every run that is disturbed ends with the bits of an undisturbed one, and no DONE job runs
# again. The scenarios run at the same time: all are submitted, then disturbed, then awaited.
set -euo pipefail
. "$(dirname -- "$0")/../mpi/common.sh" check_cluster "$@"
. "$(dirname -- "$0")/cluster.sh"

cluster_require
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
mkdir "$work/jobs"
config="$work/a folder/tiny.cfg"
cp -- "$here/tiny.cfg" "$config"
work_of=(-s pretrain.steps=240 -s pretrain.group=1)
launch 0 run "$config" -o "$work/a folder/whole" --quiet "${work_of[@]}"
((rc == 0)) || die "an undisturbed run: code $rc"
wanted=$(digest_of "$work/a folder/whole")
OPENBLAS_CORETYPE=Haswell launch 0 run "$config" -o "$work/a folder/pinned" --quiet "${work_of[@]}"
((rc == 0)) || die "an undisturbed run with Haswell's kernels: code $rc"
wanted_pinned=$(digest_of "$work/a folder/pinned")

cluster_start

declare -A id # of each scenario's job
folder() { echo "$work/a folder/$1"; }

# submit SCENARIO ARGUMENTS: two ranks; every write and sync of a file takes 0.2 s more, so that a run lasts
# without computing.
submit() {
    local name=$1
    shift
    (cd "$work/jobs" && TASKVEC_INJECT=$slow "$source_dir/slurm/submit" "$config" --program "$program" \
        --dir "$(folder "$name")" --name "$name" --launcher "mpirun --bind-to none" --ntasks 2 \
        "${work_of[@]}" "$@") >"$work/out" 2>"$work/err" </dev/null || die "$name: submit: code $?"
    id[$name]=$(sed -n 's/^Submitted batch job //p' "$work/out")
}
slow=$(seq -s , -f 'slow-fs@job:%g' 0 16)

job_field() { # JOB FIELD: as Slurm reports it
    timeout 10 scontrol show job -o "$1" 2>/dev/null | grep -oP "(?<=\b$2=)\S*" | head -n 1
}

# tell SCENARIO: state and logs of one that failed.
tell() {
    timeout 10 scontrol show job -o "${id[$1]}" | head -n 3 || true
    tail -n 20 "$work/jobs/$1"-*.out || true
    tail -n 5 "$work/slurm/slurmctld.log"
    grep -h error "$work"/slurm/slurmd.*.log | tail -n 10 || true
}

# when SCENARIO EVENT COUNT: waits until its journal has so many of an event.
when() {
    local i n
    for ((i = 0; i < 600; i++)); do
        n=$(grep -cs $'\t'"$2"$'\t' "$(folder "$1")/journal" || true)
        if ((${n:-0} >= $3)); then return; fi
        sleep 0.1
    done
    tell "$1"
    die "$1: not $3 of $2 in its journal within 60 s"
}

# ends SCENARIO JOB STATE: waits for a final state, which must be this one.
ends() {
    local i state=''
    for ((i = 0; i < 360; i++)); do
        state=$(job_field "$2" JobState)
        if [[ $state =~ ^(COMPLETED|FAILED|CANCELLED|TIMEOUT|NODE_FAIL|OUT_OF_MEMORY)$ ]]; then break; fi
        sleep 0.5
    done
    if [[ $state != "$3" ]]; then
        tell "$1"
        die "$1: job $2 is $state, not $3"
    fi
}

restarts() { # SCENARIO JOB EXPECTED
    local n
    n=$(job_field "$2" Restarts)
    [[ $n == "$3" ]] || fault "$1: job $2 came back $n times, not $3"
}

whole() { # SCENARIO: all is done, once, with the bits of an undisturbed run
    rc=0
    timeout 60 "$program" status --exit-code "$(folder "$1")" >"$work/out" 2>"$work/err" || rc=$?
    expect_done 2 "$(folder "$1")" "$1"
}
attempts() { # SCENARIO EXPECTED: codes with which its attempts ended
    local codes
    codes=$(grep $'\tend\t' "$(folder "$1")/journal" | grep -o 'code=[0-9]*' | xargs)
    [[ $codes == "$2" ]] || fault "$1: attempts ended with $codes, not $2"
}

# ---- submitted: all on n1 and n2, except the one that loses a node.
elsewhere=(-- "--exclude=n3,n4")
submit limit --time 1 -s pretrain.checkpoint_every=1 "${elsewhere[@]}"
submit usr1 --nodes 2 -s pretrain.checkpoint_every=2 "${elsewhere[@]}"
submit chain -s pretrain.checkpoint_every=2 "${elsewhere[@]}" --no-requeue
submit cancel -s pretrain.checkpoint_every=2 "${elsewhere[@]}"
submit down --nodes 2 -s pretrain.checkpoint_every=40 -s fit.checkpoint_every=1 -s shared.checkpoint_every=1 \
    -- --nodelist=n3,n4
submit array --each seed=3..5 --ntasks 1 -s pretrain.checkpoint_every=2 "${elsewhere[@]}"
slow='' submit srun --launcher srun --nodes 1 --core Haswell "${elsewhere[@]}"

# ---- disturbed, each in the middle of its work.
disturb() { # SCENARIO COMMAND...
    local name=$1
    shift
    timeout 10 "$@" >"$work/out" 2>&1 || {
        tell "$name"
        die "$name: $*: $(cat "$work/out")"
    }
}
when down "done" 2
disturb down scontrol update nodename=n4 state=DOWN reason=test
has_restarted() { [[ $(job_field "${id[$1]}" Restarts) == 1 ]]; }
soon 20 has_restarted down || fault "down: Slurm did not requeue it"
timeout 10 scontrol update nodename=n4 state=RESUME 2>/dev/null || true # it may have come back by itself
when usr1 checkpoint 2
disturb usr1 scancel --batch --signal=USR1 "${id[usr1]}"
when chain checkpoint 2
disturb chain scancel --batch --signal=USR1 "${id[chain]}"
when cancel checkpoint 2
holder() { timeout 60 "$program" status --json "$(folder "$1")" | grep -o '"holder":{"running":[a-z]*' || true; }
[[ $(holder cancel) == *true ]] || fault "cancel: job.sh.in would not see that it runs: $(holder cancel)"
disturb cancel scancel "${id[cancel]}"
when array/tiny-seed-5 checkpoint 2
disturb array scancel --batch --signal=USR1 "${id[array]}_2" # the task whose job number is that of the array

# ---- awaited.
ends usr1 "${id[usr1]}" COMPLETED
restarts usr1 "${id[usr1]}" 1
whole usr1
attempts usr1 "code=75 code=0"

ends chain "${id[chain]}" FAILED
restarts chain "${id[chain]}" 0
next=$(sed -n 's/^Submitted batch job //p' "$work/jobs/chain-${id[chain]}.out")
ends chain "$next" COMPLETED
whole chain
attempts chain "code=75 code=0"

ends cancel "${id[cancel]}" CANCELLED
restarts cancel "${id[cancel]}" 0
timeout 60 "$program" status "$(folder cancel)" >"$work/out" || fault "cancel: status: code $?"
grep -q '^not running' "$work/out" || fault "cancel: status does not say not running: $(cat "$work/out")"
[[ $(holder cancel) == *false ]] || fault "cancel: job.sh.in would not see that it does not run: $(holder cancel)"
timeout 60 "$program" status --exit-code "$(folder cancel)" >/dev/null && fault "cancel: status says done"

ends down "${id[down]}" COMPLETED
restarts down "${id[down]}" 1
whole down

for task in 0 1 2; do
    ends array "${id[array]}_$task" COMPLETED
    restarts array "${id[array]}_$task" $((task == 2))
done
whole array/tiny-seed-3
attempts array/tiny-seed-3 code=0
attempts array/tiny-seed-5 "code=75 code=0"
timeout 60 "$program" table "$(folder array)"/tiny-seed-{3,4,5} >"$work/out" 2>"$work/err" || fault "array: table: code $?"
grep -q plain "$work/out" || fault "array: no table of its runs: $(cat "$work/out")"

ends srun "${id[srun]}" COMPLETED
[[ $(journal ranks "$(folder srun)") == "0 1" ]] || fault "srun: not two ranks: $(journal ranks "$(folder srun)")"
wanted=$wanted_pinned whole srun

ends limit "${id[limit]}" COMPLETED
(($(job_field "${id[limit]}" Restarts) > 0)) || fault "limit: it did not come back"
whole limit

conclude "USR1, a node DOWN, a time limit, an array, scancel, a chain without requeue and srun: all as promised"
