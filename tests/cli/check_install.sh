#!/usr/bin/env bash
# check_install.sh BINARY [SOURCE] - `cmake --install` into an empty folder: the files, the man page, completion in bash
# (and zsh, where it is installed), and an example that is copied out and planned.
set -euo pipefail
(($#)) || { echo "usage: check_install.sh BINARY [SOURCE]" >&2; exit 64; }
build=$(cd -- "$(dirname -- "$1")" && pwd)
source=$(cd -- "${2:-$(dirname -- "$0")/../..}" && pwd)
[[ -e $build/cmake_install.cmake ]] || { echo "$build is no build folder of CMake"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
faults=0
fault() {
    echo "check_install: $*"
    faults=$((faults + 1))
}

prefix="$work/a prefix"
cmake --install "$build" --prefix "$prefix" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
program=$prefix/bin/taskvec share=$prefix/share
export PATH=$prefix/bin:$PATH

# ---- files: every config, model and task of the repository with what it says of them, and no other.
(cd -- "$source" && find experiments -name '*.cfg' -o -name '*.safetensors' -o -name '*.json' -o -name README.md) |
    grep -vE '/(imported|smollm2|gptj|function_vectors)/.' | sort >"$work/shipped"
(cd -- "$share/taskvec" && find experiments -type f) | sort >"$work/installed"
diff "$work/shipped" "$work/installed" || fault "the installed examples differ from those of the sources"
for file in man/man1/taskvec.1 bash-completion/completions/taskvec zsh/site-functions/_taskvec doc/taskvec/CHANGELOG.md; do
    [[ -s $share/$file ]] || fault "no $file"
done

if [[ ${CI:-} == true ]]; then
    for tool in groff mandoc shellcheck zsh; do command -v "$tool" >/dev/null || fault "$tool is missing"; done
fi

# ---- the man page: each command, option and exit code; readers have no complaint.
page=$share/man/man1/taskvec.1
if command -v groff >/dev/null; then
    groff -man -Tutf8 -P-cbou -ww "$page" >"$work/page" 2>"$work/warnings" || fault "groff fails"
    [[ ! -s $work/warnings ]] || fault "groff warns: $(cat "$work/warnings")"
    for word in 'run CFG' '-s' '--set KEY=VALUE' 'examples \[NAME DIR\]' 'stage fit' 'learned_vector' '75' 'OPENBLAS_CORETYPE'; do
        grep -q -e "^ *$word" -e " $word" "$work/page" || fault "the man page has no $word"
    done
fi
if command -v mandoc >/dev/null; then
    mandoc -Tlint -W warning "$page" >"$work/warnings" || fault "mandoc warns: $(cat "$work/warnings")"
fi
"$program" help | sed -n '/^commands/,/^$/s/^  \([a-z]*\) .*/\1/p' >"$work/commands"
(($(wc -l <"$work/commands") >= 12)) || fault "taskvec help lists $(wc -l <"$work/commands") commands"
while read -r command; do grep -q "^\.SS $command\b" "$page" || fault "the man page has no command $command"; done <"$work/commands"

# registered KIND PREFIX: the names of a kind in `help` that begin so, of which there may be more than the program ships.
registered() {
    "$program" help | awk -v kind="$1" '
        /^topics/ { topics = 1; next }
        topics && /^$/ { exit }
        topics && /^  [a-z]/ { of = $1; $1 = "" }
        topics && of == kind { print }' | xargs -n 1 | grep "^$2" | xargs
}

# ---- completion in bash: what the words of a line, the last one unfinished, become.
completes() { # EXPECTED WORD...
    local expected=$1 got
    shift
    got=$(
        # shellcheck disable=SC1091 # installed
        source "$share/bash-completion/completions/taskvec"
        # shellcheck disable=SC2034 # read by the completion
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _taskvec
        echo "${COMPREPLY[*]}"
    )
    [[ $got == "$expected" ]] || fault "bash completes '$*' to '$got', expected '$expected'"
}
if command -v shellcheck >/dev/null; then
    shellcheck -s bash "$share/bash-completion/completions/taskvec" || fault "shellcheck complains of the completion"
fi
cd -- "$work"
mkdir folder && touch folder/a.cfg folder/b.txt
completes run taskvec ru
completes 'explain examples' taskvec ex
completes '--max-time' taskvec run --max
completes 'fit.method=' taskvec run -s fit.met
completes "$(registered methods l)" taskvec run -s fit.method = l
completes "$(registered shifts scale)" taskvec plan my.cfg -s evaluate.shift = scale
completes 'single half' taskvec run -s fit.contexts = ''
completes "$(registered problems spar)" taskvec help spar
completes 'fit.points' taskvec help fit.poi
completes 'markdown' taskvec table folder --format m
completes 'dispatch' taskvec bench disp
completes "$(sed -n 's#^experiments/\(controls/.*\)\.cfg$#\1#p' shipped | xargs)" taskvec examples contr
completes 'folder/a.cfg' taskvec plan folder/
completes 'folder' taskvec run folder/a.cfg -o fol
completes '' taskvec run -s fit.method = xyz
if command -v zsh >/dev/null; then
    zsh -n "$share/zsh/site-functions/_taskvec" || fault "zsh does not read its completion"
    # shellcheck disable=SC2016 # for zsh
    zsh -f -c 'compadd() { while [[ $1 == -* ]]; do if [[ $1 == -S ]]; then shift; fi; shift; done; print -r -- "$@"; }
        words=(taskvec plan -s fit.optimiser.name=) CURRENT=4; compset() { :; }; source "$1"' \
        zsh "$share/zsh/site-functions/_taskvec" >"$work/zsh" || fault "zsh completion fails"
    grep -qx 'adam lbfgs' "$work/zsh" || fault "zsh completes to: $(cat "$work/zsh")"
fi

# ---- examples: found by the installed program and by the one of the build; a copy runs where it is.
expect() { # CODE PATTERN ARGUMENTS
    local code=$1 pattern=$2 rc=0
    shift 2
    "$program" "$@" >out 2>&1 || rc=$?
    if [[ $rc != "$code" ]] || ! grep -qE -- "$pattern" out; then
        fault "taskvec $*: code $rc, expected $code and $pattern: $(cat out)"
    fi
}
expect 0 '^  quickstart +From a shipped model to the first table: LTV' examples
cp out list
"$build/taskvec" examples | diff list - || fault "the program of the build folder lists other examples"
(($(grep -c '^  [a-z]' list) == $(grep -c '\.cfg$' shipped))) || fault "not every config is listed: $(cat list)"
expect 0 '^next: cd copy && taskvec plan small/relu_net.cfg$' examples small/relu_net copy
(cd copy && find . -type f | sort) >out
diff - out <<'END' || fault "other files were copied"
./models/linear_d5.safetensors
./models/relu_net_d3.safetensors
./small/linear.cfg
./small/relu_net.cfg
END
(cd copy && "$program" plan --json small/relu_net.cfg) | grep -q '"name":"small-relu-net"' || fault "the copy cannot be planned"
expect 0 '^next: cd text && taskvec plan text/smollm2_quick.cfg$' examples text/smollm2_quick text # its base, tasks, no model
grep -q '^text/smollm2 is not shipped: the comments of the config say' out || fault "no word of the model: $(cat out)"
(cd text && find . -type f | sort) >found
grep -qx ./text/tasks/large/present-past.json found || fault "no tasks were copied: $(cat found)"
if grep -qvE '^./text/(smollm2(_quick)?\.cfg|tasks/.*\.json)$' found; then fault "other files were copied: $(cat found)"; fi
expect 0 '^next: cd words' examples text/pretrain_word_model words # a folder of tasks, and one of a tokenizer
(($(find words/text/tasks -name '*.json' | wc -l) == $(find "$source/experiments/text/tasks" -maxdepth 1 -name '*.json' | wc -l))) ||
    fault "not every task was copied: $(find words)"
cmp -s "$source/experiments/text/word_model/tokenizer.json" words/text/word_model/tokenizer.json || fault "no tokenizer was copied"
(cd words && "$program" plan --json text/pretrain_word_model.cfg) | grep -q '"name":"pretrain-word-model"' || fault "the words cannot be planned"
expect 0 '^next: cd copy' examples small/relu_net.cfg copy # again: the same content is left alone
expect 0 '^models/imported/linear.safetensors is not shipped' examples paper/imported_linear copy
echo '// mine' >>copy/small/linear.cfg
expect 65 'copy/small/linear.cfg exists with other content: choose another folder' examples small/linear copy
expect 64 'lienar: unknown example; taskvec examples lists them' examples lienar copy
expect 64 'linear: unknown example \(did you mean controls/linear\?\)' examples linear copy
expect 64 'examples: expected NAME DIR' examples quickstart
mkdir bare && cp "$program" bare/ # without its data
program=$work/bare/taskvec
expect 65 'no examples are installed with this program' examples
((faults == 0))
