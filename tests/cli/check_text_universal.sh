#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154 # common.sh, find_python.sh
# check_text_universal.sh BINARY [SOURCE] - experiments/text/heads.cfg cut down: universal heads are the mean of the maps of one
# measure, those of other measures are not read, and function vectors of these heads are fitted and evaluated.
set -euo pipefail
. "$(dirname -- "$0")/../mpi/common.sh" check_text_universal "$@"
cd -- "$work/a folder"
cat >cut.cfg <<END
base = "$source_dir/experiments/text/heads.cfg";
source = { task = ["$source_dir/experiments/text/tasks/uppercase.json", "$source_dir/experiments/text/tasks/present-past.json",
                   "$source_dir/experiments/text/tasks/singular-plural.json"]; };
END
launch 2 run cut.cfg --quiet -o heads -s maps.prompts=10 -s learned.repeat=0 -s learned.prompts=16 -s learned.epochs=1 \
    -s own.prompts=16 -s own.fv.prompts=6 -s shared.prompts=16 -s evaluate.functions=8 -s ablation.functions=8
((rc == 0)) || die "run: code $rc: $(cat "$work/err")"
for stage in maps universal shared evaluate; do
    launch 0 table heads "$stage" --format csv
    ((rc == 0)) || die "table $stage: code $rc"
    cp "$work/out" "$stage.csv"
done
python3 - <<'END' || fault "rows"
import csv

def rows(stage):
    with open(f"{stage}.csv") as f:
        return list(csv.DictReader(f))

maps, universal = rows("maps"), rows("universal")
assert {r["measure"] for r in maps} == {"patching", "gradient", "induction"}
tasks = [r for r in universal if r["source"] != "all"]
assert {r["source"] for r in tasks} == {"uppercase", "present-past", "singular-plural"}, tasks
used = [r["source"] for r in tasks if r["used"] == "1"]
assert used, tasks
effects = {}
for r in maps:
    if r["measure"] == "gradient" and r["source"] in used:
        effects.setdefault((r["layer"], r["head"]), []).append(float(r["effect"]))
means = {head: sum(values) / len(values) for head, values in effects.items()}
assert len(means) == 48 and all(len(values) == len(used) for values in effects.values())
heads = [r for r in universal if r["source"] == "all"]
assert [(r["layer"], r["head"]) for r in heads] == sorted(means, key=means.get, reverse=True)[:10], heads
for r in heads:
    want = means[r["layer"], r["head"]]
    assert abs(float(r["effect"]) - want) <= 1e-3 * abs(want), (r, want)
assert len(rows("shared")) == 3, "a fit of each task"
assert sum(r["job"].startswith("evaluate") and r["method"] == "fv" for r in rows("evaluate")) >= 9
END
# The map draws whole maps alone, not the few rows of universal heads.
. "$source_dir/tests/cli/find_python.sh"
if python=$(find_python "h5py, matplotlib, numpy"); then
    MPLCONFIGDIR=$work "$python" "$source_dir/analysis/head_map.py" heads -o map.png --data map.csv >/dev/null || fault "head_map.py"
    if grep -q '^all,' map.csv; then fault "universal heads are drawn as a map: $(grep '^all,' map.csv | head -2)"; fi
    (($(grep -c '^uppercase,attribution,' map.csv) == 48)) || fault "the map of attributions: $(head -3 map.csv)"
fi
conclude "universal heads of text are means over tasks, of one measure"
