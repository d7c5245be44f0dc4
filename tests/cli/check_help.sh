#!/usr/bin/env bash
# check_help.sh BINARY [SOURCE] - `taskvec help TOPIC` answers in one screen for every topic, suggests
# the nearest for an unknown one, and docs/config.md holds what `help --markdown` prints. Descriptions of what
# is just being added fail in CI only: a page without a full stop, a meaning that is no sentence, docs/config.md.
# shellcheck disable=SC2016 # backquotes of Markdown
set -euo pipefail
(($#)) || { echo "usage: check_help.sh BINARY [SOURCE]" >&2; exit 64; }
program=$(realpath -- "$1")
source=$(cd -- "${2:-$(dirname -- "$0")/../..}" && pwd)
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
faults=0 checks=0

fault() {
    echo "$*"
    sed 's/^/    > /' out
    faults=$((faults + 1))
}

undescribed() {
    if [[ -n ${CI:-} ]]; then fault "$@"; else echo "NOTE: $*"; fi
}

# expect CODE PATTERN ARGUMENTS: exit code, a matching line, and one screen of at most 100 columns.
expect() {
    local code=$1 pattern=$2 rc=0
    shift 2
    "$program" "$@" >out 2>&1 || rc=$?
    checks=$((checks + 1))
    if [[ $rc != "$code" ]] || ! grep -qE -- "$pattern" out; then
        fault "taskvec $*: code $rc, expected $code and: $pattern"
    fi
    (($(wc -l <out) <= 44 && $(wc -L <out) <= 100)) || fault "taskvec $*: more than 44 lines or 100 columns"
}

expect 0 '^  run +CFG' help
expect 0 '^  methods +ltv constant' help
expect 0 'help +\[TOPIC\]' --help
expect 0 'usage: taskvec run' help run
expect 0 'taskvec help STAGE' run --help
expect 0 '^  patience = 7 +Epochs' help fit
expect 0 'with optimiser.name=adam:.* optimiser.lr' help fit
expect 0 '^points \(stage effects\)$' help points
expect 0 '^points \(stage fit\)$' help fit.points
expect 0 '1 \.\. 1000000 \[points\]; required; axis' help fit.points
expect 0 'not an axis' help fit.batch
expect 0 '^optimiser.lr \(stages pretrain, fit\)$' help optimiser.lr
expect 0 'optimiser.name=adam' help fit.optimiser.lr
expect 0 '^optimiser.lr \(stages pretrain, fit\)$' help lr
expect 0 '^two_layer_net.lr \(stage estimate\)$' help lr
expect 0 '^  optimiser.beta1 = 0.9 ' help optimiser
expect 0 'arXiv:2502.05390' help ltv
expect 0 '^  ltv.init = 0.1 ' help ltv
expect 0 '^control window \(key also\)$' help window
expect 0 '^  source.sparsity = 3 ' help sparse_linear
expect 0 '^  noisy.sigma = 1.0 ' help noisy
expect 0 '^  lasso.alpha = 0.01 ' help lasso
expect 0 '^  skewed +' help shift
expect 0 '^  mismatched +' help controls
expect 0 'advance together' help zip
expect 64 'help: FIT: unknown topic \(did you mean fit\?\)' help FIT
expect 64 'help: fot: unknown topic \(did you mean fit\?\)' help fot
expect 64 'help: fit.pionts: unknown key \(did you mean fit.points\?\)' help fit.pionts
expect 64 'help: fit.xyzzyxyzzy: unknown key; taskvec help fit' help fit.xyzzyxyzzy
expect 64 'help: skewd: unknown topic \(did you mean skewed\?\)' help skewd
expect 64 'help: xyzzyxyzzy: unknown topic; taskvec help' help xyzzyxyzzy
expect 64 'one argument too many' help fit points

# ---- every key of every stage, and every name of a registry, has a page.
"$program" help --markdown >reference.md
"$program" help >overview
keys=$(sed -n 's/^| `\([a-z0-9_.]*\)` |.*/\1/p' reference.md | sort -u)
names=$(sed -n '/^topics/,/^  keys/p' overview | sed '1d;$d' | sed -E 's/^  (stages|methods|controls|problems|shifts|estimators) / /')
for topic in $keys $names; do
    expect 0 . help "$topic"
    grep -q '\.$' out || undescribed "taskvec help $topic: no sentence ends in a full stop"
done
((checks > 100)) || fault "only $checks checks: topics were not found"

# ---- each meaning is one sentence: a capital or a formula at its start, one full stop at its end.
sed -n 's/^| `[a-z0-9_.]*` |.*| \([^|]*\) |$/\1/p' reference.md |
    sed -E 's/ Exists where `[^`]*`\.$//' | grep -vE '^[A-Z].*[^.]\.$' >out || true
[[ ! -s out ]] || undescribed "meanings that are no sentence"

# ---- docs/config.md ends in what the program prints.
sed -n '/^<!-- From here to the end/,$p' "$source/docs/config.md" | sed '1,2d' >documented
checks=$((checks + 1))
diff documented reference.md >out || undescribed "docs/config.md differs from the output of taskvec help --markdown: replace its last part"

((faults == 0)) || { echo "$faults of $checks checks failed"; exit 1; }
echo "$checks checks of help"
