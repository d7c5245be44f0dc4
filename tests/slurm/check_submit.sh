#!/usr/bin/env bash
# check_submit.sh [BINARY [SOURCE]] - slurm/submit and its batch script, with stand-ins for Slurm,
# mpirun and taskvec: what is printed, what is submitted, and when the job comes back.
set -euo pipefail
source=${2:-$(dirname -- "$0")/../..}
source=$(cd -- "$source" && pwd)
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
faults=0
fault() {
    echo "check_submit: $*"
    faults=1
}

# ---- stand-ins. taskvec: "run" ends with $RUN_CODE, "status" with $STATUS_CODE; both write calls.
mkdir -p "$work/bin" "$work/a folder"
stub() {
    cat >"$work/bin/$1"
    chmod +x "$work/bin/$1"
}
stub taskvec <<'END'
#!/bin/bash
echo "taskvec $*" >>"$CALLS"
case $1 in
plan)
    printf '{"name": "stand-in", "n_jobs": %s, "memory_per_rank": 1073741825, ' "${JOBS:-3}"
    printf '"ranks_of_largest_group": 2, "jobs": [{"name": "x", "memory": 5}]}\n'
    ;;
run)
    stop=''
    trap 'stop=1' USR1
    echo ready >"$CALLS.ready"
    for ((i = 0; i < ${RUN_TENTHS:-0}; i++)); do
        sleep 0.1
        if [ -n "$stop" ]; then
            echo "taskvec stopped" >>"$CALLS"
            exit 75
        fi
    done
    exit "${RUN_CODE:-0}"
    ;;
status) exit "${STATUS_CODE:-0}" ;;
esac
END
stub mpirun <<'END'
#!/bin/bash
while [[ $1 == -* ]]; do
    if [[ $1 == --bind-to ]]; then shift; fi
    shift
done
exec "$@"
END
stub squeue <<'END'
#!/bin/bash
echo "${LEFT-1-02:03:04}"
END
stub scontrol <<'END'
#!/bin/bash
echo "scontrol $*" >>"$CALLS"
END
stub sbatch <<'END'
#!/bin/bash
printf 'sbatch' >>"$CALLS"
printf ' [%s]' "$@" >>"$CALLS"
echo >>"$CALLS"
cat >"$SUBMITTED"
echo "Submitted batch job 7"
END
export PATH="$work/bin:$PATH" CALLS=$work/calls SUBMITTED=$work/submitted.sh
: >"$CALLS"
config="$work/a folder/it's.cfg"
echo 'name = "stand-in";' >"$config"
submit() { "$source/slurm/submit" "$config" --program "$work/bin/taskvec" "$@"; }

# ---- the printed script.
submit --print --nodes 2 --ntasks 8 --time 1-00:00:00 --dir "$work/a run" >"$work/job.sh"
has() { grep -qE -- "$1" "$work/job.sh" || fault "the script lacks $1"; }
has '^#SBATCH --job-name=it_s$'
has '^#SBATCH --ntasks=8 --cpus-per-task=1'
has '^#SBATCH --mem-per-cpu=1025M$' # rounded up
has '^#SBATCH --signal=B:USR1@180 --requeue --open-mode=append$'
has '^#SBATCH --time=1-00:00:00 --time-min=00:30:00 --nodes=2$'
if grep -nE '@[A-Z]+@' "$work/job.sh"; then fault "words of the template were left"; fi
if grep -q sbatch "$CALLS"; then fault "--print submitted"; fi
if command -v shellcheck >/dev/null; then
    shellcheck "$work/job.sh" "$source/slurm/submit" || fault "shellcheck complains"
elif [[ ${CI:-} == true ]]; then
    fault "shellcheck is missing"
fi
submit --print --time 20 >"$work/job.sh"
has '^#SBATCH --time=20$'
has '^#SBATCH --ntasks=3 ' # as many as the plan has jobs
has '^folder=.*results/stand-in$'
JOBS=1 submit --print >"$work/job.sh"
has '^#SBATCH --ntasks=2 ' # as many as its group wants
JOBS=1000 submit --print >"$work/job.sh"
has '^#SBATCH --ntasks=32 '
submit --print --mem-per-cpu 77 --name other --launcher "srun --mpi=pmix" >"$work/job.sh"
has '^#SBATCH --mem-per-cpu=77M$'
has '^#SBATCH --job-name=other$'
has '^launcher=\(srun --mpi=pmix\)$'

# ---- submission: the script on standard input, the rest unchanged.
: >"$CALLS"
submit --ntasks 2 --dir "$work/a run" -- --account=me --mail-user="a b" >"$work/out"
grep -qxF 'sbatch [--account=me] [--mail-user=a b]' "$CALLS" || fault "sbatch got: $(cat "$CALLS")"
grep -q 'Submitted batch job 7' "$work/out" || fault "submit hides what sbatch says"
grep -q '^#!/bin/bash' "$SUBMITTED" || fault "sbatch got no script"

# ---- refusals: one line, a code.
refuses() { # CODE PATTERN ARGUMENTS
    local code=$1 pattern=$2 rc=0
    shift 2
    "$source/slurm/submit" "$@" >"$work/out" 2>&1 || rc=$?
    [[ $rc == "$code" ]] || fault "submit $*: code $rc, not $code"
    grep -q -- "$pattern" "$work/out" || fault "submit $*: $(cat "$work/out")"
}
refuses 64 'which config'
refuses 64 'unknown option --partition.*after --' "$config" --partition x
refuses 64 "ntasks wants a number of ranks, got 'many'" "$config" --ntasks many
refuses 64 "time wants .*got 'noon'" "$config" --time noon
refuses 65 'cannot be read' "$work/none.cfg"
refuses 64 'one config at a time' "$config" "$config"

# ---- the job itself.
requeues() { grep -c '^scontrol requeue 7$' "$CALLS" || true; }
job() { # ENVIRONMENT...: runs the submitted script as job 7
    : >"$CALLS"
    rm -f "$CALLS.ready"
    env SLURM_JOB_ID=7 "$@" bash "$SUBMITTED" >"$work/job.out" 2>&1
}
expect() { # CODE REQUEUES WHAT ENVIRONMENT...
    local code=$1 times=$2 what=$3 rc=0
    shift 3
    job "$@" || rc=$?
    [[ $rc == "$code" ]] || fault "$what: code $rc, not $code"
    [[ $(requeues) == "$times" ]] || fault "$what: $(requeues) requeues, not $times"
}
expect 0 0 "all done" RUN_CODE=0 STATUS_CODE=0
grep -qF -- "run $work/a folder/it's.cfg -o $work/a run --max-time 1-02:03:04" "$CALLS" ||
    fault "the program was started as: $(head -n 1 "$CALLS")"
expect 0 1 "work remains" RUN_CODE=75 STATUS_CODE=75
expect 0 1 "work remains, and the launcher lies" RUN_CODE=0 STATUS_CODE=75
expect 0 1 "work remains after the 19th requeue" RUN_CODE=75 STATUS_CODE=75 SLURM_RESTART_COUNT=19
expect 75 0 "work remains after the 20th requeue" RUN_CODE=75 STATUS_CODE=75 SLURM_RESTART_COUNT=20
expect 1 0 "failed jobs" RUN_CODE=1 STATUS_CODE=1
expect 70 0 "no progress in three attempts" RUN_CODE=75 STATUS_CODE=70
for code in 64 65 70 74; do
    expect "$code" 0 "refused with $code" RUN_CODE=$code STATUS_CODE=75
done
expect 0 1 "killed by the launcher" RUN_CODE=137 STATUS_CODE=75
expect 0 0 "no time limit" LEFT=UNLIMITED
if grep -q -- --max-time "$CALLS"; then fault "UNLIMITED became a --max-time"; fi

# ---- signals to the batch shell, while the program runs.
signalled() { # SIGNAL ENVIRONMENT...: leaves the job's code in rc
    local signal=$1 shell i
    shift
    : >"$CALLS"
    rm -f "$CALLS.ready"
    env SLURM_JOB_ID=7 RUN_TENTHS=200 "$@" bash "$SUBMITTED" >"$work/job.out" 2>&1 &
    shell=$!
    for ((i = 0; i < 100; i++)); do
        if [[ -e $CALLS.ready ]]; then break; fi
        sleep 0.05
    done
    kill "-$signal" "$shell"
    rc=0
    wait "$shell" || rc=$?
    grep -qx 'taskvec stopped' "$CALLS" || fault "$signal did not reach the program"
}
signalled USR1 STATUS_CODE=75
[[ $rc == 0 && $(requeues) == 1 ]] || fault "USR1: code $rc, $(requeues) requeues"
signalled TERM STATUS_CODE=75
[[ $rc == 75 && $(requeues) == 0 ]] || fault "TERM: code $rc, $(requeues) requeues; a cancelled job must stay away"

# ---- the real plan has what submit asks of it.
if [[ -x ${1:-} ]]; then
    "$source/slurm/submit" "$source/experiments/paper/linear_regression.cfg" --program "$1" --print >"$work/job.sh" ||
        fault "the real plan does not serve submit"
    has '^#SBATCH --mem-per-cpu=[1-9][0-9]*M$'
    has '^folder=.*results/paper-linear-regression$'
fi
exit $faults
