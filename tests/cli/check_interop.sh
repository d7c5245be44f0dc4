#!/usr/bin/env bash
# shellcheck disable=SC1091 # find_python.sh
# check_interop.sh BINARY [SOURCE] - edits of every kind, at every site and scope, give the same logits in taskvec
# generate as in models of transformers with the hooks of analysis/apply_vector.py: the fixtures, and random models of
# the families that they lack. 77 where no python3 has torch, transformers and safetensors; TASKVEC_PYTHON names one.
set -euo pipefail
. "$(dirname -- "$0")/find_python.sh"
(($#)) || { echo "usage: check_interop.sh BINARY [SOURCE]" >&2; exit 64; }
program=$(realpath -- "$1")
source_dir=$(cd -- "${2:-$(dirname -- "$0")/../..}" && pwd)
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

if ! python=$(find_python "torch, transformers, safetensors"); then
    echo "no python3 with torch, transformers and safetensors: not compared"
    exit 77
fi
export ASAN_OPTIONS=detect_leaks=0 HF_HUB_OFFLINE=1 HF_HUB_DISABLE_PROGRESS_BARS=1
fixtures=${TASKVEC_FIXTURES:-$source_dir/../shared/fixtures}
cd -- "$work"
"$python" "$source_dir/tests/cli/check_interop.py" "$program" "$source_dir" "$fixtures" >out 2>err ||
    { cat out; tail -n 5 err; exit 1; }
cat out
