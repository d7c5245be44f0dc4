#!/usr/bin/env bash
# shellcheck disable=SC1091 # find_python.sh
# text_methods.sh BINARY SOURCE PROBE - every method on text prompts against PyTorch: values and gradients within 1e-4, on random
# models in the shapes of Llama and GPT-2. Skipped (77) where no python3 has transformers.
set -euo pipefail
binary=$(realpath -- "$1") source_dir=$(cd -- "$2" && pwd) probe=$(realpath -- "$3")
. "$source_dir/tests/cli/find_python.sh"
python=$(find_python "torch, transformers, safetensors") || { echo "no python3 with torch and transformers: not tested"; exit 77; }
export PYTHONDONTWRITEBYTECODE=1 HF_HUB_DISABLE_PROGRESS_BARS=1 TRANSFORMERS_VERBOSITY=error ASAN_OPTIONS=detect_leaks=0
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
for kind in llama gpt2; do
    mkdir "$work/$kind"
    python3 "$source_dir/tests/mpi/make_text_model.py" "$work/$kind/model"
    mv "$work/$kind/model/capital.task" "$work/$kind/capital.json"
    rm "$work/$kind/model/number.task"
done
"$python" "$source_dir/tests/reference/text_methods.py" "$binary" "$probe" "$work" llama gpt2
