#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154 # variables of and for common.sh
# check_apart.sh BINARY [SOURCE] - on a real Slurm of four nodes on loopback: tasks that srun --mpi=none
# starts do not see each other and are refused, unless --mpi no says that each runs for itself; one
# task alone runs.
set -euo pipefail
. "$(dirname -- "$0")/../mpi/common.sh" check_apart "$@"
. "$(dirname -- "$0")/cluster.sh"

cluster_require
config="$work/a folder/tiny.cfg"
cp -- "$here/tiny.cfg" "$config"
tiny=(--quiet --only pretrain -s pretrain.steps=4 -s pretrain.curriculum.interval=1)

cluster_start

tasks() { # TASKS ARGUMENTS: as launch()
    rc=0
    timeout -k 5 60 srun --mpi=none --nodes=1 --exact --ntasks="$1" "$program" run "$config" "${tiny[@]}" "${@:2}" \
        >"$work/out" 2>"$work/err" </dev/null || rc=$?
}
tasks 2 -o "$work/a folder/two"
((rc == 65)) || fault "two tasks of srun --mpi=none: code $rc, not 65: $(cat "$work/err")"
grep -q 'srun started 2 tasks without a common MPI' "$work/err" || fault "two tasks: $(cat "$work/err")"
[[ ! -e "$work/a folder/two" ]] || fault "two tasks: they wrote a folder"
tasks 1 -o "$work/a folder/one"
((rc == 0)) || fault "one task of srun --mpi=none: code $rc: $(cat "$work/err")"
# shellcheck disable=SC2016 # the task's own variable
timeout -k 5 60 srun --mpi=none --nodes=1 --exact --ntasks=2 bash -c '"$0" run "$@" -o "${1%.cfg}.$SLURM_PROCID" --mpi no' \
    "$program" "$config" "${tiny[@]}" >"$work/out" 2>"$work/err" </dev/null || fault "two runs of one step: $(cat "$work/err")"
[[ -s ${config%.cfg}.0/results.h5 && -s ${config%.cfg}.1/results.h5 ]] || fault "two runs of one step: no results"
conclude "tasks without a common MPI are refused, runs for themselves are not"
