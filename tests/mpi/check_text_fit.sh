#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154,SC2034 # variables of and for common.sh
# check_text_fit.sh BINARY [SOURCE] - fits on text prompts of a tiny language model: the same bits on 1, 2 and 3 ranks, in
# groups, with any memory and after a kill; and one line for what a fit on text cannot do.
set -euo pipefail
. "$(dirname -- "$0")/common.sh" check_text_fit "$@"
home="$work/a folder"
config="$home/text.cfg"
python3 "$here/make_text_model.py" "$home/model"
mv "$home/model/capital.task" "$home/capital.json"
cat >"$config" <<'END'
name = "text"; seed = 5;
model = { checkpoint = "model"; };
source = { kind = "text"; task = "capital.json"; };
stages = ( { stage = "fit"; method = ["ltv", "constant", "site"]; points = 1; basis_points = 4; basis = ["mean", "prompt"];
             prompts = 20; batch = 6; epochs = 3; shards = 2; group = 2; checkpoint_every = 1; optimiser = { lr = .05; }; },
           { stage = "fit"; name = "shuffled"; source = { labels = "shuffled"; }; ltv = { variant = "blocks"; };
             points = 4; basis_points = 4; answer = ["all", "first"]; prompts = 20; batch = 6; epochs = 2; },
           { stage = "fit"; name = "taught"; method = "site"; points = 1; basis_points = 4; basis = "mean"; basis_prompts = 5;
             text_loss = "kl_to_icl"; teacher_points = 4; label_weight = [0.0, 0.5]; prompts = 20; batch = 3; epochs = 3;
             validate_every = 4; shards = 2; group = 2; checkpoint_every = 1; optimiser = { lr = .05; }; },
           { stage = "fit"; name = "initial"; method = ["ltv", "site", "loreft", "learned_vector"]; points = 1;
             basis_points = 4; prompts = 20; batch = 6; epochs = 0; },
           { stage = "fit"; name = "heads"; method = "fv"; points = 1; basis = "mean"; basis_points = 4; prompts = 20; batch = 6;
             fv = { heads = 2; prompts = 8; selection = ["bottom", "random"]; sites = ["one_layer", "distributed"]; }; } );
END
sed -i 's/variant = "blocks"/reading = "blocks"/' "$config"

one="$home/one"
expect_same_bits "$config" "$home" 12
launch 1 run "$config" -o "$home/unshared" --quiet --share-contexts no
expect_done 1 "$home/unshared" "without shared contexts"

# ---- every fit of several epochs lowers its training loss, and rows name what was fitted
launch 0 table "$one" fit --format csv
((rc == 0)) || die "table: code $rc"
python3 - "$work/out" <<'END' || fault "rows of fits"
import csv, math, sys
rows = list(csv.DictReader(open(sys.argv[1])))
assert len(rows) == 5, rows
assert {r["method"] for r in rows} == {"ltv", "constant", "site"}, rows
for r in rows:
    assert 0 < float(r["validation_loss"]) < 20 and math.isfinite(float(r["train_loss"])), r
    assert r["points"] == "1" and int(r["nonzero"]) > 0, r
losses = {r["validation_loss"] for r in rows}
assert len(losses) == 5, losses  # another basis is another fit
END

# ---- without a label less is minimised; initial weights are a fit of no epoch; each choice has its loss
python3 - "$program" "$one" <<'END' || fault "fits with a teacher, initial weights or chosen heads"
import csv, io, subprocess, sys
program = sys.argv[1]
def rows(stage):
    out = subprocess.run([program, "table", sys.argv[2], stage, "--format", "csv"], capture_output=True, text=True, check=True).stdout
    return list(csv.DictReader(io.StringIO(out)))
taught = {r["label_weight"]: float(r["validation_loss"]) for r in rows("taught")}
assert len(taught) == 2 and 0 < taught["0"] < taught["0.5"], taught
initial = rows("initial")
assert len(initial) == 4, initial
for r in initial:
    assert r["epochs"] == "0" and r["train_loss"] == "" and 0 < float(r["validation_loss"]) < 20, r
assert {r["method"] for r in initial if r["choice"]} == {"loreft", "learned_vector"}, initial
heads = rows("heads")
assert len(heads) == 4 and all(r["nonzero"] == "2" for r in heads), heads
assert {r["choice"] for r in heads if r["fv_sites"] == "distributed"} <= {"0.25", "0.5", "1", "2", "4"}, heads
END

# ---- refusals: one line, exit 65, nothing computed
refuses() { expect_refusal "$config" "$@"; } # WORDS ARGUMENT...
refuses 'set basis_points' -s fit.basis_points=0
refuses 'has none: leave bias_only out' -s fit.method=bias_only
refuses 'of 20 prompts' -s fit.points=13
refuses '61 of its 89 pairs are for training, and 40 shots need 80' -s fit.points=41
refuses 'fit.loss' -s fit.loss=squared
conclude "7 fits on 0 to 3 ranks, in groups, without shared contexts and after a kill"
