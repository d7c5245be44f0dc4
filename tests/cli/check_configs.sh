#!/usr/bin/env bash
# check_configs.sh BINARY [SOURCE] - every config of experiments/ plans, from a copy of the folder;
# files that only who imports them has are there as zeros of their sizes.
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

faults=0 configs=0
while IFS= read -r config; do
    configs=$((configs + 1))
    if ! timeout 120 "$program" plan "$config" >"$work/out" 2>"$work/err"; then
        echo "${config#"$work/"}: $(cat "$work/err")"
        faults=$((faults + 1))
    fi
done < <(find "$work/experiments" -name '*.cfg' | sort)
if ((configs < 8 || faults)); then
    echo "$faults of $configs configs do not plan"
    exit 1
fi
echo "all $configs configs of experiments/ plan"
