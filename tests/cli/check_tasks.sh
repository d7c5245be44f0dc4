#!/usr/bin/env bash
# shellcheck disable=SC1091 # find_python.sh
# check_tasks.sh BINARY [SOURCE] - the shipped tasks of text: their files are those that the scripts build, well formed, and the
# tokenizer of the word model has every token; taskvec and (where it is present) the library `tokenizers` agree on the ids.
set -euo pipefail
. "$(dirname -- "$0")/find_python.sh"
(($#)) || { echo "usage: check_tasks.sh BINARY [SOURCE]" >&2; exit 64; }
program=$(realpath -- "$1")
source_dir=$(cd -- "${2:-$(dirname -- "$0")/../..}" && pwd)
python=$(find_python json) || { echo "no python3: not tested"; exit 77; }
export PYTHONDONTWRITEBYTECODE=1
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
failed=0
fault() { echo "FAILED: $*"; failed=1; }

text=$source_dir/experiments/text
"$python" "$text/build_tasks.py" --check || fault "build_tasks.py builds other files"
"$python" "$text/build_word_tokenizer.py" --check || fault "build_word_tokenizer.py builds another tokenizer"
"$python" "$source_dir/tests/cli/check_tasks.py" "$text" >"$work/cases.json" || fault "a task or the vocabulary"
"$program" verify "$work/cases.json" --tokenizer "$text/word_model" >"$work/verify" || { cat "$work/verify"; fault "taskvec's ids"; }
if library=$(find_python tokenizers); then
    "$library" - "$text/word_model/tokenizer.json" "$work/cases.json" <<'END' || fault "the ids of the library tokenizers"
import json, sys
from tokenizers import Tokenizer
tokenizer = Tokenizer.from_file(sys.argv[1])
for case in json.load(open(sys.argv[2])):
    assert tokenizer.encode(case["text"]).ids == case["ids_with_special"], case["text"][:60]
    assert tokenizer.decode(case["ids"], skip_special_tokens=False) == case["decoded"], case["text"][:60]
END
fi

# ---- a changed answer, a task without a rule, a list with a fault
cp -R "$text" "$work/text"
copy=$work/text
sed -i 's/"paris"/"lyon"/' "$copy/tasks/country-capital.json"
echo '[]' >"$copy/tasks/other.json"
if "$python" "$copy/build_tasks.py" --check 2>"$work/err"; then fault "a changed answer is not seen"; fi
grep -q '^country-capital.json: differs' "$work/err" || fault "no country-capital in $(cat "$work/err")"
grep -q '^other.json: built by no rule' "$work/err" || fault "no other.json in $(cat "$work/err")"
if "$python" "$source_dir/tests/cli/check_tasks.py" "$copy" >/dev/null 2>"$work/err"; then fault "check_tasks.py sees nothing"; fi
grep -q 'country-capital france is lyon expected paris' "$work/err" || fault "no france in $(cat "$work/err")"
refuses() { # WORDS: of the message
    local got=0
    "$python" "$copy/build_tasks.py" "$work/new" 2>"$work/err" || got=$?
    [[ $got == 65 ]] || fault "exit $got, expected 65"
    grep -q "$1" "$work/err" || fault "no '$1' in $(cat "$work/err")"
}
echo 'hot lukewarm' >>"$copy/words/antonyms.txt"
refuses 'antonyms.txt: hot stands in two pairs'
echo 'cat animal' >>"$copy/words/nouns.txt"
refuses 'nouns.txt:[0-9]*: 2 words, expected 5: cat animal'

# ---- a dictionary of FreeDict, as dictd stores it: entries of one word with one translation are items
"$python" - "$work" <<'END'
import gzip, sys
DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
def number(n):
    return (number(n // 64) if n > 63 else "") + DIGITS[n % 64]
entries = [("dog", "dog /d/ <n>\nchien <masc>\n     Note: barks\n see: {cat}\n"), ("cat", "cat /k/\n1. chat\n"),
           ("run", "run /r/\n1. courir, fuir\n2. fuite\n"), ("run", "run away /r/\nse sauver\n"), ("ice", "ice cream /i/\nglace\n"),
           ("Paris", "Paris /p/\nParis\n"), ("tea", "tea /t/\nth\u00e9\n"), ("fog", "fog /f/\nbrouillard epais\n"), ("x", "x" * 5000)]
text, index = b"", ""
for word, entry in entries:
    index += f"{word}\t{number(len(text))}\t{number(len(entry.encode()))}\n"
    text += entry.encode()
open(sys.argv[1] + "/mine.index", "w").write(index)
gzip.open(sys.argv[1] + "/mine.dict.dz", "wb").write(text)
END
freedict=$source_dir/analysis/freedict_task.py
"$python" "$freedict" "$work/mine.index" "$work/mine.json" >/dev/null || fault "freedict_task.py"
diff "$work/mine.json" - <<'END' || fault "another task than the dictionary has"
[
{"input": "cat", "output": "chat"},
{"input": "dog", "output": "chien"},
{"input": "tea", "output": "thé"}
]
END
"$python" "$freedict" "$work/mine.index" "$work/mine.json" --first >/dev/null
grep -q '"run", "output": "courir"' "$work/mine.json" || fault "--first has no run"
got=0
"$python" "$freedict" xxx-yyy "$work/none.json" 2>"$work/err" || got=$?
[[ $got == 65 ]] || fault "no dictionary: exit $got, expected 65"
grep -q 'apt-get install dict-freedict-xxx-yyy' "$work/err" || fault "no next step in $(cat "$work/err")"
exit $failed
