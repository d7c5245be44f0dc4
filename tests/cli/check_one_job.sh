#!/usr/bin/env bash
# check_one_job.sh BINARY - what is printed about a run of one job that failed, and of one that is done: one of
# something is in the singular, and NaN has no sign.
set -euo pipefail
program=$(realpath -- "$1")
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
failed=0

# singular COMMAND...: no "1 jobs", "1 rows" or "-nan" in what it prints; whether it succeeds does not matter.
singular() {
    "$program" "$@" >out 2>&1 || true
    [[ -s out ]] || { echo "taskvec $*: printed nothing"; failed=1; }
    if grep -nE '(^|[^0-9.])1 [a-z]+s($|[^a-z])|-nan' out | grep -vE '1 (s|is|was|has)([^a-z]|$)'; then
        echo "taskvec $*: a plural for one, or a NaN with a sign:"
        sed 's/^/    > /' out
        failed=1
    fi
}

cat >nan.cfg <<'END'
name = "nan"; seed = 1; source = { problem = "linear"; dims = 2; };
stages = ( { stage = "pretrain"; model = { layers = 1; heads = 1; width = 8; positions = 32; }; points = 8; batch = 4;
             shards = 1; steps = 10; optimiser = { epsilon = 0.0; }; } );
END
cat >one.cfg <<'END'
name = "one"; seed = 1; source = { problem = "linear"; dims = 1; };
stages = ( { stage = "estimate"; estimator = "averaging"; points = 1; functions = 1; } );
END
for name in nan one; do
    for command in "plan $name.cfg" "run $name.cfg -o $name" "run $name.cfg -o $name" "status $name" "explain $name" \
        "fsck $name" "verify $name" "digest $name" "table $name" "plan $name.cfg -o $name"; do
        # shellcheck disable=SC2086 # words
        singular $command
    done
done
"$program" status nan | grep -q 'the loss is nan' || { echo "no reason with nan"; failed=1; }
sed 's/name = "one"/name = "other"/' one.cfg >other.cfg
singular run other.cfg -o one
exit "$failed"
