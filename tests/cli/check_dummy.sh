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
"$program" help >help.txt
grep -qE '^  estimators .*dummy|^ +.* dummy$' help.txt || die "estimator dummy is not in the help"
"$program" help dummy >help.txt
grep -q 'dummy.guess' help.txt || die "its key is not in the help"
for meaning in 'always the same number' 'learns one number' 'y = a with a ~ N'; do
    grep -qi "$meaning" help.txt || die "'$meaning' is not in the help"
done
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
"$program" table run | grep -q '^ *dummy ' || die "not in the table: $("$program" table run)"
"$program" digest run >/dev/null
"$program" verify run >/dev/null || die "the jobs do not give the same bits again"

# A problem and a method, from the config to the table.
cat >both.cfg <<'END'
name = "both"; seed = 1; source = { problem = "dummy"; dims = 2; };
stages = (
  { stage = "pretrain"; model = { layers = 1; heads = 2; width = 8; positions = 24; }; points = 4;
    batch = 16; shards = 1; steps = 200; optimiser = { lr = 1e-2; }; },
  { stage = "fit"; of = "pretrain"; method = ["dummy", "constant"]; dummy = { start = [0.0, 0.5]; }; points = 6;
    prompts = 64; batch = 16; epochs = 3; },
  { stage = "evaluate"; of = "fit"; also = ["plain", "window"]; points = 6; functions = 50; }
);
END
timeout 120 "$program" run both.cfg -o both --quiet >/dev/null
"$program" table both evaluate --format csv >rows
(($(grep -c '^dummy,' rows) == 12)) || die "rows: $(cat rows)"
# The model has learned that y is what it was: after 3 examples well below E[y^2] = 1.
awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i }
    $1 == "plain" && $at["k"] == 3 { exit !($at["mse"] < 0.2 && $at["source"] == "dummy") }' rows ||
    die "rows: $(cat rows)"
# A real key of its own is in the help, an axis of the config, and scales the errors with the same draws.
"$program" help dummy | grep -q 'source.spread' || die "source.spread is not in the help"
if "$program" plan both.cfg -s source.spread=0 >out 2>&1; then die "a spread of 0 was taken"; fi
cat >spread.cfg <<'END'
name = "spread"; seed = 1; source = { problem = "dummy"; dims = 2; spread = [1.0, 2.5]; };
stages = ( { stage = "estimate"; estimator = "averaging"; points = 3; functions = 20; } );
END
timeout 120 "$program" run spread.cfg -o spread --quiet >/dev/null
"$program" table spread estimate --format csv >rows
awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i }
    $at["k"] == 0 { mse[$at["source_spread"]] = $at["mse"] }
    END { d = mse["2.5"] / (6.25 * mse["1"]) - 1; exit !(d * d < 1e-10) }' rows || die "spread: $(cat rows)"
"$program" table both | grep -q '^ *dummy ' || die "not in the table: $("$program" table both)"
# Compared with plain and the controls in every range of k, in text, CSV and results.h5, for both starts.
"$program" table both --compare --format csv >compared
for against in plain constant window; do
    awk -F, -v against="$against" 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i }
        $at["method"] == "dummy" && $at["against"] == against && $at["difference"] != "" { n[$at["range"]]++ }
        END { exit !(n["below d"] == 2 && n["in range"] == 2 && n["beyond"] == 2) }' compared ||
        die "dummy against $against: $(cat compared)"
done
"$program" table both --compare | grep -qE '^ *dummy .* window ' || die "not compared: $("$program" table both --compare)"
"$program" report both -o both.html
grep -q '"dummy"' both.html || die "not on the page of the report"
"$program" verify both >/dev/null || die "the jobs do not give the same bits again"
