#!/usr/bin/env bash
# check_doctor_model.sh BINARY [SOURCE] - `taskvec doctor` of folders of language models: what it reports
# of good ones, and one line with exit code 65 for each folder of tests/bad_inputs/make_folders.py that
# cannot be computed, from `generate` and `tokenize` too.
set -euo pipefail
(($#)) || { echo "usage: check_doctor_model.sh BINARY [SOURCE]" >&2; exit 64; }
program=$(realpath -- "$1")
source_dir=$(cd -- "${2:-$(dirname -- "$0")/../..}" && pwd)
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
python3 "$source_dir/tests/bad_inputs/make_folders.py" .
faults=0 cases=0

fault() { # NAME WHAT
    printf '%s: %s\n' "$1" "$2"
    tail -n 8 out err | sed 's/^/    > /'
    faults=$((faults + 1))
}

# says NAME REGEX: a line of the last report.
says() { grep -qE -- "$2" out || fault "$1" "no line matches $2"; }

for name in single words half sharded surplus; do
    rc=0
    timeout 60 "$program" doctor --hash "good/$name" >out 2>err || rc=$?
    if ((rc > 1)) || [[ -s err ]]; then fault "$name" "exit code $rc"; fi # 1: trouble with the machine
    says "$name" "^ok +model +good/$name: gpt2, 2 layers, 2 heads of 4, width 8, MLP 16, vocabulary of 11, 32 positions, .*tied"
    says "$name" '^ok +defaults +head_dim 4, layer_norm_epsilon 1e-05, hidden_act gelu_new, tie_word_embeddings true'
    says "$name" '^ok +memory +[0-9.]+ [KM]iB a node for the weights, .* for passes over prompts of 32 tokens and [0-9.]+ [KM]iB for each'
    says "$name" '^ok +speed +about [0-9.e+]+ tokens/s a rank'
    case $name in
    single)
        says single '^ok +weights +F32 in 1 file, '
        says single '^ok +tokenizer +none in the folder'
        ;;
    words) says words '^ok +tokenizer +11 tokens, a prompt begins with "<s>" \(id 0\); "Q: hot\\nA:" is 0 1 3 2$' ;;
    half) says half '^ok +weights +F16 in 1 file, ' ;;
    sharded) says sharded '^ok +weights +BF16 in 2 files, ' ;;
    surplus)
        says surplus '^ok +unused +1 tensor: "surplus"$'
        says surplus '^ok +keys unread +"surprise"$'
        ;;
    esac
    if [[ $name != surplus ]]; then says "$name" '^ok +unused +every tensor'; fi
    python3 - "good/$name" >expected <<'END'
import hashlib, glob, json, struct, sys
tensors = {}
for path in glob.glob(sys.argv[1] + "/*.safetensors"):
    data = open(path, "rb").read()
    end = 8 + struct.unpack("<Q", data[:8])[0]
    for name, t in json.loads(data[8:end]).items():
        first, last = t["data_offsets"]
        tensors[name] = (t["shape"], data[end + first:end + last])
h = hashlib.sha256()
for name, (shape, data) in sorted(tensors.items()):
    h.update(name.encode() + b"\0" + ",".join(map(str, shape)).encode() + b"\0" + data)
print(h.hexdigest())
END
    says "$name" "^ok +sha256 +$(<expected)$"
done

# 100,000 entries in a header; the speed is measured for .3 s.
limit=2
if nm -- "$program" | grep -c __asan_init >/dev/null; then limit=10; fi
(ulimit -t $limit && exec "$program" doctor good/many) >out 2>err || (($? == 1)) || fault many "takes more than $limit s"
says many '^ok +unused +100000 tensors: "surplus\.0", '

# refuses NAME PATTERN COMMAND...: exit code 65 and one line.
refuses() {
    local name=$1 pattern=$2 rc=0
    shift 2
    timeout 60 "$program" "$@" >out 2>err </dev/null || rc=$?
    if [[ $rc != 65 ]]; then
        fault "$name" "$1: exit code $rc, not 65"
    elif [[ $(wc -l <err) != 1 ]]; then
        fault "$name" "$1: not one line on standard error"
    elif ! grep -qE -- "bad/$name.*($pattern)" err; then
        fault "$name" "$1: the message does not match $pattern"
    fi
}

while IFS= read -r line; do
    name=${line%%" ;; "*} pattern=${line#*" ;; "}
    cases=$((cases + 1))
    refuses "$name" "$pattern" doctor "bad/$name"
    case $name in # generate meets NaN in the logits, and looks for it in no weight
    nan) refuses nan "taskvec doctor looks for NaN" generate bad/nan --prompt "hot" ;;
    *) refuses "$name" "$pattern" generate "bad/$name" --prompt "hot" ;;
    esac
    case $name in
    tokenizer) ;; # as long as no model is asked for, any vocabulary will do
    tokenizer_*) refuses "$name" "$pattern" tokenize "bad/$name" ;;
    esac
done <cases
((cases >= 90)) || { echo "only $cases cases"; faults=1; }
if ((faults)); then exit 1; fi
echo "$cases folders are refused as they should be, and the others reported"
