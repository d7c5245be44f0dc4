#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154 # variables of and for common.sh
# check_progress.sh BINARY [SOURCE] - progress of a run, with and without mpirun, in a log and on a
# pseudo-terminal: the first within 3 s, and after Ctrl-C a last line with the command that resumes, which
# then does (check_progress.py).
set -euo pipefail
. "$(dirname -- "$0")/../mpi/common.sh" check_progress "$@"
config="$work/a folder/tiny.cfg"
cp -- "$here/tiny.cfg" "$config"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
python3 "$source_dir/tests/cli/check_progress.py" "$program" "$config" "$work" "$source_dir" || fault "see above"
none_left || die "processes are left: $(own_processes | xargs)"
launch 0 run "$config" -o "$work/word" --progress sometimes
((rc == 64)) || fault "--progress sometimes: code $rc, not 64"
conclude "progress within 3 s, and the command that resumes after Ctrl-C, with and without mpirun"
