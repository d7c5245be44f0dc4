#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154,SC2034 # variables of and for common.sh
# check_shared.sh BINARY [SOURCE] - jobs that share contexts: the bits of jobs that share none, on
# any number of ranks, with room for all contexts, for some and for none, and after kills; and each
# rank makes the contexts of a family once.
set -euo pipefail
. "$(dirname -- "$0")/common.sh" check_shared "$@"
config="$work/a folder/six.cfg"
cp -- "$here/six.cfg" "$config"

# contexts DIR FIELD: sum of this field (found, made) over all DONE lines.
contexts() {
    { grep -aoE "	$2=[0-9]+" "$1/journal" || true; } | sed 's/.*=//' | awk '{ n += $1 } END { print n + 0 }'
}

launch 0 run "$config" -o "$work/alone" --quiet --share-contexts no
((rc == 0)) || die "without sharing: code $rc"
wanted=$(digest_of "$work/alone")
(($(contexts "$work/alone" made) == 0)) || fault "contexts are counted although they are not shared"

for ranks in 0 1 2 3 5; do
    launch "$ranks" run "$config" -o "$work/on$ranks" --quiet
    expect_done "$ranks" "$work/on$ranks" "sharing"
done
launch 0 run "$config" -o "$work/here" --quiet --in-process
expect_done 0 "$work/here" "in the program itself"
# Once: both repeats of the fits, the prompts of the groups, test prompts with the bases of their own
# and of the next function, and at all 16 lengths with shuffled labels, where two chunks of 20 have the
# same empty contexts; for fv training prompts, the same with shuffled labels, validation prompts and
# their bases, for icv training prompts with a query; for the maps clean and shuffled prompts.
due=$((200 + 200 + 90 + 3 * 48 + 16 * 48 - 20 + 48 + 48 + 12 + 12 + 48 + 24 + 24))
for dir in on0 on1 here; do
    made=$(contexts "$work/$dir" made) found=$(contexts "$work/$dir" found)
    ((made == due)) || fault "$dir: $made contexts were made, not $due"
    ((found == 10858)) || fault "$dir: $found contexts were found, not 10858"
done

launch 0 status "$work/on1"
grep -qx "$due contexts made, 10858 found where an earlier job had made them" "$work/out" ||
    fault "status does not say which contexts were made and found"
launch 0 status "$work/alone"
if grep -q "contexts made" "$work/out"; then fault "status names contexts although none are shared"; fi

# Less memory than all contexts, and less than those of one fit.
for memory in 2M 700K; do
    launch 2 run "$config" -o "$work/in$memory" --quiet --memory "$memory"
    expect_done 2 "$work/in$memory" "in $memory"
done

for line in 12 60 400; do
    rm -rf -- "$work/killed"
    TASKVEC_INJECT=kill-all@event:$line launch 2 run "$config" -o "$work/killed" --quiet
    ((rc == 137)) || die "killed at line $line: code $rc, not 137"
    launch 2 run "$config" -o "$work/killed" --quiet
    expect_done 2 "$work/killed" "killed at line $line"
done
conclude "fits, groups, evaluations and maps: the same bits, and contexts made once"
