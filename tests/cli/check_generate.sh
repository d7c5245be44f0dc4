#!/usr/bin/env bash
# shellcheck disable=SC1091 # find_python.sh
# check_generate.sh BINARY [SOURCE] - `taskvec generate`: what it prints of a tiny model whose tokens are all equally
# likely, and one line for each model, prompt and vector that it refuses; the tokens and probabilities of transformers on
# the models of TASKVEC_FIXTURES (default: the folder shared/fixtures beside the checkout), where both are present.
set -euo pipefail
. "$(dirname -- "$0")/find_python.sh"
(($#)) || { echo "usage: check_generate.sh BINARY [SOURCE]" >&2; exit 64; }
program=$(realpath -- "$1")
source_dir=$(cd -- "${2:-$(dirname -- "$0")/../..}" && pwd)
fixtures=${TASKVEC_FIXTURES:-$source_dir/../shared/fixtures}
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
failed=0
fault() { echo "FAILED: $*"; failed=1; }
is() { # WANTED COMMAND...: standard input is passed on
    local wanted=$1 got
    shift
    got=$("$@"; echo .) || fault "$* exits $?"
    [[ ${got%.} == "$wanted" ]] || fault "$*: wanted $wanted, received $got"
}
refuses() { # CODE WORDS ARGUMENT...
    local code=$1 words=$2 got=0
    shift 2
    "$program" generate "$@" 2>err >out </dev/null || got=$?
    [[ $got == "$code" && $(wc -l <err) == 1 && ! -s out ]] || fault "$*: exit $got, wanted $code"
    grep -qF -- "$words" err || fault "$*: no '$words' in $(cat err)"
}

# ---- 11 tokens, 32 positions; all weights are 1, so all tokens have probability 1/11
python3 "$source_dir/tests/bad_inputs/make_folders.py" . >log
words=good/words
python3 - "$source_dir/tests/bad_inputs" <<'END'
import json, sys
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
import make_folders as make

words = {"tokenizer.json": json.dumps(make.tokenizer(make.V))}
nan = dict(make.gpt2(), **{"transformer.h.1.mlp.c_fc.bias": make.tensor([make.F], value=float("nan"))})
make.folder("nan", files=dict(make.single(nan), **words))
make.folder("window", config=dict(make.GPT2, sliding_window=2), files=dict(make.single(make.gpt2()), **words))
add = {"kind": "add", "site": "block", "layer": 0, "scope": "query", "from": 0, "n": 6, "values": 0, "scale": 1}
for name, vector in (("narrow", "given"), ("prompt", "prompt")):
    about = {"format": 1, "method": "ltv", "prompt": "whole", "wpe_seed": 0, "vector": vector, "values": 6, "edits": [add]}
    notes = {"__metadata__": {"taskvec_edits": json.dumps(about)}}
    with open(f"{name}.safetensors", "wb") as f:
        f.write(make.safetensors({"vector": make.tensor([6])}, change=lambda header: header.update(notes)))
END
is $'hot w5 <s> <s>\n\nafter the prompt of 3 tokens, which begins with <s>\n probability       id  token
    0.090909        0  <s>\n    0.090909        1  Q:\n' \
    "$program" generate "$words" --prompt 'hot w5' --tokens 2 --top 2
printf 'hot w5' | is $'hot w5 <s>\n\nafter the prompt of 2 tokens\n probability       id  token\n    0.090909        0  <s>\n' \
    "$program" generate "$words" --prompt - --tokens 1 --top 1 --bos none
"$program" generate "$words" --prompt 'hot\n' --json --tokens 3 --top 20 >json || fault "--json"
python3 - <<'END' || fault "$(cat json)"
import json
g = json.load(open("json"))
assert g["model"] == "good/words" and g["prompt"] == "hot\\n" and g["bos"] == 0, g
assert g["prompt_ids"] == [0, 4] and g["ids"] == [0, 0, 0] and g["text"] == " <s> <s> <s>", g
assert len(g["steps"]) == 3 and [t["id"] for t in g["steps"][2]] == list(range(11)), g
assert all(abs(t["probability"] - 1 / 11) < 1e-6 for t in g["steps"][1]) and g["steps"][0][1]["token"] == "Q:", g
END
many=$(printf 'hot %.0s' {1..40})
"$program" generate "$words" --prompt "${many:0:120}" --top 1 >out || fault "30 words"
grep -q '^after the prompt of 31 tokens' out || fault "$(cat out)"
[[ $(grep -o '<s>' out | wc -l) == 4 ]] || fault "a prompt of 31 tokens has room for two: $(cat out)"

# ---- refusals
refuses 64 '--prompt TEXT is missing' "$words"
refuses 64 '--tokens: expected 1 to 100000, received "0"' "$words" --prompt hot --tokens 0
refuses 64 '--top: expected 1 to 100, received "x"' "$words" --prompt hot --top x
refuses 64 'expected MODEL' --prompt hot
refuses 65 'prompts of 41 tokens, but the model has 32 positions' "$words" --prompt "$many"
refuses 65 '32 tokens after a prompt of 2 tokens, but there is room for 31: the positions of the model are 32' \
    "$words" --prompt hot --tokens 32
refuses 65 'the prompt has no token' "$words" --prompt '' --bos none
refuses 65 "no token 'x'" "$words" --prompt hot --bos x
refuses 65 'is not UTF-8' "$words" --prompt $'hot \xff'
refuses 65 'has no tokenizer.json' good/single --prompt hot
refuses 65 'not a folder' none --prompt hot
refuses 65 'a regression model, whose prompts are numbers: taskvec run evaluates it' \
    "$source_dir/experiments/models/linear_d5.safetensors" --prompt hot
refuses 65 'the logit of token 0 is not a finite number: taskvec doctor' nan --prompt hot
refuses 65 'prompts of 3 tokens, but a sliding window of 2 tokens is in use' window --prompt 'hot hot'
refuses 65 'there is room for 1: the sliding window is 2' window --prompt hot --tokens 2
refuses 65 'files of two models are mixed' bad/tokenizer --prompt hot
refuses 65 'edits[0].n: 6 numbers from 0 on of block, but those of the model have 8' "$words" --prompt hot --edits narrow.safetensors
refuses 65 'ltv makes a vector of each prompt' "$words" --prompt hot --edits prompt.safetensors
refuses 65 'holds no edits' "$words" --prompt hot --edits good/single/model.safetensors

# ---- transformers, where a python has it (TASKVEC_PYTHON names one)
if [[ ! -d $fixtures/text ]]; then
    echo "no models in $fixtures (TASKVEC_FIXTURES names another folder)"
    [[ ${TASKVEC_REQUIRE_FIXTURES:-0} == 1 ]] && failed=1
elif python=$(find_python "torch, transformers"); then
    "$python" "$source_dir/tests/cli/check_generate.py" "$program" "$fixtures/text" "$work" >out 2>err || fault "$(tail -n 5 out err)"
else
    echo "not compared with transformers: no python3 has it"
fi
exit "$failed"
