#!/usr/bin/env bash
# shellcheck disable=SC1091 # find_python.sh
# check_predictions.sh BINARY [SOURCE] - analysis/compare_predictions.py: the tokens that evaluations of a small model predict are
# those of transformers on the prompts that they kept, and a wrong one is found. 77 without torch and transformers.
set -euo pipefail
. "$(dirname -- "$0")/find_python.sh"
(($#)) || { echo "usage: check_predictions.sh BINARY [SOURCE]" >&2; exit 64; }
program=$(realpath -- "$1")
source_dir=$(cd -- "${2:-$(dirname -- "$0")/../..}" && pwd)
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
export ASAN_OPTIONS=detect_leaks=0
if ! python=$(find_python "torch, transformers, tokenizers"); then
    echo "no python3 with torch and transformers: not compared"
    exit 77
fi
die() { echo "FAILED: $*"; exit 1; }

python3 "$source_dir/tests/mpi/make_text_model.py" model
mv model/capital.task capital.json
mv model/number.task number.json
python3 - <<'END_OF_DECODER' # tokens are joined without blanks, so that decoded prompts can be encoded again
import json
tokenizer = json.load(open("model/tokenizer.json"))
json.dump(tokenizer | {"decoder": {"type": "Fuse"}, "added_tokens": []}, open("model/tokenizer.json", "w"))
END_OF_DECODER
cat >text.cfg <<'END_OF_CONFIG'
name = "text"; seed = 5;
model = { checkpoint = "model"; };
source = { kind = "text"; task = ["capital.json", "number.json"]; };
stages = (
  { stage = "evaluate"; also = ["plain"]; points = [1, 4]; shift = ["none", "shuffled_labels"]; functions = 10; keep = ["prompts"];
    exclude = ({ points = 1; shift = "shuffled_labels"; }); } );
END_OF_CONFIG
"$program" run text.cfg -o run --quiet 2>log >log || die "$(cat log)"
compare() { "$python" "$source_dir/analysis/compare_predictions.py" run model >out 2>&1; }
compare || die "$(cat out)"
(($(grep -cE '^(capital|number) +(3-shot|3-shot shuffled|0-shot) +10 +10 +0 ' out) == 6)) || die "$(cat out)"
grep -q '^60 prompts: 0 predicted tokens differ that are no ties; 0 prompts are encoded otherwise' out || die "$(cat out)"

# another first predicted token in each evaluation
python3 - <<'END_OF_CHANGE'
import glob, json, struct
for path in glob.glob("run/artifacts/*/*.safetensors"):
    data = bytearray(open(path, "rb").read())
    (size,) = struct.unpack("<Q", data[:8])
    at = 8 + size + json.loads(data[8:8 + size])["scores"]["data_offsets"][0] + 4 * 6
    struct.pack_into("<f", data, at, (struct.unpack_from("<f", data, at)[0] + 1) % 96)
    open(path, "wb").write(data)
END_OF_CHANGE
if compare; then die "6 wrong tokens were not found: $(cat out)"; fi
grep -q '^60 prompts: 6 predicted tokens differ' out || die "$(cat out)"
echo "60 predicted tokens are those of transformers"
