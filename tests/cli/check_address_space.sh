#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154 # variables of common.sh
# check_address_space.sh BINARY [SOURCE] - under a limit of address space in which OpenBLAS would wait for memory
# for ever, every command ends at once with 71 and one line; without a limit in the way it works.
set -euo pipefail
. "$(dirname -- "$0")/../mpi/common.sh" check_address_space "$@"
if is_sanitised; then exit 77; fi
for limit in 100000 200000 300000 340000; do
    rc=0
    (ulimit -v "$limit" && exec timeout 20 "$program" --version) >"$work/out" 2>"$work/err" || rc=$?
    ((rc == 71)) || fault "ulimit -v $limit: code $rc, not 71"
    [[ $(wc -l <"$work/err") == 1 && $(cat "$work/err") == *"raise ulimit -v"* ]] ||
        fault "ulimit -v $limit: $(cat "$work/err")"
done
(ulimit -v 4000000 && exec timeout 20 "$program" --version) >"$work/out" 2>"$work/err" || fault "4 GB are refused: $(cat "$work/err")"
conclude "a limit of address space that is too small is named"
