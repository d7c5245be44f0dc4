#!/usr/bin/env bash
# shellcheck disable=SC1091 # find_python.sh
# check_to_safetensors.sh BINARY [SOURCE] - a folder with pytorch_model.bin alone is refused with a command,
# and that command makes it readable: types and numbers are kept. 77 where no python3 has numpy (not in CI).
set -euo pipefail
. "$(dirname -- "$0")/find_python.sh"
(($#)) || { echo "usage: check_to_safetensors.sh BINARY [SOURCE]" >&2; exit 64; }
program=$(realpath -- "$1")
source_dir=$(cd -- "${2:-$(dirname -- "$0")/../..}" && pwd)
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"

if ! python=$(find_python numpy); then
    echo "no python3 with numpy: install python3-numpy"
    if [[ ${CI:-} == true ]]; then exit 1; fi
    exit 77
fi
"$python" "$source_dir/tests/cli/check_to_safetensors.py" "$source_dir"

mv single/model.safetensors whole.safetensors
rc=0
"$program" doctor single >out 2>err || rc=$?
command=$(sed -n 's/.* convert it by python3 //p' err)
if [[ $rc != 65 || $command != "analysis/to_safetensors.py single" ]]; then
    echo "a folder with pytorch_model.bin alone: code $rc: $(<err)"
    exit 1
fi
# shellcheck disable=SC2086 # the command is two words
"$python" "$source_dir"/$command >out
cmp whole.safetensors single/model.safetensors
rc=0
"$program" doctor single >out 2>err || rc=$?
if ((rc > 1)) || ! grep -q '^ok .*weights  *BF16 and F16 and F32 in 1 file' out || ! grep -q '^ok .*unused  *every' out; then
    echo "the converted folder: code $rc: $(<err)"
    cat out
    exit 1
fi
echo "pytorch_model.bin becomes safetensors with its types and numbers"
