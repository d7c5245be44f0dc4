#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154,SC2034 # variables of and for common.sh
# check_fold.sh BINARY [SOURCE] - fits that differ only in keys that their method does not read are one job:
# plan says so, tables have empty cells, a change of such a key runs nothing; a run that an earlier program began
# keeps its jobs.
set -euo pipefail
. "$(dirname -- "$0")/../mpi/common.sh" check_fold "$@"
cd -- "$work/a folder"
cat >fold.cfg <<'END'
name = "fold"; seed = 1; source = { problem = "linear"; dims = 2; };
stages = (
  { stage = "pretrain"; model = { layers = 2; heads = 2; width = 16; positions = 24; };
    points = 6; steps = 20; batch = 8; },
  { stage = "fit"; of = "pretrain"; method = ["ltv", "constant", "fv", "icv"]; points = [6, 8, 10];
    repeat = [0, 1]; prompts = 40; batch = 16; epochs = 2; optimiser = { lr = [1e-2, 1e-3]; }; },
  { stage = "evaluate"; of = "fit"; also = "plain"; points = 10; functions = 8; }
);
END
says() { # WHAT LINE FILE
    grep -qFx -- "$2" "$3" || fault "$1: no line \"$2\" in: $(cat "$3")"
}

launch 0 plan fold.cfg
((rc == 0)) || die "plan: code $rc: $(cat "$work/err")"
tr '\n' ' ' <"$work/out" >all
grep -q '58 jobs: pretrain 1, fit 28, evaluate 29 ' all || fault "plan: $(tail -n 8 "$work/out")"
grep -q 'fit: 20 of 48 points repeat the work of another one and are no jobs: fv, icv do not read points, optimiser.lr\.' all ||
    fault "plan does not say what was folded: $(tail -n 8 "$work/out")"
launch 0 plan fold.cfg --json
python3 -c 'import json, sys
folded = json.load(sys.stdin)["folded"]
assert folded["fit"]["points"] == 48 and folded["fit"]["kept"] == 28, folded' <"$work/out" || fault "plan --json"

launch 0 plan fold.cfg --summary
(($(wc -l <"$work/out") == 10)) || fault "plan --summary: $(cat "$work/out")"
grep -q '^jobs .* evaluate 29; fit: 20 of 48 points .*: fv, icv do not read points, optimiser.lr\.$' "$work/out" ||
    fault "plan --summary does not say what was folded: $(cat "$work/out")"

launch 2 run fold.cfg --quiet
((rc == 0)) || die "run: code $rc: $(cat "$work/err")"
for table in fit evaluate ''; do
    # shellcheck disable=SC2086 # no table is the main one
    "$program" table results/fold $table --format csv >"$work/table$table.csv"
    # shellcheck disable=SC2086
    "$program" table results/fold $table --format json >"$work/table$table.json"
done
python3 - "$work" <<'END' || fault "tables"
import csv, json, sys
for name, points, lr in ("fit", "points", "optimiser_lr"), ("evaluate", "fit_points", "fit_optimiser_lr"), \
        ("", "fit_points", "fit_optimiser_lr"):
    rows = list(csv.DictReader(open(f"{sys.argv[1]}/table{name}.csv", newline="")))
    read = [r for r in rows if r["method"] in ("ltv", "constant")]
    not_read = [r for r in rows if r["method"] in ("fv", "icv")]
    assert read and not_read, name
    assert {r[points] for r in read} == {"6", "8", "10"} and {r[lr] for r in read} == {"0.01", "0.001"}, name
    assert {(r[points], r[lr]) for r in not_read} == {("", "")}, (name, not_read[0])
    rows = json.load(open(f"{sys.argv[1]}/table{name}.json"))
    if isinstance(rows, dict):
        rows = rows["rows"]
    for r in rows:
        if r["method"] in ("fv", "icv"):
            assert r[points] is None and r[lr] is None, (name, r)
assert len(list(csv.DictReader(open(f"{sys.argv[1]}/tablefit.csv", newline="")))) == 28
END

# Other values of keys that are not read: the same jobs. Of keys that are read: other jobs.
states() { # ARGUMENTS...: how many of the fits are DONE
    "$program" plan fold.cfg "$@" --csv -o results/fold 2>/dev/null | grep -c '^[0-9]*,fit\[.*,DONE,' || true
}
(($(states -s fit.method=fv,icv -s fit.optimiser.lr=0.5 -s fit.epochs=9 -s fit.points=7) == 4)) || fault "fv and icv with other keys"
(($(states -s fit.method=fv -s fit.prompts=41) == 0)) || fault "fv with other prompts is DONE"
(($(states -s fit.method=ltv -s fit.optimiser.lr=0.5) == 0)) || fault "ltv with another lr is DONE"
label=$("$program" plan fold.cfg --csv 2>/dev/null | sed -n 's/^[0-9]*,\(fit\[[0-9]*\]\),.*method=fv.*/\1/p' | head -n 1)
"$program" explain results/fold "$label" >out || fault "explain $label"
grep -q '^  it does not read points, epochs, .*optimiser.lr, .*, which are no part of its identity$' out ||
    fault "explain $label: $(cat out)"

# A run that a program before 0.3.0 began: its journal begins like this, and its 48 fits stay what they were.
mkdir old
printf '13b0ae1a727c7e70\tjournal\tversion=1\n' >old/journal
launch 0 run fold.cfg -o old --quiet
((rc == 0)) || die "run in an old folder: code $rc: $(cat "$work/err")"
"$program" status old >out
says "status old" 'fold: 98 jobs, 98 DONE; 1 attempt' out
"$program" table old fit --format csv >old.csv
grep -q '^icv,,10,6,1,' old.csv || fault "table of an old folder: $(tail -n 3 old.csv)"
launch 0 plan fold.cfg -o old
grep -q 'old: begun by a taskvec before 0.3.0.* 20 points .* stay jobs of their own' "$work/err" || fault "plan for an old folder: $(cat "$work/err")"
label=$("$program" plan fold.cfg -o old --csv 2>/dev/null | sed -n 's/^[0-9]*,\(fit\[[0-9]*\]\),.*method=fv.*/\1/p' | head -n 1)
"$program" explain old "$label" >out || fault "explain $label in an old folder"
grep -q '^  it does not read points, epochs, .*, which identify it in this run, because a taskvec before 0.3.0 began it$' out ||
    fault "explain $label in an old folder: $(cat out)"
# The identities are those that revision 79b0b91 planned.
sum=$("$program" plan fold.cfg -o old --csv 2>/dev/null | cut -d , -f 3 | sed 1d | sha256sum)
[[ $sum == d52775ca9a29bac0* ]] || fault "identities in an old folder: $sum"
conclude "fits that differ in keys that are not read are one job"
