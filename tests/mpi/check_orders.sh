#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154,SC2034 # variables of and for common.sh
# check_orders.sh BINARY [SOURCE] - one digest on 1, 2, 4 and 8 ranks, whether the longest or the
# shortest jobs are handed out first, and by groups of 1, 2 and 4: on each BLAS kernel that this machine
# has of Haswell's and SkylakeX's, compared within itself. Four of the 24 combinations, so that every value comes up;
# TASKVEC_LONG=1: all of them.
set -euo pipefail
. "$(dirname -- "$0")/common.sh" check_orders "$@"
. "$here/digest_runs.sh"
config="$work/a folder/tiny.cfg"
sed "s/shards = 2;/shards = 4;/" "$here/tiny.cfg" >"$config" # so that four ranks have a shard each
combinations=("1 longest 1" "2 shortest 2" "4 shortest 4" "8 longest 4")
if [[ -n ${TASKVEC_LONG:-} ]]; then
    combinations=()
    for ranks in 1 2 4 8; do
        for order in longest shortest; do
            for group in 1 2 4; do combinations+=("$ranks $order $group"); done
        done
    done
fi
if is_sanitised; then combinations=("2 shortest 2"); fi
kernels=()
if grep -qw avx2 /proc/cpuinfo; then kernels+=(Haswell); fi
if grep -qw avx512f /proc/cpuinfo && ! is_sanitised; then kernels+=(SkylakeX); fi
if ((${#kernels[@]} == 0)); then kernels=(""); fi # whatever OpenBLAS takes

# starts DIR: the jobs of a journal in the order in which they were started.
starts() { sed -n 's/^[^\t]*\tstart\t.*job=\([0-9a-f]*\).*/\1/p' "$1/journal"; }

combine() { # KERNEL RANKS ORDER GROUP
    local folder="$work/a folder/$*" began=$SECONDS parts
    launch "$2" run "$config" -o "$folder" --quiet --order "$3" -s "pretrain.group=$4" -s "shared.group=$4"
    expect_done "$2" "$folder" "$*"
    parts=$(journal shards "$folder" | awk '{ if (NF > n) n = NF } END { print n + 0 }')
    local most=$(($2 < $4 ? $2 : $4))
    ((parts == (most > 1 ? most : 0))) || fault "$*: groups of $parts ranks, not of $most"
    rm -rf -- "$folder"
    if [[ -n ${TASKVEC_LONG:-} ]]; then
        echo "check_orders: $1 kernels, $2 ranks, $3 first, groups of $4: $((SECONDS - began)) s"
    fi
}

digests=()
for kernel in "${kernels[@]}"; do
    if [[ -n $kernel ]]; then export OPENBLAS_CORETYPE=$kernel; fi
    for order in longest shortest; do
        launch 1 run "$config" -o "$work/a folder/$order" --quiet --order "$order"
        ((rc == 0)) || die "$kernel, $order first: code $rc"
    done
    wanted=$(digest_of "$work/a folder/longest")
    [[ $(digest_of "$work/a folder/shortest") == "$wanted" ]] || fault "$kernel: another digest with the shortest first"
    cmp -s <(starts "$work/a folder/longest") <(starts "$work/a folder/shortest") &&
        fault "$kernel: both orders started the jobs alike: this test cannot tell"
    for combination in "${combinations[@]}"; do
        # shellcheck disable=SC2086 # three words
        combine "${kernel:-plain}" $combination
    done
    digests+=("${kernel:-plain} $wanted")
    rm -rf -- "$work/a folder/longest" "$work/a folder/shortest"
done
if [[ -n ${TASKVEC_LONG:-} ]]; then printf 'check_orders: digest of %s\n' "${digests[@]}"; fi
conclude "one digest on each of ${#kernels[@]} kernels (${kernels[*]}) for ${#combinations[@]} combinations of ranks," \
    "order and groups"
