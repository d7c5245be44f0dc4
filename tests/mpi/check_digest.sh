#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154,SC2034 # variables of and for common.sh
# check_digest.sh BINARY [SOURCE] - the same bits in process and on any number of ranks, with two memory
# budgets, with another BLAS kernel (compared within itself), and after all processes were killed and the
# run resumed. More ranks, orders and groups: check_orders.sh; more kills: check_kills.sh.
set -euo pipefail
. "$(dirname -- "$0")/common.sh" check_digest "$@"
. "$here/digest_runs.sh"
config="$work/a folder/tiny.cfg"
cp -- "$here/tiny.cfg" "$config"
rank_counts=(3 5) kills=4 seed=${TASKVEC_TEST_SEED:-1}
kill_ranks=(3 0 2 5 1) resume_ranks=(2 3 1 0 5)
if is_sanitised; then rank_counts=(3) kills=2; fi

first="$work/a folder/first"
launch 0 run "$config" -o "$first" --quiet
((rc == 0)) || die "a plain start: code $rc"
wanted=$(digest_of "$first")
journal check "$first"
lines=$(journal lines "$first")

least=$(bytes_for_least) || die "no budget can be chosen: $least"
same_bits "in process" 0 --in-process
same_bits "little memory" 0 --memory "$least"
for ranks in "${rank_counts[@]}"; do same_bits "ranks $ranks" "$ranks"; done
same_bits "little memory, 3 ranks" 3 --memory "$least"
kills_and_resumes "$lines" "$kills" "$seed"
resumed_from_checkpoint "$first"

# Killed when all is done but results.h5 is not yet there: nothing is left to do but that.
last="$work/a folder/last"
TASKVEC_INJECT=kill-all@event:$((lines - 1)) launch 2 run "$config" -o "$last" --quiet
((rc == 137)) || die "killed at the last line: code $rc, not 137"
launch 0 run "$config" -o "$last" --quiet
expect_done 0 "$last" "killed at the last line"
[[ -s "$last/results.h5" ]] || die "results.h5 is missing"

# The bits of another kernel are other bits, and the same among themselves.
if grep -qw avx2 /proc/cpuinfo && ! is_sanitised; then
    export OPENBLAS_CORETYPE=Haswell
    launch 0 run "$config" -o "$work/a folder/haswell" --quiet
    ((rc == 0)) || die "on Haswell kernels: code $rc"
    wanted=$(digest_of "$work/a folder/haswell")
    same_bits "haswell, 3 ranks" 3
    same_bits "haswell, little memory" 2 --memory "$least"
fi
conclude "one digest in process, plainly, on ${rank_counts[*]} ranks, with $least bytes, and after" \
    "kills of everything at $kills positions (seed $seed)"
