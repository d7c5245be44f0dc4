#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154,SC2034 # variables of and for common.sh
# check_choose.sh BINARY [SOURCE] - the best learning rate by validation loss: an evaluation of the choice has
# the numbers of an evaluation of that fit; the bits are the same on 1, 2 and 3 ranks and after kills,
# those of a pretraining with validation too; a candidate that failed blocks its choice.
set -euo pipefail
. "$(dirname -- "$0")/../mpi/common.sh" check_choose "$@"
cd -- "$work/a folder"
write() { # FILE LINE-OF-CHOICE
    cat >"$1" <<END
name = "choose"; seed = 1; source = { problem = "linear"; dims = 2; };
stages = (
  { stage = "pretrain"; model = { layers = 2; heads = 2; width = 16; positions = 16; };
    points = 6; steps = 40; batch = 16; group = 2; checkpoint_every = 8; validation = { every = 6; prompts = 50; }; },
  { stage = "fit"; of = "pretrain"; method = ["ltv", "constant"]; repeat = [0, 1]; points = 6; prompts = 64;
    batch = 16; epochs = 5; optimiser = { lr = [30.0, 1e-2, 1e-1]; }; $2 },
  { stage = "evaluate"; of = "fit"; also = ["plain", "random"]; points = 8; functions = 16; }
);
END
}
write choice.cfg 'choose = { key = "optimiser.lr"; by = "validation"; };'
write all.cfg ''
COLUMNS=200 "$program" plan choice.cfg >plan.txt
grep -qE ' of fit_choice\[[0-9]\] \(constant\)' plan.txt || fault "plan: no method beside a choice: $(cat plan.txt)"

launch 0 run choice.cfg -o r1 --quiet
((rc == 0)) || die "one rank: code $rc"
wanted=$(digest_of r1)
for ranks in 2 3; do
    launch "$ranks" run choice.cfg -o "r$ranks" --quiet
    expect_done "$ranks" "r$ranks" "a whole run"
done
# The coordinator ends everything at a line of the journal: in the pretraining, before and after the first choices.
lines=$(grep -c '' r1/journal)
for at in 25 $((lines / 2)) $((lines * 3 / 4)); do
    rm -rf killed
    TASKVEC_INJECT=kill-all@event:$at launch 0 run choice.cfg -o killed --quiet
    ((rc == 137)) || die "killed at line $at of $lines: code $rc, not 137"
    launch 2 run choice.cfg -o killed --quiet
    expect_done 2 killed "killed at line $at of $lines"
done

# Tables: the least of the losses, and the evaluation of that fit in a run of all fits.
launch 0 run all.cfg -o all --quiet
((rc == 0)) || die "all fits: code $rc"
for table in fit_choice evaluate; do "$program" table r1 "$table" --format csv >"$table.csv"; done
for table in fit evaluate; do "$program" table all "$table" --format csv >"all_$table.csv"; done
"$program" table r1 --format csv >main.csv
python3 - <<'END' || fault "tables: see above"
import csv
read = lambda name: list(csv.DictReader(open(name + ".csv")))
fits, choices = read("all_fit"), read("fit_choice")
assert len(choices) == 4, len(choices)
chosen = {}
for row in choices:
    of = [f for f in fits if (f["method"], f["repeat"]) == (row["method"], row["repeat"])]
    losses = [float(f["validation_loss"]) for f in of]
    best = of[losses.index(min(losses))]
    assert row["key"] == "optimiser.lr" and row["candidates"] == "3", row
    assert row["values"] == "30.0, 0.01, 0.1" and float(row["chosen"]) == float(best["optimiser_lr"]), row
    told = [float(x) for x in row["losses"].split(", ")]
    assert all(abs(a - b) <= 1e-6 * abs(b) for a, b in zip(told, losses)), (told, losses)
    assert abs(float(row["validation_loss"]) - min(losses)) <= 1e-6 * min(losses), row
    chosen[row["method"], row["repeat"]] = row["chosen"]
def curve(rows, method, reading, repeat, rate):
    return [r["mse"] for r in rows if (r["method"], r["reading"], r["repeat"]) == (method, reading, repeat)
            and rate in (None, r.get("fit_optimiser_lr"))]
ours, theirs = read("evaluate"), read("all_evaluate")
assert "fit_optimiser_lr" in theirs[0] and "fit_optimiser_lr" not in ours[0], ours[0].keys()
for (method, repeat), rate in chosen.items():
    for name, reading in ((method, "heads" if method == "ltv" else ""),
                          ("random", "ltv.heads" if method == "ltv" else "constant")):
        a = curve(ours, name, reading, repeat, None)
        b = curve(theirs, name, reading, repeat, next(r["fit_optimiser_lr"] for r in theirs
                  if r["fit_optimiser_lr"] and float(r["fit_optimiser_lr"]) == float(rate)))
        assert len(a) == 8 and a == b, (name, reading, repeat, rate, a, b)
lines = [r for r in read("main") if r["method"] == "ltv"]  # the mean over repeats with their own choices
assert lines and all(r["repeats"] == "2" for r in lines), lines
told = {r["method"]: r["chosen_optimiser_lr"] for r in read("main")}  # in the order of the repeats
wanted = {m: ", ".join(dict.fromkeys(chosen[m, repeat] for repeat in "01")) for m in ("ltv", "constant")}
assert {m: told[m] for m in wanted} == wanted and told["plain"] == "", (told, wanted)
END
for form in text markdown latex; do
    COLUMNS=80 "$program" table r1 --format "$form" >"$work/out"
    grep -qE "^ *(method|\\|? ?method).* lr( |$)" "$work/out" || fault "$form: no column lr: $(cat "$work/out")"
    grep -qE "ltv heads.* $(python3 -c 'import csv
print(next(r["chosen_optimiser_lr"] for r in csv.DictReader(open("main.csv")) if r["method"] == "ltv"))')( |$)" "$work/out" ||
        fault "$form: no value of the choice: $(cat "$work/out")"
done
"$program" table r1 >"$work/out"
tr '\n' ' ' <"$work/out" | grep -q 'lr: chosen by validation loss' || fault "the note on lr: $(cat "$work/out")"

# The vector of a choice, and of its evaluation, is that of the chosen fit.
fit=$(python3 -c 'import csv
row = next(csv.DictReader(open("fit_choice.csv")))
print("fit[%d]" % row["values"].split(", ").index(row["chosen"]))')
"$program" artifact r1 "$fit" --edits fit.edits >/dev/null || fault "the edits of $fit: code $?"
for job in 'fit_choice[0]' 'evaluate[0]'; do
    "$program" artifact r1 "$job" --edits job.edits >/dev/null || fault "the edits of $job: code $?"
    python3 - <<'END' || fault "the edits of $job are not those of $fit"
import json
def read(name):
    data = open(name, "rb").read()
    size = int.from_bytes(data[:8], "little")
    about = json.loads(data[8:8 + size])
    about.pop("__metadata__")
    return about, data[8 + size:].lstrip(b"\0")
a, b = read("fit.edits"), read("job.edits")
assert a == b and len(a[0]) > 0, (a[0], b[0])
END
done
"$program" artifact r1 'fit_choice[0]' >"$work/out"
grep -q 'weights  .*weights of the method' "$work/out" || fault "no meaning of the weights: $(cat "$work/out")"

# A candidate that fails: its choice and what reads it wait, the others are made.
TASKVEC_INJECT=exit@job:1 launch 0 run choice.cfg -o failed --quiet
((rc == 1)) || fault "a failed candidate: code $rc, not 1"
"$program" explain failed 'fit_choice[0]' >"$work/out" 2>&1 || true
grep -q 'blocked by fit\[0\], which FAILED' "$work/out" || fault "a failed candidate: $(cat "$work/out")"
(($("$program" table failed fit_choice --format csv | grep -c optimiser.lr) == 3)) || fault "the other choices"
launch 0 run choice.cfg -o failed --quiet --retry-failed
expect_done 0 failed "after a failed candidate"
conclude "the best value by validation loss is evaluated, with the same bits on any ranks and after kills"
