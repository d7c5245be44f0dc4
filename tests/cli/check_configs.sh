#!/usr/bin/env bash
# check_configs.sh BINARY [SOURCE] - every config of experiments/ plans, from a copy of the folder;
# files that only who imports them has are there as zeros of their sizes, models and tasks that are fetched as small ones.
set -euo pipefail
(($#)) || { echo "usage: check_configs.sh BINARY [SOURCE]" >&2; exit 64; }
program=$(realpath -- "$1")
source_dir=$(cd -- "${2:-$(dirname -- "$0")/../..}" && pwd)
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cp -r -- "$source_dir/experiments" "$work/experiments"
mkdir -p "$work/experiments/models/imported"

python3 - "$work/experiments/models/imported" <<'END'
import json, struct, sys

def write(name, notes, shapes):
    header, at = {"__metadata__": notes}, 0
    for tensor, shape in shapes:
        size = 4
        for n in shape:
            size *= n
        header[tensor] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-(8 + len(text)) % 64)
    with open(f"{sys.argv[1]}/{name}.safetensors", "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        f.truncate(8 + len(text) + at)

def model(positions, width=256, layers=12, dims=20):
    block = [("ln_1", [width], width), ("attn.c_attn", [width, 3 * width], 3 * width),
             ("attn.c_proj", [width, width], width), ("ln_2", [width], width),
             ("mlp.c_fc", [width, 4 * width], 4 * width), ("mlp.c_proj", [4 * width, width], width)]
    yield from (("_read_in.weight", [width, dims]), ("_read_in.bias", [width]))
    yield "_backbone.wpe.weight", [positions, width]
    for i in range(layers):
        for name, shape, bias in block:
            yield from ((f"_backbone.h.{i}.{name}.weight", shape), (f"_backbone.h.{i}.{name}.bias", [bias]))
    yield from (("_backbone.ln_f.weight", [width]), ("_backbone.ln_f.bias", [width]))
    yield from (("_read_out.weight", [1, width]), ("_read_out.bias", [1]))

write("linear", {"n_head": "8", "trained_points": "41"}, model(202))
for points in (41, 42, 56, 71, 86, 101):
    write(f"ltv_{points}", {"method": "ltv"}, [("weights", [12, 8])])
END

# ---- language models that are fetched: tiny ones whose tokens are bytes; published tasks: our own
tests=$(cd -- "$(dirname -- "$0")/.." && pwd)
text=$work/experiments/text published=$work/experiments/paper/function_vectors
for folder in "$text/smollm2" "$work/experiments/paper/gptj"; do
    rm -rf -- "$folder"
    python3 "$tests/mpi/make_text_model.py" "$folder" 8192 bytes 30
done
if [[ ! -e $text/word_model/model.safetensors ]]; then
    words=$(python3 -c 'import json, sys; print(len(json.load(open(sys.argv[1]))["model"]["vocab"]))' "$text/word_model/tokenizer.json")
    python3 "$tests/mpi/make_text_model.py" "$work/tiny" 128 "$words"
    cp "$work"/tiny/{config.json,model.safetensors} "$text/word_model/"
fi
rm -rf -- "$published"
mkdir -p "$published/abstractive" "$published/extractive"
sed -n 's#.*"function_vectors/\([a-z0-9_/-]*\.json\)".*#\1#p' "$work"/experiments/paper/*.cfg | sort -u | while read -r task; do
    cp "$text/tasks/antonym.json" "$published/$task"
done

faults=0 configs=0
while IFS= read -r config; do
    configs=$((configs + 1))
    if ! timeout 600 "$program" plan "$config" >"$work/out" 2>"$work/err"; then
        echo "${config#"$work/"}: $(cat "$work/err")"
        faults=$((faults + 1))
    fi
done < <(find "$work/experiments" -name '*.cfg' | sort)
if ((configs < 8 || faults)); then
    echo "$faults of $configs configs do not plan"
    exit 1
fi
echo "all $configs configs of experiments/ plan"
