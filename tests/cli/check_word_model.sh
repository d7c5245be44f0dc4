#!/usr/bin/env bash
# shellcheck disable=SC1091 # find_python.sh
# check_word_model.sh BINARY [SOURCE] - the shipped word model is what its page says: on prompts of ten shots at least 12 of its tasks
# are right four times in five, without shots it is right at most a quarter as often. transformers, where there is it, predicts the same.
set -euo pipefail
. "$(dirname -- "$0")/find_python.sh"
(($#)) || { echo "usage: check_word_model.sh BINARY [SOURCE]" >&2; exit 64; }
program=$(realpath -- "$1")
text=$(cd -- "${2:-$(dirname -- "$0")/../..}" && pwd)/experiments/text
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
export ASAN_OPTIONS=detect_leaks=0
[[ -e $text/word_model/model.safetensors ]] || { echo "check_word_model: the model is missing" >&2; exit 1; }
(($(stat -c %s "$text/word_model/model.safetensors") < 5000000)) || { echo "check_word_model: 5 MB or more" >&2; exit 1; }
cd -- "$work"
cat >tasks.cfg <<END_OF_CONFIG
name = "word-model"; seed = 1; model = { checkpoint = "$text/word_model"; };
source = { kind = "text"; task = "$text/tasks/*.json"; };
stages = ({ stage = "evaluate"; also = ["plain"]; points = [11, 1]; functions = 32; keep = ["prompts"]; });
END_OF_CONFIG
timeout 500 "$program" run tasks.cfg -o run --quiet >/dev/null
"$program" table run --format csv >table.csv
python3 - <<'END'
import csv
rows = list(csv.DictReader(open("table.csv")))
shots, none = ([float(r["accuracy"]) for r in rows if r["k"] == k] for k in ("10", "0"))
good, mean, zero = sum(a >= 0.8 for a in shots), sum(shots) / len(shots), sum(none) / len(none)
assert len(shots) == len(none) >= 20, (len(shots), len(none))
assert good >= 12, f"ten shots: at least .8 on {good} tasks alone"
assert zero <= mean / 4, f"without shots {zero:.3f}, with ten {mean:.3f}"
print(f"check_word_model: ten shots {mean:.3f}, at least .8 on {good} of {len(shots)} tasks; without shots {zero:.3f}")
END
python=$(find_python "torch, transformers, safetensors") || { echo "check_word_model: no transformers: not compared with it"; exit 0; }
"$python" - "$text/word_model" run/artifacts/*/*.safetensors <<'END'
import sys
import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM
model, seen = AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32), 0
for path in sys.argv[2:][:20]:
    with safe_open(path, "pt") as file:
        ids, scores = file.get_tensor("prompt_ids").long(), file.get_tensor("scores")
    lengths = (ids >= 0).sum(1)
    with torch.no_grad():
        logits = model(ids.clamp(min=0)).logits[torch.arange(len(ids)), lengths - 1]
    differ = logits.argmax(1) != scores[:, 6].long()
    top = logits.topk(2).values
    assert not (differ & (top[:, 0] - top[:, 1] > 1e-4)).any(), path
    seen += len(ids)
print(f"check_word_model: transformers predicts the same {seen} tokens")
END
