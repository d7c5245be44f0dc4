#!/usr/bin/env bash
# check_docs.sh BINARY SOURCE - docs/methods.md has one section for every method, control, problem,
# shift and estimator that the program registers, and no section for another name; links within the
# page lead to a heading.
set -euo pipefail
binary=$1 page=$2/docs/methods.md
failed=0
fault() { echo "FAILED: $*"; failed=1; }

names=$("$binary" help | awk '
    /^topics/ { topics = 1; next }
    topics && /^$/ { exit }
    topics && /^  [a-z]/ { kind = $1; $1 = "" }
    topics && kind ~ /^(methods|controls|problems|shifts|estimators)$/ { print }' | xargs -n 1 | sort)
(($(wc -l <<<"$names") > 30)) || fault "taskvec help lists too few names: $names"

headings=$(sed -nE 's/^### [^A-Za-z0-9 ]([a-z0-9_]+)[^A-Za-z0-9 ]$/\1/p' "$page" | sort)
missing=$(comm -23 <(printf '%s\n' "$names") <(printf '%s\n' "$headings"))
unknown=$(comm -13 <(printf '%s\n' "$names") <(printf '%s\n' "$headings"))
[[ -z $missing ]] || fault "$page has no section for: $missing"
[[ -z $unknown ]] || fault "$page has a section for what is not registered, or two of one name: $unknown"

# GitHub makes anchors of headings: lower case, without punctuation, spaces as hyphens.
anchors=$(sed -nE 's/^#+ (.*)$/\1/p' "$page" | tr '[:upper:] ' '[:lower:]-' | tr -cd 'a-z0-9_\n-')
while read -r link; do
    grep -qxF -- "$link" <<<"$anchors" || fault "$page: no heading for the link #$link"
done < <(grep -oE '\]\(#[^)]*\)' "$page" | sed -E 's/^\]\(#(.*)\)$/\1/')
exit "$failed"
