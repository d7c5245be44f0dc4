#!/usr/bin/env bash
# check_submit.sh [BINARY [SOURCE]] - slurm/submit and its batch script, with stand-ins for Slurm,
# mpirun and taskvec: what is printed, what is submitted, and when the job is requeued.
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
    name=stand-in
    if [[ $3 == */b.cfg ]]; then name=b; fi
    printf '{"name": "%s", "n_jobs": 3, "memory_per_rank": 1073741825, "ranks_of_largest_group": %s, ' "$name" "${GROUP:-2}"
    printf '"ranks_useful": %s, "seconds_left": %s, "core_hours": 9e3, ' "${RANKS:-3}" "${SECONDS_LEFT:-1.5}"
    printf '"core_seconds": 3.24e7, "core_seconds_left": %s, ' "${CORE_LEFT:-3.6}" # most jobs are done
    printf '"jobs": [{"name": "x", "memory": 5}]}\n'
    ;;
run)
    stop=''
    trap 'stop=1' USR1
    mkdir -p "$RUN" && touch "$RUN/journal"
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
status)
    if [[ $2 == --json ]]; then echo '{"running":0,"holder":{"running":false}}'; fi
    exit "${STATUS_CODE:-0}"
    ;;
esac
END
stub mpirun <<'END'
#!/bin/bash
if [[ -n ${MPIRUN_HANGS:-} ]]; then exec sleep 60; fi
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
exit "${SCONTROL_CODE:-0}"
END
stub sbatch <<'END'
#!/bin/bash
printf 'sbatch' >>"$CALLS"
printf ' [%s]' "$@" >>"$CALLS"
echo >>"$CALLS"
if [[ ${!#} == [0-9]* ]]; then exit; fi # a successor: the script is a file
cat >"$SUBMITTED"
echo "Submitted batch job 7"
END
export PATH="$work/bin:$PATH" CALLS=$work/calls SUBMITTED=$work/submitted.sh RUN="$work/a run"
unset OPENBLAS_CORETYPE SLURM_JOB_END_TIME SLURM_RESTART_COUNT SLURM_ARRAY_TASK_ID SLURM_ARRAY_JOB_ID
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
has '^#SBATCH --time=1-00:00:00 --nodes=2$'
if grep -nE '@[A-Z]+@' "$work/job.sh"; then fault "words of the template were left"; fi
if grep -q sbatch "$CALLS"; then fault "--print submitted"; fi
if command -v shellcheck >/dev/null; then
    shellcheck "$work/job.sh" "$source/slurm/submit" || fault "shellcheck complains"
elif [[ ${CI:-} == true ]]; then
    fault "shellcheck is missing"
fi
submit --print --time 20 >"$work/job.sh"
has '^#SBATCH --time=20$'
has '^#SBATCH --ntasks=3 ' # as many as the plan says that the run can use
has '^\*\) config=.* folder=.*results/stand-in settings=\(\) ;;$'
has '^#SBATCH --signal=B:USR1@180 '
submit --print --time 4 >"$work/job.sh"
has '^#SBATCH --signal=B:USR1@60 ' # a quarter of a short limit
if grep -q CORETYPE "$work/job.sh"; then fault "kernels are pinned unasked"; fi
RANKS=1000 submit --print >"$work/job.sh"
has '^#SBATCH --ntasks=64 '
RANKS=1000 GROUP=100 submit --print >"$work/job.sh"
has '^#SBATCH --ntasks=100 ' # as many as its group has ranks
has '^#SBATCH --time=00:10:00$' # at least ten minutes
: >"$CALLS"
submit --print --dir "$work/a run" >"$work/job.sh"
tail -n 1 "$CALLS" | grep -qxF "taskvec plan --json $config -o $work/a run" || fault "what is left was not looked up in the folder"
SECONDS_LEFT=3900.5 CORE_LEFT=7200 submit --print >"$work/job.sh"
has '^#SBATCH --time=02:20:00$' # 10 minutes and twice 65
SECONDS_LEFT=3900 CORE_LEFT=32400 submit --print --ntasks 3 >"$work/job.sh"
has '^#SBATCH --time=06:10:00$' # 9 core-hours left on 3 ranks
SECONDS_LEFT=1e7 CORE_LEFT=3.2e7 submit --print >"$work/job.sh"
has '^#SBATCH --time=24:00:00$'
submit --print --mem-per-cpu 77 --name other --launcher "srun --mpi=pmix" >"$work/job.sh"
has '^#SBATCH --mem-per-cpu=77M$'
has '^#SBATCH --job-name=other$'
has '^launcher=\(srun --mpi=pmix\)$'
submit --print --launcher srun --core Haswell >"$work/job.sh"
has '^launcher=\(srun --mpi=pmix --cpu-bind=cores\)$'
has '^export OPENBLAS_CORETYPE=Haswell'
OPENBLAS_CORETYPE=SkylakeX submit --print -s seed=2 -s 'fit.method=["ltv"]' --launcher mpirun >"$work/job.sh"
has '^export OPENBLAS_CORETYPE=SkylakeX'
has '^launcher=\(mpirun --bind-to core\)$'
has ' settings=\(-s seed=2 -s fit\.method=.*ltv.*\) ;;$'

# ---- options of sbatch are lines of the script, below those it has: the later one counts.
# shellcheck disable=SC1003 # a backslash at the end of a word
submit --print --time 9 -- --account=me -p cpu,gpu --mail-user='a "b\' -C 'a&b' --exclusive >"$work/job.sh"
sed -n '/^#SBATCH --time=9$/,/^#SBATCH --exclusive$/p' "$work/job.sh" >"$work/lines"
cat >"$work/expected" <<'END'
#SBATCH --time=9
#SBATCH --account=me
#SBATCH -p cpu,gpu
#SBATCH "--mail-user=a \"b\\"
#SBATCH -C "a&b"
#SBATCH --exclusive
END
diff "$work/expected" "$work/lines" || fault "lines of the options after -- differ"

# ---- arrays: a task for each config and each value, a folder for each task.
submit --print --each seed=9..11 --each 'fit.points=[4, 7]' --at-once 2 --dir "$work/many" >"$work/job.sh"
has '^#SBATCH --time=00:10:00 --array=0-5%2$'
has '^#SBATCH --output=it_s-%A_%a.out$'
has '^0\) config=.*it.*s.cfg folder=.*/many/stand-in-seed-9-fit.points-4 settings=\(-s seed=9 -s fit.points=4\) ;;$'
has '^5\) .* folder=.*/many/stand-in-seed-11-fit.points-7 settings=\(-s seed=11 -s fit.points=7\) ;;$'
if command -v shellcheck >/dev/null; then shellcheck "$work/job.sh" || fault "shellcheck complains of an array"; fi
echo 'name = "b";' >"$work/b.cfg"
submit "$work/b.cfg" >"$work/out"
cp -- "$SUBMITTED" "$work/job.sh"
has '^#SBATCH .*--array=0-1$'
has '^1\) config=.*/b.cfg folder=.*/results/b settings=\(\) ;;$'
grep -qE 'taskvec table .*/results/stand-in .*/results/b$' "$work/out" || fault "no word on the table: $(cat "$work/out")"

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
refuses 64 'no config given'
refuses 64 'unknown option --partition.*after --' "$config" --partition x
refuses 64 "ntasks: expected a number of ranks, got 'many'" "$config" --ntasks many
refuses 64 "time: expected .*got 'noon'" "$config" --time noon
refuses 65 'cannot be read' "$work/none.cfg"
refuses 64 'b.cfg: expected an option of sbatch after --' "$config" -- b.cfg
refuses 64 'has a line break' "$config" -- $'--comment=a\nb'
refuses 64 'two runs would use the folder .*results/stand-in:' "$config" "$config" --program "$work/bin/taskvec"
refuses 64 "each: expected KEY=A,B,C or KEY=1..20, got 'seed'" "$config" --each seed
refuses 64 "core: expected a kernel of OpenBLAS: Haswell, .* got 'Hasvell'" "$config" --core Hasvell

# ---- the job itself; its launcher is checked more often than usual.
sed -i 's/^tick=1 /tick=0.05 /' "$SUBMITTED"
grep -q '^tick=0.05 ' "$SUBMITTED" || fault "no tick in the script"
requeues() { grep -c '^scontrol requeue 7$' "$CALLS" || true; }
job() { # ENVIRONMENT...: runs the submitted script as job 7
    : >"$CALLS"
    rm -f "$CALLS.ready"
    env SLURM_JOB_ID=7 "$@" bash "$SUBMITTED" ${link:+"$link"} >"$work/job.out" 2>&1
}
link='' # which successor of its first job it is
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
expect 0 0 "no time left" LEFT=0:00
if grep -q -- --max-time "$CALLS"; then fault "0:00 became a --max-time, which is refused"; fi
expect 0 0 "a Slurm that says when it ends" SLURM_JOB_END_TIME=2000000000
if grep -q -- --max-time "$CALLS"; then fault "--max-time beside SLURM_JOB_END_TIME"; fi

# ---- a task of an array is named by array and task: its job number may be that of the whole array.
expect 0 0 "work remains in an array" RUN_CODE=75 STATUS_CODE=75 SLURM_ARRAY_JOB_ID=7 SLURM_ARRAY_TASK_ID=3
grep -qx 'scontrol requeue 7_3' "$CALLS" || fault "a task of an array: $(cat "$CALLS")"

# ---- where requeue is forbidden: a successor where there would be a requeue, with all options of sbatch.
successor() { # EXPECTED WHAT ENVIRONMENT...
    local expected=$1 what=$2
    shift 2
    expect 75 1 "$what" RUN_CODE=75 STATUS_CODE=75 SCONTROL_CODE=1 "$@"
    grep -qxF "sbatch [--account=me] [--mail-user=a b] $expected" "$CALLS" || fault "$what: $(cat "$CALLS")"
}
successor "[--dependency=afterany:7] [$SUBMITTED] [1]" "requeue is forbidden"
expect 75 1 "the requeue kills scontrol" RUN_CODE=75 STATUS_CODE=75 SCONTROL_CODE=143
if grep -q sbatch "$CALLS"; then fault "a successor beside a requeue"; fi
link=4
successor "[--dependency=afterany:7] [$SUBMITTED] [5]" "the fourth successor"
link=20
expect 75 0 "the last successor" RUN_CODE=75 STATUS_CODE=75 SCONTROL_CODE=1
if grep -q sbatch "$CALLS"; then fault "a chain without an end"; fi
link=''
array=(SLURM_ARRAY_JOB_ID=7 SLURM_ARRAY_TASK_ID=3)
rc=0
job RUN_CODE=75 STATUS_CODE=75 SCONTROL_CODE=1 "${array[@]}" || rc=$?
grep -qF " [--array=3] [--dependency=afterany:7_3] [$SUBMITTED] [1]" "$CALLS" ||
    fault "successor of a task: code $rc, $(cat "$CALLS")"

# ---- a launcher that outlives its program is killed.
sed 's/^tick=0.05/tick=0.002/' "$SUBMITTED" >"$work/impatient.sh"
rc=0
env SLURM_JOB_ID=7 MPIRUN_HANGS=1 STATUS_CODE=75 timeout 60 bash "$work/impatient.sh" >"$work/job.out" 2>&1 || rc=$?
[[ $rc == 0 ]] || fault "a launcher that hangs: code $rc: $(cat "$work/job.out")"
grep -q 'mpirun does not end: killed' "$work/job.out" || fault "a launcher that hangs: $(cat "$work/job.out")"

# ---- signals to the batch shell, while the program runs.
begin() { # ENVIRONMENT...: the job in the background, as $shell
    : >"$CALLS"
    rm -f "$CALLS.ready"
    env SLURM_JOB_ID=7 "$@" bash "$SUBMITTED" >"$work/job.out" 2>&1 &
    shell=$!
}
ends() { # its code in rc; within 30 s
    rc=0
    for ((n = 0; n < 600; n++)); do
        if ! kill -0 "$shell" 2>/dev/null; then break; fi
        sleep 0.05
    done
    kill -KILL "$shell" 2>/dev/null || true
    wait "$shell" || rc=$?
}
signalled() { # SIGNAL ENVIRONMENT...
    local signal=$1 i
    shift
    begin RUN_TENTHS=200 "$@"
    for ((i = 0; i < 100; i++)); do
        if [[ -e $CALLS.ready ]]; then break; fi
        sleep 0.05
    done
    kill "-$signal" "$shell"
    ends
    grep -qx 'taskvec stopped' "$CALLS" || fault "$signal did not reach the program"
}
signalled USR1 STATUS_CODE=75
[[ $rc == 0 && $(requeues) == 1 ]] || fault "USR1: code $rc, $(requeues) requeues"
signalled TERM STATUS_CODE=75
[[ $rc == 75 && $(requeues) == 0 ]] || fault "TERM: code $rc, $(requeues) requeues; a cancelled job must stay away"

# ---- a signal at any moment, 100 times: also before the program starts and while it ends. If work
# remains, the job is requeued once, else not.
trapped() { # the script has set its traps: SigCgt has bit 9, USR1; a fork of this shell has it too, until it is the script
    local mask words
    words=$(tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline") || return 0
    [[ $words == "bash $SUBMITTED"* ]] || return 1
    mask=$(sed -n 's/^SigCgt:[[:space:]]*//p' "/proc/$1/status" 2>/dev/null) || return 0
    ((0x${mask:-0} & 0x200))
}
for ((i = 0; i < 100; i++)); do
    code=75
    if ((i % 4 == 3)); then code=0; fi
    begin RUN_TENTHS=$((i % 2)) RUN_CODE=$code STATUS_CODE=$code
    until trapped "$shell"; do
        if ! kill -0 "$shell" 2>/dev/null; then break; fi
    done
    sleep "0.$(printf '%03d' $((i * 37 % 200)))"
    kill -USR1 "$shell" 2>/dev/null || true
    ends
    [[ $(requeues) == $((code == 75)) && $rc == 0 ]] ||
        fault "USR1 at a moment ($i): code $rc, $(requeues) requeues where $code was left: $(cat "$work/job.out")"
done

# ---- the real plan has the fields that submit reads.
if [[ -x ${1:-} ]]; then
    "$source/slurm/submit" "$source/experiments/paper/linear_regression.cfg" --program "$1" --print >"$work/job.sh" ||
        fault "the real plan does not serve submit"
    has '^#SBATCH --mem-per-cpu=[1-9][0-9]*M$'
    has 'folder=.*results/paper-linear-regression settings='
fi
exit $faults
