#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154,SC2034 # variables of and for common.sh
# check_text_heads.sh BINARY [SOURCE] - weights of heads, agreement of orders and ablation on text prompts of a tiny language
# model: the same bits on 1, 2 and 3 ranks and after a kill; what each job reads; and one line for what has no meaning.
set -euo pipefail
. "$(dirname -- "$0")/common.sh" check_text_heads "$@"
home="$work/a folder"
config="$home/text.cfg"
python3 "$here/make_text_model.py" "$home/model"
mv "$home/model/capital.task" "$home/capital.json"
mv "$home/model/number.task" "$home/number.json"
cat >"$config" <<'END'
name = "text"; seed = 5;
model = { checkpoint = "model"; };
source = { kind = "text"; task = ["capital.json", "number.json"]; };
stages = ( { stage = "fit"; method = ["ltv", "constant"]; points = 1; basis_points = 4; basis = "mean"; repeat = [0, 1];
             prompts = 20; batch = 6; epochs = 3; optimiser = { lr = .05; }; },
           { stage = "effects"; points = 5; prompts = 10; chunk = 4; measure = ["patching", "induction"]; repeated = 7; },
           { stage = "head_weights"; of = "fit"; },
           { stage = "agreement"; of = ["effects", "head_weights"]; },
           { stage = "ablation"; of = ["effects", "head_weights"]; points = 5; prompts = 10; functions = 20; chunk = 6;
             mean = ["task", "shuffled"]; draws = 2; shares = [.1, .3, 1]; rankings = ["patching", "induction", "change", "random"]; } );
END

one="$home/one"
expect_same_bits "$config" "$home" 20
for stage in head_weights agreement ablation; do
    launch 0 table "$one" "$stage" --format csv
    ((rc == 0)) || die "table $stage: code $rc"
    cp "$work/out" "$work/$stage.csv"
done
python3 - "$work" <<'END' || fault "rows"
import csv, itertools, math, sys

def rows(stage):
    with open(f"{sys.argv[1]}/{stage}.csv") as f:
        return list(csv.DictReader(f))

weights, agreement, ablation = rows("head_weights"), rows("agreement"), rows("ablation")
assert len(weights) == 2 * 2 * 12 and {r["method"] for r in weights} == {"ltv"}, "two fits of each task, 12 heads"
for r in weights:
    assert math.isclose(float(r["change"]), float(r["weight"]) - float(r["initial"]), abs_tol=1e-12), r

# A job for each task: causal map, induction, and of both fits the weights and their change.
assert len(agreement) == 2 * 6 * 5 // 2 and {r["source"] for r in agreement} == {"capital", "number"}
between = [r for r in agreement if r["ranking"] == r["other"] == "change"]
assert len(between) == 2 and {(r["repeat"], r["other_repeat"]) for r in between} == {("0", "1")}, between
assert all(r["heads"] == "12" and r["top"] == "1" and math.isclose(float(r["expected"]), 1 / 12) for r in agreement)

# For both means: 4 maps and 2 random orders; each map without those of another kind: 2 x (induction, 2 changes, and so on).
assert len(ablation) == 2 * 2 * (1 + 3 * (4 + 2 + 3 + 3 + 2 + 2)), len(ablation)
ends = set()
for task, mean in itertools.product(["capital", "number"], ["task", "shuffled"]):
    of = [r for r in ablation if (r["source"], r["mean"]) == (task, mean)]
    assert of[0]["ranking"] == "none" and of[0]["heads"] == "0"
    whole = [r for r in of if r["share"] == "1"]
    everything = {r["loss"] for r in whole if r["excluded"] == "none"}
    assert len(everything) == 1 and everything != {of[0]["loss"]}, everything  # all heads, in whatever order
    ends |= everything
    assert {r["heads"] for r in whole} == {"12", "11"}
    assert all(0 < float(r["loss_low"]) < float(r["loss"]) < float(r["loss_high"]) for r in of)
assert len(ends) == 4, ends  # the means differ
END

# ---- refusals: one line, exit 65, nothing computed
refuses() { expect_refusal "$config" "$@"; } # WORDS ARGUMENT...
refuses 'heads are ablated on prompts with their own labels' -s ablation.source.labels=shuffled
refuses 'ablation.of: no job of the stage is of the source and the model of effects[0]' -s "ablation.source.task=$home/number.json"
refuses 'name more jobs' -s agreement.of=effects -s effects.measure=patching
refuses 'whose jobs it can read' -s fit.method=constant
conclude "19 jobs on 0 to 3 ranks, a kill, and what they read"
