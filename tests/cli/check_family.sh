#!/usr/bin/env bash
# shellcheck disable=SC1091 # find_python.sh
# check_family.sh BINARY [SOURCE] - the model family that tests/dummy/family_stablelm.c adds, one file and one line, is
# read, or refused where it is not computed, and gives the numbers of transformers. 77 where no python3 has torch,
# transformers and h5py.
set -euo pipefail
. "$(dirname -- "$0")/find_python.sh"
(($#)) || { echo "usage: check_family.sh BINARY [SOURCE]" >&2; exit 64; }
program=$(realpath -- "$1")
with_dummy=$(dirname -- "$program")/taskvec_dummy
source_dir=$(cd -- "${2:-$(dirname -- "$0")/../..}" && pwd)
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
die() { echo "FAILED: $*"; exit 1; }

# refused PROGRAM MESSAGE [KEY]: a config.json with one more KEY is refused with MESSAGE.
refused() {
    local rc=0
    mkdir -p "$work/refused"
    cat >"$work/refused/config.json" <<END
{"model_type": "stablelm", "vocab_size": 11, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2,
 "num_key_value_heads": 2, "intermediate_size": 12, "max_position_embeddings": 16, "partial_rotary_factor": 0.5,
 "tie_word_embeddings": false${3:+, $3}}
END
    : >"$work/refused/model.safetensors"
    "$1" doctor "$work/refused" >"$work/out" 2>&1 || rc=$?
    ((rc == 65)) || die "exit code $rc, not 65, for ${3:-no key}: $(cat "$work/out")"
    grep -qF -- "$2" "$work/out" || die "no message '$2': $(cat "$work/out")"
}
refused "$program" '"stablelm" is not a family that is computed (gpt2, gptj,'
refused "$with_dummy" 'qk_layernorm: true is not computed' '"qk_layernorm": true'
refused "$with_dummy" 'use_parallel_residual: true, but it is false in every stablelm' '"use_parallel_residual": true'
refused "$with_dummy" 'model.safetensors'

if ! python=$(find_python "torch, transformers, h5py"); then
    echo "no python3 with torch, transformers and h5py: not compared"
    exit 77
fi
"$python" "$source_dir/tests/reference/make_language_models.py" "$work/models" added >"$work/log" 2>&1 || { tail -n 5 "$work/log"; exit 1; }
for name in stablelm stablelm_grouped; do
    "$with_dummy" verify "$work/models/$name" --require core,logits,heads,hidden >"$work/out" 2>&1 ||
        die "$name: $(cat "$work/out")"
done
echo "2 models of the added family agree with transformers"
