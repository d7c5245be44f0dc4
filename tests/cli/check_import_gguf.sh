#!/usr/bin/env bash
# shellcheck disable=SC1091 # find_python.sh
# check_import_gguf.sh BINARY [SOURCE] - a GGUF file of a Llama becomes a folder with the numbers that the
# format defines; others are refused in one line. 77 where no python3 has numpy (not
# in CI).
set -euo pipefail
. "$(dirname -- "$0")/find_python.sh"
(($#)) || { echo "usage: check_import_gguf.sh BINARY [SOURCE]" >&2; exit 64; }
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
echo "GGUF files of Llamas are converted, and others refused"
