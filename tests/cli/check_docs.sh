#!/usr/bin/env bash
# check_docs.sh BINARY SOURCE - docs/methods.md has one section for every method, control, problem,
# shift and estimator that the program registers, and no section for another name; links within the
# page lead to a heading; the skeletons of docs/extending.md are the files of tests/dummy; scripts that examples call can be executed.
# What is registered but not yet described fails in CI only, so that the tests pass while something is added.
set -euo pipefail
binary=$1 page=$2/docs/methods.md
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
failed=0
fault() { echo "FAILED: $*"; failed=1; }
undescribed() { if [[ -n ${CI:-} ]]; then fault "$*"; else echo "NOTE: $*"; fi; }

names=$("$binary" help | awk '
    /^topics/ { topics = 1; next }
    topics && /^$/ { exit }
    topics && /^  [a-z]/ { kind = $1; $1 = "" }
    topics && kind ~ /^(methods|controls|problems|shifts|estimators)$/ { print }' | xargs -n 1 | sort)
(($(wc -l <<<"$names") > 30)) || fault "taskvec help lists too few names: $names"

headings=$(sed -nE 's/^### [^A-Za-z0-9 ]([a-z0-9_]+)[^A-Za-z0-9 ]$/\1/p' "$page" | sort)
missing=$(comm -23 <(printf '%s\n' "$names") <(printf '%s\n' "$headings"))
unknown=$(comm -13 <(printf '%s\n' "$names") <(printf '%s\n' "$headings"))
[[ -z $missing ]] || undescribed "$page has no section for: $missing"
[[ -z $unknown ]] || fault "$page has a section for what is not registered, or two of one name: $unknown"

# ---- scripts that an example calls directly can be executed.
while read -r script; do
    [[ -x $2/$script ]] || fault "$script: an example of the docs calls it, but it cannot be executed: chmod +x"
done < <(sed -nE 's#^    ((analysis|experiments|slurm|tests)/[^ ]*\.(py|sh)).*#\1#p' "$2"/README.md "$2"/docs/*.md | sort -u)

# GitHub makes anchors of headings: lower case, without punctuation, spaces as hyphens.
anchors=$(sed -nE 's/^#+ (.*)$/\1/p' "$page" | tr '[:upper:] ' '[:lower:]-' | tr -cd 'a-z0-9_\n-')
while read -r link; do
    grep -qxF -- "$link" <<<"$anchors" || fault "$page: no heading for the link #$link"
done < <(grep -oE '\]\(#[^)]*\)' "$page" | sed -E 's/^\]\(#(.*)\)$/\1/')

# A block of C code in docs/extending.md that follows a line with a file's name in backquotes is that file.
extending=$2/docs/extending.md
compared=0
while read -r file; do
    awk -v file="$file" '
        index($0, "`" file "`") { found = 1 }
        /^```$/ && inside { exit }
        inside { print }
        /^```c$/ && found { inside = 1 }' "$extending" >"$work/skeleton"
    diff "$work/skeleton" "$2/$file" || fault "$extending: its skeleton differs from $file"
    compared=$((compared + 1))
done < <(grep -oE '^`tests/dummy/[a-z_]*\.c`' "$extending" | tr -d '`')
((compared >= 4)) || fault "$extending has $compared skeletons, not one for a problem, a method, an estimator and a model family"
exit "$failed"
