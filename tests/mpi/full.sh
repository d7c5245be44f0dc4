#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154,SC2034 # variables of and for common.sh
# full.sh BINARY [SOURCE] [CONFIG] - check_digest.sh's runs on experiments/quickstart.cfg (or on
# CONFIG), with their times. Takes a good while, so ctest does not know it.
set -euo pipefail
. "$(dirname -- "$0")/common.sh" full "${1:-}" "${2:-}"
. "$here/digest_runs.sh"
config=${3:-$source_dir/experiments/quickstart.cfg}
[[ -r $config ]] || die "$config cannot be read"
limit=3600 seed=${TASKVEC_TEST_SEED:-1} kills=${TASKVEC_TEST_KILLS:-10}
kill_ranks=(3 0 2 5 1) resume_ranks=(2 3 1 0 5)
last=$SECONDS

say() {
    printf 'full: %5d s  %s\n' $((SECONDS - last)) "$*"
    last=$SECONDS
}

printf 'full: %s on %s, %s\n' "$(basename -- "$config")" "$(nproc) cores" \
    "$("$program" --version | sed -n 's/^blas *//p')"
first="$work/a folder/first"
launch 0 run "$config" -o "$first" --quiet
((rc == 0)) || die "a plain start: code $rc"
wanted=$(digest_of "$first")
journal check "$first"
lines=$(journal lines "$first")
say "plain start, $lines lines in the journal, digest $wanted"
least=$(bytes_for_least) || die "no budget can be chosen: $least"
for ranks in 1 2 3 5; do
    same_bits "ranks $ranks" "$ranks"
    say "$ranks ranks"
done
same_bits "in process" 0 --in-process
say "in process"
same_bits "little memory" 2 --memory "$least"
say "2 ranks with $least bytes each: contexts recomputed"
kills_and_resumes "$lines" "$kills" "$seed"
say "$killed kills of everything in $kills runs (seed $seed), each resumed on another rank count"
launch 0 run "$config" -o "$first" --quiet
((rc == 0)) || die "a second start of a finished run: code $rc"
say "a second start when all is done"
conclude "one digest everywhere, and no DONE job was run again, in $SECONDS s"
