#!/usr/bin/env bash
# shellcheck disable=SC1091 # find_python.sh
# check_tokenizer.sh BINARY [SOURCE] - `taskvec tokenize`, and `verify --tokenizer` on the cases of TASKVEC_FIXTURES (default: the
# folder shared/fixtures beside the checkout) and on random text encoded by the library `tokenizers`, where they are present.
set -euo pipefail
. "$(dirname -- "$0")/find_python.sh"
(($#)) || { echo "usage: check_tokenizer.sh BINARY [SOURCE]" >&2; exit 64; }
program=$(realpath -- "$1")
source_dir=$(cd -- "${2:-$(dirname -- "$0")/../..}" && pwd)
fixtures=${TASKVEC_FIXTURES:-$source_dir/../shared/fixtures}
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
failed=0
fault() { echo "FAILED: $*"; failed=1; }

# ---- the command, on two characters and a line break
mkdir "$work/tiny"
cat >"$work/tiny/vocab.json" <<'END'
{"a": 0, "b": 1, "Ċ": 2, "ab": 3, "Ã": 4, "©": 5, "<|endoftext|>": 6}
END
printf '#version: 0.2\na b\n' >"$work/tiny/merges.txt"
is() { # WANTED COMMAND...: standard input is passed on
    local wanted=$1 got
    shift
    got=$("$@"; echo .) || fault "$* exits $?"
    [[ ${got%.} == "$wanted" ]] || fault "$*: wanted $wanted, received $got"
}
refuses() { # CODE WORDS COMMAND...
    local code=$1 words=$2 got=0
    shift 2
    "$@" 2>"$work/err" >/dev/null || got=$?
    [[ $got == "$code" && $(wc -l <"$work/err") == 1 ]] || fault "$*: exit $got, wanted $code"
    grep -qF -- "$words" "$work/err" || fault "$*: no '$words' in $(cat "$work/err")"
}
printf 'ab\n' | is $'position       id  token\n       0        3  ab\n       1        2  Ċ\n' "$program" tokenize "$work/tiny"
printf 'ab\n' | is $'{"ids":[6,3,2],"tokens":["<|endoftext|>","ab","Ċ"]}\n' \
    "$program" tokenize "$work/tiny" --bos '<|endoftext|>' --json
printf 'é' | is $'{"ids":[4,5],"tokens":["Ã","©"]}\n' "$program" tokenize "$work/tiny" --json
echo '[3, 2,4 5]' | is $'ab\né' "$program" tokenize "$work/tiny" --decode
echo '4 0' | is $'{"text":"\uFFFDa"}\n' "$program" tokenize "$work/tiny" --decode --json
is '' "$program" tokenize "$work/tiny" --decode </dev/null
printf 'a\xffb' | refuses 65 'byte 1 of the text (0xff) is not UTF-8' "$program" tokenize "$work/tiny"
echo '3 7' | refuses 65 'id 7 at position 1' "$program" tokenize "$work/tiny" --decode
echo '3 x' | refuses 65 "expected an id, received 'x'" "$program" tokenize "$work/tiny" --decode
echo | refuses 64 '--bos and --special are for text' "$program" tokenize "$work/tiny" --decode --bos none
echo | refuses 65 "no token 'x'" "$program" tokenize "$work/tiny" --bos x
echo | refuses 65 'has no tokenizer.json' "$program" tokenize "$work"
echo | refuses 74 'cannot open' "$program" tokenize "$work/none"

# ---- verify: a difference, nothing to compare, no tokenizer
cat >"$work/cases.json" <<'END'
[{"text": "ab", "ids": [3]}, {"text": "ba", "ids": [1, 0], "decoded": "ba"}]
END
"$program" verify --require tokenizer "$work/cases.json" --tokenizer "$work/tiny" >"$work/out" || fault "verify: $(cat "$work/out")"
sed -i 's/\[3\]/[0, 1]/' "$work/cases.json"
refuses 1 '1 of 2 differ' "$program" verify "$work/cases.json" --tokenizer "$work/tiny"
echo '[]' >"$work/none.json"
refuses 65 'nothing in it could be compared' "$program" verify "$work/none.json" --tokenizer "$work/tiny"
refuses 64 'need --tokenizer DIR' "$program" verify "$work/none.json"

# ---- fixtures
if [[ -d $fixtures/text ]]; then
    for style in gpt2 llama3 qwen2 neox llama2; do
        "$program" verify --require tokenizer "$fixtures/text/${style}_tokenizer_cases.json" --tokenizer "$fixtures/../tokenizers/$style" \
            >"$work/out" || fault "$style: $(cat "$work/out")"
    done
else
    echo "no cases in $fixtures (TASKVEC_FIXTURES names another folder)"
    [[ ${TASKVEC_REQUIRE_FIXTURES:-0} == 1 ]] && failed=1
fi

# ---- the library, where a python has it (TASKVEC_PYTHON names one)
if python=$(find_python tokenizers); then
    "$python" "$source_dir/tests/cli/check_tokenizer.py" "$program" "$work" 100 >"$work/out" 2>/dev/null || fault "$(cat "$work/out")"
else
    echo "not compared with the library: no python3 has the module tokenizers"
fi
exit "$failed"
