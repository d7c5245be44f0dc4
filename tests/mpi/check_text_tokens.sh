#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154,SC2034 # variables of and for common.sh
# check_text_tokens.sh BINARY [SOURCE] - capture of named tokens of text prompts on a tiny language model (key `tokens`): the same bits
# on 1, 2 and 3 ranks and after a kill; the named tokens are before and at the end of answers; a token has the same states however it
# is named, and those of transformers.
set -euo pipefail
. "$(dirname -- "$0")/common.sh" check_text_tokens "$@"
. "$here/../cli/find_python.sh"
home="$work/a folder"
config="$home/tokens.cfg"
python3 "$here/make_text_model.py" "$home/model"
mv "$home/model/capital.task" "$home/capital.json"
cat >"$config" <<'END'
name = "tokens"; seed = 5;
model = { checkpoint = "model"; };
source = { kind = "text"; task = "capital.json"; };
stages = ( { stage = "capture"; points = 4; prompts = 10; chunk = 3; tokens = ["query", "before_answers", "answers", "all"]; } );
END
expect_same_bits "$config" "$home" 4

launch 0 plan "$config" --json
cp -- "$work/out" "$work/plan.json"
python3 - "$home/one" "$work/plan.json" <<'END' || fault "artifacts"
import glob, json, struct, sys

def read(path):
    data = open(path, "rb").read()
    n = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + n])
    notes = header.pop("__metadata__")
    arrays = {}
    for name, t in header.items():
        a, b = t["data_offsets"]
        arrays[name] = (t["shape"], struct.unpack(f"<{(b - a) // 4}f", data[8 + n + a:8 + n + b]))
    return notes, arrays

def row(array, *at):
    shape, values = array
    width, first = shape[-1], 0
    for i, n in zip(at, shape):
        first = first * n + i
    return values[first * width:(first + 1) * width]

runs = {}
for path in glob.glob(sys.argv[1] + "/artifacts/*/*.safetensors"):
    notes, arrays = read(path)
    shape = arrays["hidden"][0]
    runs["query" if len(shape) == 3 else shape[1]] = arrays
longest = max(k for k in runs if k != "query")
assert sorted(map(str, runs)) == sorted(["query", "3", "4", str(longest)]), list(runs)
assert runs[4]["heads"][0] == [10, 4, 3, 16] and runs[4]["position"][0] == [10, 4], runs[4]["heads"][0]
assert runs["query"]["heads"][0] == [10, 3, 4, 4] and runs["query"]["position"][0] == [10]
# Memory of the plan: for each further token its place, and its floats in all arrays.
memory = {j["what"].split("=")[1]: j["memory"] for j in json.load(open(sys.argv[2]))["jobs"]}
floats = 1 + sum(len(runs[4][k][1]) // 40 for k in ("heads", "attention", "hidden"))
for name, tokens in (("before_answers", 4), ("answers", 3), ("all", longest)):
    least = (tokens - 1) * 10 * 4 * floats
    assert least <= memory[name] - memory["query"] < 1.1 * least, (name, memory, floats)
close = lambda a, b: max(abs(x - y) for x, y in zip(a, b)) < 1e-4
for i in range(10):
    ids = row(runs[4]["prompt_ids"], i)
    prompt = "".join("\n" if t == 0 else chr(31 + int(t)) for t in ids if t >= 0)
    before, ends, all = ([int(t) for t in row(runs[k]["position"], i)] for k in (4, 3, longest))
    starts = [t + 1 for t in range(len(prompt)) if prompt[:t + 1].endswith("A:")]
    assert [t + 1 for t in before] == starts and before[-1] == len(prompt) - 1, (prompt, before)
    assert ends == [prompt.index("\n", t) - 1 for t in starts[:-1]], (prompt, ends)
    assert all == list(range(len(prompt))) + [-1] * (longest - len(prompt)), all
    for name in ("heads", "attention", "hidden"):
        for l in range(3):
            whole = runs[longest][name]
            for k, tokens in ((4, before), (3, ends)):
                for j, t in enumerate(tokens):
                    assert close(row(runs[k][name], i, j, l), row(whole, i, t, l)), (name, i, j, l)
            last = row(whole, i, len(prompt) - 1, l)
            shape, values = runs["query"][name]
            size = len(last)
            first = (i * (shape[1]) + l) * size
            assert close(values[first:first + size], last), (name, i, l)
            if len(prompt) < longest:
                assert not any(row(whole, i, longest - 1, l)), "zeros where a prompt has no token"
END

if python=$(find_python "torch, transformers, safetensors"); then
    "$python" - "$home/one" "$home/model" 2>"$work/err" <<'END' || die "transformers: $(tail -n 1 "$work/err")"
import glob, sys
import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM
run, folder = sys.argv[1:]
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
heads = {}
for i, layer in enumerate(model.model.layers):
    layer.self_attn.o_proj.register_forward_pre_hook(lambda _, inputs, i=i: heads.__setitem__(i, inputs[0][0]))
compared = 0
for path in glob.glob(run + "/artifacts/*/*.safetensors"):
    with safe_open(path, "pt") as f:
        ids, at, z, hidden = (f.get_tensor(k) for k in ("prompt_ids", "position", "heads", "hidden"))
    for i in range(len(ids) if at.dim() == 2 else 0):
        with torch.no_grad():
            out = model(torch.tensor([[int(t) for t in ids[i] if t >= 0]]), output_hidden_states=True)
        for j, t in enumerate(int(t) for t in at[i] if t >= 0):
            for layer, state in enumerate(out.hidden_states[:-1]):
                assert (hidden[i, j, layer] - state[0, t]).abs().max() < 1e-4, (path, i, j, layer)
            for layer in heads:
                assert (z[i, j, layer] - heads[layer][t]).abs().max() < 1e-4, (path, i, j, layer)
            compared += 1
assert compared > 300, compared
END
fi

expect_refusal "$config" '"answers" with points = 1' -s capture.points=1 -s capture.tokens=answers
expect_refusal "$config" 'capture.tokens: ' -s capture.tokens=labels
conclude "4 kinds of tokens on 0 to 3 ranks, and after a kill"
