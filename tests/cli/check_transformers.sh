#!/usr/bin/env bash
# shellcheck disable=SC1091 # find_python.sh
# check_transformers.sh BINARY [SOURCE] - language models of shapes that the fixtures lack (serial NeoX, Mistral,
# Qwen3 with heads wider and narrower than the residual stream, biases everywhere, other rotary scalings, shards)
# give the numbers of transformers, on prompts of 7 to 200 tokens. 77 where no python3 has torch, transformers and h5py.
set -euo pipefail
. "$(dirname -- "$0")/find_python.sh"
(($#)) || { echo "usage: check_transformers.sh BINARY [SOURCE]" >&2; exit 64; }
program=$(realpath -- "$1")
source_dir=$(cd -- "${2:-$(dirname -- "$0")/../..}" && pwd)
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

if ! python=$(find_python "torch, transformers, h5py"); then
    echo "no python3 with torch, transformers and h5py: not compared"
    exit 77
fi
"$python" "$source_dir/tests/reference/make_language_models.py" "$work" >"$work/log" 2>&1 || { tail -n 5 "$work/log"; exit 1; }
faults=0 models=0
for folder in "$work"/*/; do
    models=$((models + 1))
    if ! "$program" verify "$folder" --require core,logits,heads,hidden >"$work/out" 2>&1; then
        echo "$(basename "$folder"):"
        sed 's/^/    /' "$work/out"
        faults=$((faults + 1))
    fi
done
if ((faults || models < 9)); then
    echo "$faults of $models models differ from transformers"
    exit 1
fi
echo "$models models agree with transformers"
