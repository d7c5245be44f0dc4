#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154 # variables of common.sh
# check_verify_example.sh BINARY [SOURCE] - the example of docs/verify.md writes a file that `taskvec verify`
# finds equal, and one changed number is found. Skipped (77) where no python3 has h5py and torch;
# TASKVEC_PYTHON names one.
set -euo pipefail
. "$(dirname -- "$0")/find_python.sh"
python=$(find_python "h5py, numpy, torch") || { echo "skipped: no python3 with h5py, numpy and torch"; exit 77; }
. "$(dirname -- "$0")/../mpi/common.sh" check_verify_example "$@"
export ASAN_OPTIONS=detect_leaks=0
cd -- "$work"
ln -s "$source_dir/analysis" "$source_dir/experiments" .

awk '/^```python/ { on = 1; next } /^```/ { on = 0 } on' "$source_dir/docs/verify.md" >example.py
(($(grep -c . example.py) > 15)) || die "docs/verify.md has no example"
"$python" example.py >out 2>err || die "the example: $(cat out err)"
"$program" verify --require methods mine.h5 >out 2>err || fault "verify: exit code $?: $(cat out err)"
(($(grep -c '^ok  ' out) == 2)) || fault "verify: not two comparisons: $(cat out)"

"$python" -c 'import h5py; h5py.File("mine.h5", "r+")["methods/constant/curve"][0, 1, 3] += 0.01'
code=0
"$program" verify --require methods mine.h5 >out 2>err || code=$?
((code == 1)) || fault "a changed number: exit code $code: $(cat out err)"
grep -q '^DIFFERS .*constant/curve' out || fault "a changed number: $(cat out)"
((faults == 0)) || exit 1
