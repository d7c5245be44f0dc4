#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154 # variables of and for common.sh
# check_plain_starts.sh BINARY [SOURCE] - a plain start does not initialise MPI: it works where Open MPI
# could not make its session folder, and twenty of them at once do not disturb each other. --mpi yes
# initialises it, and several tasks of srun without a common MPI are refused.
set -euo pipefail
. "$(dirname -- "$0")/common.sh" check_plain_starts "$@"
unset OMPI_COMM_WORLD_SIZE PMIX_RANK PMI_RANK PMI_SIZE SLURM_STEP_NUM_TASKS SLURM_STEP_ID
config="$work/a folder/tiny.cfg"
cp -- "$here/tiny.cfg" "$config"
tiny=(--quiet --only pretrain -s pretrain.steps=4 -s pretrain.curriculum.interval=1)

# ---- Without a folder for temporary files MPI_Init fails: as --mpi yes shows.
touch "$work/file"
plain() { TMPDIR=$work/file launch 0 "$@"; }
plain run "$config" -o "$work/a folder/yes" "${tiny[@]}" --mpi yes
((rc != 0)) || fault "--mpi yes in a TMPDIR that is no folder: code $rc: this test sees nothing"
plain run "$config" -o "$work/a folder/plain" "${tiny[@]}"
((rc == 0)) || fault "a plain start initialises MPI: code $rc: $(cat "$work/err")"
OMPI_COMM_WORLD_SIZE=1 plain run "$config" -o "$work/a folder/no" "${tiny[@]}" --mpi no
((rc == 0)) || fault "--mpi no initialises MPI: code $rc: $(cat "$work/err")"
plain plan "$config"
((rc == 0)) || fault "plan: code $rc: $(cat "$work/err")"
plain table "$work/a folder/plain"
((rc == 0)) || fault "table: code $rc: $(cat "$work/err")"
plain doctor
((rc == 0 || rc == 1)) || fault "doctor: code $rc: $(cat "$work/err")"
plain bench dispatch --size tiny --repeats 1
((rc == 0)) || fault "bench: code $rc: $(cat "$work/err")"
launch 0 run "$config" -o "$work/a folder/word" --mpi maybe
((rc == 64)) || fault "--mpi maybe: code $rc, not 64"
launch 0 run "$config" -o "$work/a folder/yes" "${tiny[@]}" --mpi yes
((rc == 0)) || fault "--mpi yes: code $rc: $(cat "$work/err")"

# ---- Tasks of one srun step that do not see each other.
SLURM_PROCID=0 SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=2 launch 0 run "$config" -o "$work/a folder/apart" "${tiny[@]}"
((rc == 65)) || fault "two tasks without a common MPI: code $rc, not 65: $(cat "$work/err")"
grep -q 'srun started 2 tasks without a common MPI' "$work/err" || fault "without a common MPI: $(cat "$work/err")"

# ---- Twenty at once, which leave nothing in the folder for temporary files.
mkdir "$work/none"
starts=20 rounds=2
if is_sanitised; then starts=6 rounds=1; fi
for ((round = 0; round < rounds; round++)); do
    pids=()
    for ((i = 0; i < starts; i++)); do
        TMPDIR=$work/none "$program" run "$config" -o "$work/run$i" "${tiny[@]}" -s seed="$round" >/dev/null 2>"$work/err$i" </dev/null &
        pids+=($!)
    done
    for ((i = 0; i < starts; i++)); do
        rc=0
        wait "${pids[i]}" || rc=$?
        ((rc == 0)) || die "start $i of $starts at once: code $rc: $(cat "$work/err$i")"
        rm -rf -- "$work/run$i"
    done
done
[[ -z $(ls -A "$work/none") ]] || fault "plain starts leave $(ls -A "$work/none")"
conclude "plain starts initialise no MPI; $rounds times $starts at once succeed"
