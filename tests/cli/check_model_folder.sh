#!/usr/bin/env bash
# shellcheck disable=SC1091 # find_python.sh
# check_model_folder.sh BINARY [SOURCE] - `taskvec artifact DIR JOB --model FOLDER`: the folder of a language model of
# every family, pretrained for a few steps, is one that doctor and generate read, whose weights are those of the artifact in
# F16; what is refused; the probabilities of transformers, where a python has it.
set -euo pipefail
. "$(dirname -- "$0")/find_python.sh"
(($#)) || { echo "usage: check_model_folder.sh BINARY [SOURCE]" >&2; exit 64; }
program=$(realpath -- "$1")
source_dir=$(cd -- "${2:-$(dirname -- "$0")/../..}" && pwd)
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
failed=0
fault() { echo "FAILED: $*"; failed=1; }
refuses() { # WORDS ARGUMENT...
    local words=$1 got=0
    shift
    "$program" artifact "$@" 2>err >out || got=$?
    [[ $got == 65 ]] || fault "$*: exit $got, wanted 65"
    grep -qF -- "$words" err || fault "$*: no '$words' in $(cat err)"
}

families=(gpt2 gptj gpt_neox llama mistral qwen2 qwen3)
mkdir words
cp "$source_dir"/experiments/text/word_model/tokenizer*.json words
cat >text.cfg <<END
name = "text"; seed = 1;
source = { kind = "text"; task = "$source_dir/experiments/text/tasks/gerund.json"; tokenizer = "words"; };
stages = (
  { stage = "pretrain";
    model = { family = [$(printf '"%s", ' "${families[@]}" | sed 's/, $//')]; layers = 2; heads = 2; width = 16;
              positions = 40; tied = [true, false]; };
    points = 4; batch = 4; shards = 1; steps = 3; optimiser = { lr = 3e-2; warmup = 1; }; } );
END
cat >numbers.cfg <<'END'
name = "numbers"; seed = 1; source = { problem = "linear"; dims = 2; };
stages = ( { stage = "pretrain"; model = { layers = 1; heads = 1; width = 8; positions = 16; };
             points = 4; batch = 4; shards = 1; steps = 1; } );
END
"$program" run text.cfg -o text --quiet 2>err >out || fault "$(cat err)"
"$program" run numbers.cfg -o numbers --quiet 2>err >out || fault "$(cat err)"

for job in {0..13}; do
    "$program" artifact text "pretrain[$job]" --model "model/$job" >out || fault "pretrain[$job]"
    grep -q "^model/$job: pretrain\[$job\] as a Hugging Face folder, [0-9]* tensors in F16" out || fault "$(cat out)"
    "$program" doctor "model/$job" >out 2>&1 || true # a slow kernel of BLAS is trouble, too
    grep -q "^ok *model .*: ${families[job / 2]}, 2 layers, 2 heads of 8" out || fault "doctor: $(cat out)"
    grep -q '^ok *unused' out || fault "unused tensors: $(cat out)"
    cmp -s words/tokenizer.json "model/$job/tokenizer.json" || fault "the tokenizer of $job"
done
grep -q '"model_type": "gpt_neox"' model/4/config.json || fault "$(cat model/4/config.json)"
grep -q '"tie_word_embeddings": false' model/7/config.json || fault "$(cat model/7/config.json)"

refuses 'model/0/config.json: exists already' text 'pretrain[0]' --model model/0
refuses 'pretrain[0] is no language model' numbers 'pretrain[0]' --model none
[[ ! -e none ]] || fault "a refused model left a folder"
sed -i 's/"1.0"/"1.1"/' words/tokenizer.json
refuses 'words: the tokenizer that the model was trained with is gone or has changed' text 'pretrain[0]' --model none

if python=$(find_python "torch, transformers"); then
    "$python" "$source_dir/tests/cli/check_model_folder.py" "$program" model text >out 2>err || fault "$(tail -n 5 out err)"
else
    echo "not compared with transformers: no python3 has it"
fi
exit "$failed"
