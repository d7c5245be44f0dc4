#!/usr/bin/env bash
# check_dummy.sh BINARY [SOURCE] - what tests/dummy/ adds to a registry, one file and one line, is in
# the help, in the checks of a config, in the plan, in the tables and in the digest.
set -euo pipefail
program=$(dirname -- "$(realpath -- "$1")")/taskvec_dummy
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
export ASAN_OPTIONS=detect_leaks=0
die() { echo "FAILED: $*"; exit 1; }

cat >dummy.cfg <<'END'
name = "dummy"; seed = 1; source = { problem = "linear"; dims = 2; };
stages = ( { stage = "estimate"; estimator = ["dummy", "averaging"]; dummy = { guess = [0.0, 1.5]; };
             points = 3; functions = 50; } );
END
"$program" run --help >help.txt
grep -q '| dummy' help.txt || grep -q ' dummy |' help.txt || die "estimator dummy is not in the help"
grep -q 'dummy.guess' help.txt || die "its key is not in the help"
grep -A 2 '^  dummy' help.txt | grep -q 'always the same number' || die "its meaning is not in the help"
"$program" plan dummy.cfg >plan.txt
(($(grep -c 'estimator=dummy' plan.txt) == 2)) || die "plan: $(cat plan.txt)"
"$program" plan dummy.cfg --resolved | grep -q 'guess' || die "its key is not in the resolved config"
if "$program" plan dummy.cfg -s estimate.dummy.guess=high >out 2>&1; then die "a guess of 'high' was taken"; fi
grep -q 'estimate.dummy.guess' out || die "$(cat out)"

timeout 120 "$program" run dummy.cfg -o run --quiet >/dev/null
"$program" table run estimate --format csv >rows
(($(grep -c '^dummy,guess=' rows) == 6)) || die "rows: $(cat rows)"
# At k = 0 every estimator says 0, whatever its guess; later 1.5 adds 1.5^2 to E[y^2] = 2, about.
awk -F, 'NR > 1 { mse[$1 $2 $6] = $8 } END {
    exit !(mse["dummyguess=1.50"] == mse["averaging0"] && mse["dummyguess=1.52"] > mse["dummyguess=0.02"] + 1) }' rows ||
    die "rows: $(cat rows)"
"$program" table run | grep -q '^dummy ' || die "not in the table: $("$program" table run)"
"$program" digest run >/dev/null
"$program" verify run >/dev/null || die "the jobs do not give the same bits again"
