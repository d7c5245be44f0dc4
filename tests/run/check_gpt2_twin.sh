#!/bin/sh
# check_gpt2_twin.sh BINARY SOURCE - each shipped checkpoint against Hugging Face's GPT2Model: a
# fixture made by tests/reference/make_fixture.py must pass `taskvec verify`. Skipped (77) where no
# python3 has torch, transformers, safetensors and h5py; TASKVEC_PYTHON names one.
set -eu
binary=$1 source=$2
for python in "${TASKVEC_PYTHON:-}" python3 /usr/bin/python3; do
    [ -n "$python" ] && "$python" -c 'import torch, transformers, safetensors, h5py' 2>/dev/null && break
    python=
done
[ -n "$python" ] || { echo "skipped: no python3 with torch, transformers, safetensors, h5py"; exit 77; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for model in "$source"/experiments/models/*.safetensors; do
    "$python" "$source/tests/reference/make_fixture.py" "$model" "$scratch/twin.h5"
    "$binary" verify --require core,grad "$scratch/twin.h5"
done
